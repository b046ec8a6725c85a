"""`judge`: from what the legs tell, how the call ended. Pure, and a function of facts alone.

It looks at the leg that ended the last stretch of talk. The same facts give the same verdict in
whatever order they came; "unknown" is allowed and alarms, and silence is never held against the
caller (design 5).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dialer.carriers import ReleaseSide
from dialer.leg import (
    FAULT_CAUSES,
    LIMIT_CODE,
    NORMAL_CAUSES,
    Failure,
    Leg,
    LetGoReason,
    Release,
    failure_of,
)
from dialer.talk import stretches
from terms.values import maker, quickly_made
from terms.verdict import Confidence, EndedBy, Role, Verdict, VerdictKind

MEDIA_GAP = timedelta(seconds=8)
"""Silence on a leg before its release that makes 'hung up' doubtful (4.6)."""

CALLED_BACK_SOON = timedelta(minutes=5)

_SIDES = {
    Role.CALLER: EndedBy.CALLER,
    Role.COUNSELOR: EndedBy.COUNSELOR,
    Role.AGENCY: EndedBy.AGENCY,
    Role.SUPERVISOR: EndedBy.STAFF,
}
_COMMANDED = {
    LetGoReason.CALLER_ENDED: EndedBy.CALLER,
    LetGoReason.COUNSELOR_ENDED: EndedBy.COUNSELOR,
    LetGoReason.STAFF_ENDED: EndedBy.STAFF,
    LetGoReason.SILENT: EndedBy.CARRIER,
}
_FOR_ANOTHER = frozenset(
    {
        LetGoReason.NOT_WANTED,
        LetGoReason.PARTNER_LEFT,
        LetGoReason.HANDED_OVER,
        LetGoReason.CAP,
    }
)
"""Reasons that tell nothing about the leg itself: another one decided."""

_NEVER_BOTH = "never_both_on_the_line"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that is known about one call's end.

    `counselor_mark`: the counselor's own word, True for "it was cut off". `called_back_at`: when
    the caller tried again after the end.
    """

    legs: tuple[Leg, ...]
    counselor_mark: bool | None = None
    called_back_at: datetime | None = None


def judge(evidence: Evidence) -> Verdict:
    """Weigh the evidence. Every branch says its reasons in stable words."""
    found = stretches(evidence.legs)
    if not found:
        return _never_connected(evidence)
    last = found[-1]
    if last.until is None or not last.ended_by:
        return _verdict(
            VerdictKind.INDETERMINATE, EndedBy.UNKNOWN, Confidence.LOW, "no_leg_was_seen_to_end"
        )
    return min([_judge_leg(leg, evidence, last.until) for leg in last.ended_by], key=_strength)


def _judge_leg(leg: Leg, evidence: Evidence, ended_at: datetime) -> Verdict:
    """What the leg that ended the talk says."""
    if leg.let_go_why is not None and leg.obeyed:
        return _by_command(leg.let_go_why)
    assert leg.release is not None
    return _by_release(leg, leg.release, evidence, ended_at)


def _by_command(why: LetGoReason) -> Verdict:
    """A command of ours was out on the leg: it ended for the reason we gave."""
    match why:
        case LetGoReason.CAP:
            return _verdict(VerdictKind.CAP_REACHED, EndedBy.PLATFORM, Confidence.HIGH, "our_cap")
        case LetGoReason.CALLER_ENDED:
            return _verdict(
                VerdictKind.PARTY_ENDED, EndedBy.CALLER, Confidence.HIGH, "hung_up_in_the_app"
            )
        case LetGoReason.COUNSELOR_ENDED:
            return _verdict(
                VerdictKind.PARTY_ENDED, EndedBy.COUNSELOR, Confidence.HIGH, "hung_up_in_console"
            )
        case LetGoReason.STAFF_ENDED:
            return _verdict(
                VerdictKind.OPERATOR_ENDED, EndedBy.STAFF, Confidence.HIGH, "staff_ended_it"
            )
        case LetGoReason.SILENT:
            return _verdict(
                VerdictKind.SYSTEM_DROP, EndedBy.CARRIER, Confidence.HIGH, "media_timeout"
            )
        case LetGoReason.HANDED_OVER | LetGoReason.PARTNER_LEFT:
            # Let go because of another: what ended the talk, that other leg says.
            return _verdict(
                VerdictKind.INDETERMINATE, EndedBy.UNKNOWN, Confidence.LOW, "partner_left"
            )
        case LetGoReason.NOT_WANTED | LetGoReason.NO_ANSWER | LetGoReason.NOT_ACCEPTED:
            return _verdict(
                VerdictKind.SYSTEM_DROP, EndedBy.PLATFORM, Confidence.MEDIUM, "we_let_it_go"
            )


def _by_release(leg: Leg, release: Release, evidence: Evidence, ended_at: datetime) -> Verdict:
    """No command of ours was out: the carrier's word, weighed with the rest."""
    if release.code == LIMIT_CODE:
        return _verdict(
            VerdictKind.CAP_REACHED, EndedBy.CARRIER, Confidence.HIGH, "the_carriers_limit"
        )
    if release.q850 in FAULT_CAUSES:
        sure = Confidence.MEDIUM if release.by is ReleaseSide.PARTY else Confidence.HIGH
        return _verdict(
            VerdictKind.SYSTEM_DROP, EndedBy.CARRIER, sure, f"fault_cause_{release.q850}"
        )
    match release.by:
        case ReleaseSide.PARTY:
            return _party_ended(leg, release, evidence, ended_at)
        case ReleaseSide.CARRIER:
            return _verdict(
                VerdictKind.SYSTEM_DROP, EndedBy.CARRIER, Confidence.HIGH, "the_carrier_let_go"
            )
        case ReleaseSide.PLATFORM:
            return _verdict(
                VerdictKind.SYSTEM_DROP, EndedBy.PLATFORM, Confidence.HIGH, "ended_uncommanded"
            )
        case ReleaseSide.UNKNOWN:
            return _side_unknown(leg, release, evidence, ended_at)


def _party_ended(leg: Leg, release: Release, evidence: Evidence, ended_at: datetime) -> Verdict:
    side = _SIDES[leg.role]
    if gap_before(leg, ended_at) > MEDIA_GAP:
        return _verdict(
            VerdictKind.SUSPECTED_DROP, EndedBy.UNKNOWN, Confidence.MEDIUM, "silence_before_release"
        )
    if evidence.counselor_mark:
        return _verdict(
            VerdictKind.SUSPECTED_DROP, EndedBy.UNKNOWN, Confidence.MEDIUM, "marked_as_cut_off"
        )
    if release.q850 is not None and release.q850 not in NORMAL_CAUSES:
        return _verdict(
            VerdictKind.SUSPECTED_DROP, side, Confidence.LOW, f"odd_cause_{release.q850}"
        )
    if leg.role is Role.CALLER and _called_back_soon(evidence, ended_at):
        return _verdict(
            VerdictKind.PARTY_ENDED, side, Confidence.MEDIUM, "hung_up", "called_back_soon"
        )
    return _verdict(VerdictKind.PARTY_ENDED, side, Confidence.HIGH, "hung_up")


def _side_unknown(leg: Leg, release: Release, evidence: Evidence, ended_at: datetime) -> Verdict:
    """Nobody says who let go: signs of a drop make it suspected, none leave it open."""
    signs = tuple(
        sign
        for sign, seen in (
            ("silence_before_release", gap_before(leg, ended_at) > MEDIA_GAP),
            ("marked_as_cut_off", bool(evidence.counselor_mark)),
            ("called_back_soon", _called_back_soon(evidence, ended_at)),
            (f"cause_{release.q850}", release.q850 in (0, 31, 127)),
        )
        if seen
    )
    if signs:
        return _verdict(VerdictKind.SUSPECTED_DROP, EndedBy.UNKNOWN, Confidence.MEDIUM, *signs)
    return _verdict(
        VerdictKind.INDETERMINATE, EndedBy.UNKNOWN, Confidence.LOW, "nobody_says_who_let_go"
    )


def _never_connected(evidence: Evidence) -> Verdict:
    """The two never talked: who was missing is all that is left to say."""
    if not evidence.legs:
        return _not_connected(EndedBy.UNKNOWN, "no_phone_rang")
    telling = [
        leg
        for leg in evidence.legs
        if leg.is_over and not (leg.obeyed and leg.let_go_why in _FOR_ANOTHER)
    ]
    if not telling:
        return _not_connected(EndedBy.PLATFORM, "we_let_it_go")
    last = max(telling, key=lambda leg: leg.off_at or leg.rung_at)
    if last.let_go_why in _COMMANDED and last.obeyed:
        return _not_connected(_COMMANDED[last.let_go_why], _NEVER_BOTH)
    if failure_of(last) is not Failure.FAULT:
        return _not_connected(_SIDES[last.role], _NEVER_BOTH)
    release = last.release
    if release is None or release.by is not ReleaseSide.UNKNOWN or release.q850 in FAULT_CAUSES:
        return _not_connected(EndedBy.CARRIER, "the_carrier_let_go")
    return _not_connected(EndedBy.UNKNOWN, "nobody_says_who_let_go")


def _not_connected(by: EndedBy, reason: str) -> Verdict:
    return _verdict(VerdictKind.NOT_CONNECTED, by, Confidence.HIGH, reason)


def gap_before(leg: Leg, ended_at: datetime) -> timedelta:
    """Silence on the leg up to the end; zero where the carrier told of none, or of its healing."""
    if leg.unheard_since is None:
        return timedelta()
    return max(ended_at - leg.unheard_since, timedelta())


def _called_back_soon(evidence: Evidence, ended_at: datetime) -> bool:
    return (
        evidence.called_back_at is not None
        and evidence.called_back_at - ended_at <= CALLED_BACK_SOON
    )


def _strength(verdict: Verdict) -> tuple[int, int, str]:
    """Of two legs that ended at one instant, the surer fault speaks first."""
    return _FIRST.get(verdict.kind, len(_FIRST)), _SUREST[verdict.confidence], verdict.by


_FIRST = {
    VerdictKind.CAP_REACHED: 0,
    VerdictKind.OPERATOR_ENDED: 1,
    VerdictKind.SYSTEM_DROP: 2,
}
_SUREST = {Confidence.HIGH: 0, Confidence.MEDIUM: 1, Confidence.LOW: 2}


def _verdict(kind: VerdictKind, by: EndedBy, confidence: Confidence, *reasons: str) -> Verdict:
    return _make_verdict(kind=kind, by=by, confidence=confidence, reasons=reasons)


_make_verdict = maker(Verdict)
