"""What a call came to, against what truly happened to its legs in the world."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dialer.call import Call, EndReason
from dialer.carriers import LegAnswered, LegBridged, LegRinging, News, ReleaseSide
from dialer.leg import LIMIT_CODE, Leg, LetGoReason, Release, make_leg, observe
from dialer.policy import LIMIT_MARGIN_SECONDS, CapKind
from dialer.talk import stretches, talked
from dialer.verdict import Evidence, judge
from terms.ids import CallId
from terms.values import quickly_made, replace
from terms.verdict import EndedBy, Role, Verdict, VerdictKind
from warmline.programs import Program
from warmline.simulation.witness import Witness

_UNCLEAR = frozenset({VerdictKind.INDETERMINATE, VerdictKind.SUSPECTED_DROP})
_NOTHING = timedelta()
_A_MOMENT = timedelta(milliseconds=1)
_ROUNDING = timedelta(seconds=1)
_LIMIT_BEHIND_OURS = timedelta(seconds=LIMIT_MARGIN_SECONDS)
_NEVER_FOUND_OUT = timedelta(seconds=30)
_TIME_TO_LIFT = timedelta(seconds=30)


@quickly_made
@dataclass(frozen=True, slots=True)
class Findings:
    """`doubtful`: evidence was really lost. A text says what is wrong; empty where nothing is."""

    connected: bool
    doubtful: bool
    wrong_verdict: str = ""
    over_cap: str = ""
    cut_in_danger: str = ""


class Truth:
    """Compares calls with the witness's record. `troubled` are calls that met with misfortune."""

    def __init__(self, witness: Witness, troubled: set[CallId]) -> None:
        self._witness = witness
        self._troubled = troubled
        self._crises: dict[CallId, datetime] = {}
        self._late: dict[CallId, dict[datetime, timedelta]] = {}
        self._told_joined: dict[CallId, tuple[datetime, timedelta]] = {}

    def raised_crisis(self, call: CallId, now: datetime) -> None:
        """From now on nobody may cut this call."""
        self._crises.setdefault(call, now)

    def told_late(self, call: CallId, news: News, now: datetime) -> None:
        """That somebody had joined came so late that other things were decided meanwhile.

        Two who were joined at one instant were late together: the time is counted once.
        """
        late = self._late.setdefault(call, {})
        late[news.at] = max(late.get(news.at, _NOTHING), now - news.at)

    def told_joined(self, call: CallId, news: News, now: datetime) -> None:
        """When we last learned that somebody had joined, and how long after they had."""
        self._told_joined[call] = now, now - news.at

    def compare(self, call: Call, program: Program) -> Findings:
        """Everything that is wrong about a call whose verdict is final; it is then forgotten."""
        witness = self._witness
        doubtful = any([leg.id in witness.lost for leg in call.legs])
        legs = tuple([_true_leg(leg, witness.truth.get(leg.id, ())) for leg in call.legs])
        evidence = Evidence(
            legs=legs, counselor_mark=call.counselor_mark, called_back_at=call.called_back_at
        )
        findings = Findings(
            connected=bool(stretches(legs)),
            doubtful=doubtful,
            wrong_verdict=_wrong_verdict(call, legs, judge(evidence), doubtful),
            over_cap=self._over_cap(call, legs, program, doubtful),
            cut_in_danger=self._cut_in_danger(call, legs),
        )
        for leg in call.legs:
            witness.forget(leg.id)
        self._crises.pop(call.id, None)
        self._late.pop(call.id, None)
        self._told_joined.pop(call.id, None)
        return findings

    def _over_cap(self, call: Call, legs: tuple[Leg, ...], program: Program, doubtful: bool) -> str:
        policy = program.dialer
        if policy.cap_kind is not CapKind.HARD or call.granted_seconds is None or call.crisis:
            return ""
        assert call.ended_at is not None
        allowed = timedelta(seconds=call.granted_seconds + policy.cap_grace_seconds) + _A_MOMENT
        if doubtful or call.id in self._troubled:
            allowed += _LIMIT_BEHIND_OURS + _ROUNDING + _talk_unknown_to_us(call, legs)
            allowed += sum(self._late.get(call.id, {}).values(), _NOTHING)
        if _longest_talk(call.ended_at, legs) <= allowed:
            return ""
        told_at, lateness = self._told_joined.get(call.id, (None, _NOTHING))
        if told_at == call.ended_at and call.end_reason is EndReason.CAP:
            allowed += lateness  # the time had run out before we knew that they talked again
        parted = self._witness.parted
        off = tuple([_really_off(leg, parted.get(leg.id)) for leg in legs])
        total = talked(off, call.ended_at)
        return f"talked {total}, allowed {allowed}" if total > allowed else ""

    def _cut_in_danger(self, call: Call, legs: tuple[Leg, ...]) -> str:
        raised_at = self._crises.get(call.id)
        for leg in legs:
            release = leg.release
            if raised_at is None or release is None or release.code != LIMIT_CODE:
                continue
            if leg.role is Role.CALLER and release.at > raised_at + _TIME_TO_LIFT:
                return f"{leg.id} met the carrier's limit at {release.at}, raised at {raised_at}"
        return ""


def _longest_talk(ended_at: datetime, legs: Iterable[Leg]) -> timedelta:
    """More than anybody can have talked: from the first joining to the last release."""
    joined = [leg.bridged_at for leg in legs if leg.bridged_at is not None]
    released = [leg.release.at for leg in legs if leg.release is not None]
    return max([ended_at, *released]) - min(joined) if joined else _NOTHING


def _true_leg(leg: Leg, truth: Iterable[News]) -> Leg:
    """The leg as it would be, had all news come at once and in order."""
    first: dict[str, Any] = {} if "/" in leg.id else {"ringing_at": leg.rung_at}
    rest: list[News] = []
    for news in truth:
        fact = _FIRST_COUNTS.get(type(news))
        if fact is None:
            rest.append(news)
        else:
            first.setdefault(fact, news.at)
    true = make_leg(
        id=leg.id,
        role=leg.role,
        rung_at=leg.rung_at,
        party=leg.party,
        let_go_at=leg.let_go_at,
        let_go_why=leg.let_go_why,
        **first,
    )
    for news in rest:
        true = observe(true, news, news.at)
    return true


_FIRST_COUNTS: dict[type, str] = {
    LegRinging: "ringing_at",
    LegAnswered: "answered_at",
    LegBridged: "bridged_at",
}
"""Of these the first is the fact, whatever is told later; all else is for the dialer to weigh."""


def _talk_unknown_to_us(call: Call, legs: tuple[Leg, ...]) -> timedelta:
    """Talk we could not count, for want of news.

    Not told that somebody joined, we count from when we found out: once for all who joined at that
    instant, for talk begins with the last of them. Not told that a silent line was heard again, we
    count up to its silence.
    """
    joined: dict[datetime, timedelta] = {}
    unheard = _NOTHING
    for ours, true in zip(call.legs, legs, strict=True):
        at = true.bridged_at
        if at is not None:
            unknown = (ours.bridged_at or at + _NEVER_FOUND_OUT) - at
            joined[at] = max(joined.get(at, _NOTHING), unknown)
        if ours.is_silent and ours.off_at is not None and true.off_at is not None:
            unheard += max(true.off_at - ours.off_at, _NOTHING)
    return sum(joined.values(), unheard)


def _really_off(leg: Leg, parted_at: datetime | None) -> Leg:
    """The leg until the carrier parted it or let it go, whatever we had decided by then."""
    release = leg.release
    if parted_at is not None and (release is None or parted_at < release.at):
        release = Release(at=parted_at, by=ReleaseSide.PLATFORM)
    silent = leg.off_at if leg.is_silent else leg.unheard_since
    if silent is not None:  # nobody was heard any more
        release = Release(at=silent, by=ReleaseSide.UNKNOWN)
    if release is None:
        return leg
    return replace(leg, let_go_at=None, let_go_why=None, release=release)


def _wrong_verdict(call: Call, legs: tuple[Leg, ...], truth: Verdict, doubtful: bool) -> str:
    ours = call.verdict
    assert ours is not None
    if ours == truth or (doubtful and _is_excused(ours, truth, legs)):
        return ""
    return f"{_told(ours)}, but it was {_told(truth)}"


def _is_excused(ours: Verdict, truth: Verdict, legs: tuple[Leg, ...]) -> bool:
    """Where evidence was lost, doubt is right; blame on somebody who did nothing never is."""
    if ours.kind in _UNCLEAR or ours.kind is truth.kind:
        return True
    if ours.kind is VerdictKind.PARTY_ENDED:
        return any(_hung_up(leg, ours.by) for leg in legs)
    return True


def _hung_up(leg: Leg, by: EndedBy) -> bool:
    if leg.role.value != by.value:
        return False
    by_phone = leg.release is not None and leg.release.by is ReleaseSide.PARTY
    return by_phone or leg.let_go_why in (LetGoReason.CALLER_ENDED, LetGoReason.COUNSELOR_ENDED)


def _told(verdict: Verdict) -> str:
    return f"{verdict.kind} by {verdict.by} ({verdict.confidence}: {', '.join(verdict.reasons)})"
