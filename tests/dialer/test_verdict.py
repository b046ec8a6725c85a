"""The verdict is read off the evidence alone; doubt is said, and never held against the caller."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from dialer.carriers import ReleaseSide
from dialer.leg import FAULT_CAUSES, Leg, LetGoReason, Release
from dialer.verdict import Evidence, judge
from terms.ids import LegId
from terms.verdict import Confidence, EndedBy, Role, Verdict, VerdictKind
from tests.dialer.stories import NOON

PARTY, PLATFORM, CARRIER, UNKNOWN = ReleaseSide
HIGH, MEDIUM, LOW = Confidence
OTHER = {Role.CALLER: Role.COUNSELOR, Role.COUNSELOR: Role.CALLER}


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def joined(
    role: Role,
    *,
    bridged_at: datetime | None = NOON,
    release: Release | None = None,
    silent_since: datetime | None = None,
    let_go_at: datetime | None = None,
    let_go_why: LetGoReason | None = None,
) -> Leg:
    return Leg(
        id=LegId(f"call/{role}/1"),
        role=role,
        rung_at=NOON,
        answered_at=NOON,
        bridged_at=bridged_at,
        release=release,
        silent_since=silent_since,
        let_go_at=let_go_at,
        let_go_why=let_go_why,
    )


def released(
    by: ReleaseSide, q850: int | None = 16, code: str | None = None, seconds: float = 600
) -> Release:
    return Release(at=at(seconds), by=by, q850=q850, code=code)


def after_talk(
    who: Role,
    release: Release | None,
    *,
    why: LetGoReason | None = None,
    mark: bool | None = None,
    silent_seconds: float | None = None,
    called_back_seconds: float | None = None,
) -> Verdict:
    """Ten minutes of talk, ended by the leg of `who`."""
    leg = joined(
        who,
        release=release,
        let_go_at=None if why is None else at(600),
        let_go_why=why,
        silent_since=None if silent_seconds is None else at(600 - silent_seconds),
    )
    back = None if called_back_seconds is None else at(600 + called_back_seconds)
    legs = (leg, joined(OTHER[who]))
    return judge(Evidence(legs=legs, counselor_mark=mark, called_back_at=back))


@pytest.mark.rule("A29", "X11")
@pytest.mark.parametrize("who", [Role.CALLER, Role.COUNSELOR])
@pytest.mark.parametrize("q850", [16, 31, None])
def test_whoever_hangs_up_ended_it(who: Role, q850: int | None) -> None:
    verdict = after_talk(who, released(PARTY, q850))

    assert verdict == Verdict(
        kind=VerdictKind.PARTY_ENDED, by=EndedBy(who), confidence=HIGH, reasons=("hung_up",)
    )


@pytest.mark.rule("A27")
@pytest.mark.parametrize("who", [Role.CALLER, Role.COUNSELOR])
@pytest.mark.parametrize("q850", sorted(FAULT_CAUSES))
def test_a_fault_cause_is_a_drop_whoever_is_said_to_have_let_go(who: Role, q850: int) -> None:
    for by in (CARRIER, PLATFORM, UNKNOWN):
        verdict = after_talk(who, released(by, q850))
        assert (verdict.kind, verdict.by) == (VerdictKind.SYSTEM_DROP, EndedBy.CARRIER)
        assert verdict.confidence is HIGH
    doubtful = after_talk(who, released(PARTY, q850))
    assert (doubtful.kind, doubtful.confidence) == (VerdictKind.SYSTEM_DROP, MEDIUM)


def test_the_fault_causes_are_those_that_no_person_can_give() -> None:
    assert frozenset({27, 34, 38, 41, 42, 44, 47, 102, 111}) == FAULT_CAUSES


@pytest.mark.rule("A27")
@pytest.mark.parametrize(
    ("release", "by", "reason"),
    [
        (released(CARRIER), EndedBy.CARRIER, "the_carrier_let_go"),
        (released(PLATFORM), EndedBy.PLATFORM, "ended_uncommanded"),
    ],
)
def test_what_carrier_or_platform_let_go_was_a_drop(
    release: Release, by: EndedBy, reason: str
) -> None:
    verdict = after_talk(Role.CALLER, release)

    assert verdict == Verdict(
        kind=VerdictKind.SYSTEM_DROP, by=by, confidence=HIGH, reasons=(reason,)
    )


@pytest.mark.rule("A25")
def test_the_carriers_own_limit_is_the_cap() -> None:
    verdict = after_talk(Role.CALLER, released(CARRIER, 31, "limit"))

    assert (verdict.kind, verdict.by) == (VerdictKind.CAP_REACHED, EndedBy.CARRIER)


@pytest.mark.parametrize("release", [None, released(PLATFORM, seconds=600.2), released(PLATFORM)])
@pytest.mark.parametrize(
    ("why", "kind", "by"),
    [
        (LetGoReason.CAP, VerdictKind.CAP_REACHED, EndedBy.PLATFORM),
        (LetGoReason.CALLER_ENDED, VerdictKind.PARTY_ENDED, EndedBy.CALLER),
        (LetGoReason.COUNSELOR_ENDED, VerdictKind.PARTY_ENDED, EndedBy.COUNSELOR),
        (LetGoReason.STAFF_ENDED, VerdictKind.OPERATOR_ENDED, EndedBy.STAFF),
        (LetGoReason.NOT_WANTED, VerdictKind.SYSTEM_DROP, EndedBy.PLATFORM),
        (LetGoReason.NO_ANSWER, VerdictKind.SYSTEM_DROP, EndedBy.PLATFORM),
        (LetGoReason.NOT_ACCEPTED, VerdictKind.SYSTEM_DROP, EndedBy.PLATFORM),
        (LetGoReason.PARTNER_LEFT, VerdictKind.INDETERMINATE, EndedBy.UNKNOWN),
        (LetGoReason.HANDED_OVER, VerdictKind.INDETERMINATE, EndedBy.UNKNOWN),
    ],
)
def test_what_we_commanded_ended_for_the_reason_we_gave(
    why: LetGoReason, kind: VerdictKind, by: EndedBy, release: Release | None
) -> None:
    verdict = after_talk(Role.CALLER, release, why=why)

    assert (verdict.kind, verdict.by) == (kind, by)


@pytest.mark.rule("A27")
def test_a_line_we_cut_for_its_silence_was_a_drop() -> None:
    verdict = after_talk(Role.CALLER, None, why=LetGoReason.SILENT, silent_seconds=20)

    assert (verdict.kind, verdict.reasons) == (VerdictKind.SYSTEM_DROP, ("media_timeout",))


@pytest.mark.parametrize("by", [PARTY, CARRIER, UNKNOWN])
def test_a_release_of_before_our_command_is_judged_as_if_the_command_was_not_given(
    by: ReleaseSide,
) -> None:
    release = released(by, seconds=590)

    commanded = after_talk(Role.CALLER, release, why=LetGoReason.CAP)
    assert commanded == after_talk(Role.CALLER, release)
    assert commanded.kind is not VerdictKind.CAP_REACHED


@pytest.mark.rule("A28")
@pytest.mark.parametrize("who", [Role.CALLER, Role.COUNSELOR])
@pytest.mark.parametrize(
    ("gap_seconds", "kind"), [(8, VerdictKind.PARTY_ENDED), (8.1, VerdictKind.SUSPECTED_DROP)]
)
def test_more_than_8_s_of_silence_before_a_hang_up_make_it_doubtful(
    who: Role, gap_seconds: float, kind: VerdictKind
) -> None:
    verdict = after_talk(who, released(PARTY), silent_seconds=gap_seconds)

    assert verdict.kind is kind
    assert (verdict.by is EndedBy.UNKNOWN) is (kind is VerdictKind.SUSPECTED_DROP)


@pytest.mark.rule("A28")
def test_the_counselors_word_that_it_was_cut_off_makes_a_hang_up_doubtful() -> None:
    assert after_talk(Role.CALLER, released(PARTY), mark=True).kind is VerdictKind.SUSPECTED_DROP
    assert after_talk(Role.CALLER, released(PARTY), mark=False).kind is VerdictKind.PARTY_ENDED


@pytest.mark.parametrize("q850", [0, 17, 127])
def test_a_cause_that_no_hang_up_gives_makes_it_doubtful(q850: int) -> None:
    verdict = after_talk(Role.CALLER, released(PARTY, q850))

    assert (verdict.kind, verdict.confidence) == (VerdictKind.SUSPECTED_DROP, LOW)


@pytest.mark.parametrize(
    ("who", "seconds", "confidence"),
    [
        (Role.CALLER, 300, MEDIUM),
        (Role.CALLER, 301, HIGH),
        (Role.CALLER, None, HIGH),
        (Role.COUNSELOR, 10, HIGH),
    ],
)
def test_a_caller_who_hung_up_and_calls_back_soon_is_less_sure_to_have_meant_it(
    who: Role, seconds: float | None, confidence: Confidence
) -> None:
    verdict = after_talk(who, released(PARTY), called_back_seconds=seconds)

    assert (verdict.kind, verdict.confidence) == (VerdictKind.PARTY_ENDED, confidence)


@pytest.mark.rule("A28")
@pytest.mark.parametrize(
    ("q850", "silent", "mark", "back", "reasons"),
    [
        (31, None, None, None, ("cause_31",)),
        (0, None, None, None, ("cause_0",)),
        (127, None, None, None, ("cause_127",)),
        (16, 9, None, None, ("silence_before_release",)),
        (16, None, True, None, ("marked_as_cut_off",)),
        (16, None, None, 60, ("called_back_soon",)),
        (
            31,
            9,
            True,
            60,
            (
                "silence_before_release",
                "marked_as_cut_off",
                "called_back_soon",
                "cause_31",
            ),
        ),
    ],
)
def test_with_nobody_said_to_have_let_go_every_sign_makes_a_drop_suspected(
    q850: int, silent: float | None, mark: bool | None, back: float | None, reasons: tuple[str, ...]
) -> None:
    verdict = after_talk(
        Role.CALLER,
        released(UNKNOWN, q850),
        silent_seconds=silent,
        mark=mark,
        called_back_seconds=back,
    )

    assert verdict == Verdict(
        kind=VerdictKind.SUSPECTED_DROP, by=EndedBy.UNKNOWN, confidence=MEDIUM, reasons=reasons
    )


def test_with_no_sign_at_all_it_stays_open() -> None:
    verdict = after_talk(Role.CALLER, released(UNKNOWN))

    assert (verdict.kind, verdict.by) == (VerdictKind.INDETERMINATE, EndedBy.UNKNOWN)
    assert verdict.confidence is LOW


def test_a_talk_that_nobody_saw_end_is_left_open() -> None:
    verdict = judge(Evidence(legs=(joined(Role.CALLER), joined(Role.COUNSELOR))))

    assert (verdict.kind, verdict.reasons) == (
        VerdictKind.INDETERMINATE,
        ("no_leg_was_seen_to_end",),
    )


@pytest.mark.parametrize("q850", [None, 0, 16, 17, 31, 127])
@pytest.mark.parametrize("bridged", [True, False])
@pytest.mark.parametrize("why", [None, LetGoReason.NOT_WANTED, LetGoReason.PARTNER_LEFT])
def test_unknown_is_never_held_against_the_caller(
    q850: int | None, bridged: bool, why: LetGoReason | None
) -> None:
    leg = joined(
        Role.CALLER,
        bridged_at=at(0) if bridged else None,
        release=released(UNKNOWN, q850),
        let_go_at=None if why is None else at(601),
        let_go_why=why,
    )
    verdict = judge(Evidence(legs=(leg, joined(Role.COUNSELOR))))

    busy = q850 == 17 and not bridged  # that is a fact about their phone
    assert (verdict.by is EndedBy.CALLER) is busy


@pytest.mark.parametrize(
    ("first", "second", "kind", "by"),
    [
        (LetGoReason.CAP, LetGoReason.CAP, VerdictKind.CAP_REACHED, EndedBy.PLATFORM),
        (
            LetGoReason.CALLER_ENDED,
            LetGoReason.PARTNER_LEFT,
            VerdictKind.PARTY_ENDED,
            EndedBy.CALLER,
        ),
        (
            LetGoReason.PARTNER_LEFT,
            LetGoReason.COUNSELOR_ENDED,
            VerdictKind.PARTY_ENDED,
            EndedBy.COUNSELOR,
        ),
        (
            LetGoReason.STAFF_ENDED,
            LetGoReason.STAFF_ENDED,
            VerdictKind.OPERATOR_ENDED,
            EndedBy.STAFF,
        ),
    ],
)
@pytest.mark.parametrize("slower", [Role.CALLER, Role.COUNSELOR])
def test_which_of_two_legs_let_go_together_is_released_first_says_nothing(
    first: LetGoReason, second: LetGoReason, kind: VerdictKind, by: EndedBy, slower: Role
) -> None:
    legs = tuple(
        joined(
            role,
            let_go_at=at(600),
            let_go_why=why,
            release=released(side, seconds=600.9 if role is slower else 600.1),
        )
        for role, why, side in (
            (Role.CALLER, first, PLATFORM),
            (Role.COUNSELOR, second, PARTY),
        )
    )

    for shuffled in permutations(legs):
        verdict = judge(Evidence(legs=shuffled))
        assert (verdict.kind, verdict.by) == (kind, by)


@pytest.mark.parametrize(
    ("one", "two", "kind"),
    [
        (released(CARRIER, 41), released(PARTY), VerdictKind.SYSTEM_DROP),
        (released(PARTY), released(CARRIER, 31, "limit"), VerdictKind.CAP_REACHED),
        (released(UNKNOWN), released(PARTY), VerdictKind.PARTY_ENDED),
    ],
)
def test_of_two_legs_that_ended_at_one_instant_the_surer_tale_counts(
    one: Release, two: Release, kind: VerdictKind
) -> None:
    legs = (joined(Role.CALLER, release=one), joined(Role.COUNSELOR, release=two))

    assert judge(Evidence(legs=legs)).kind is kind
    assert judge(Evidence(legs=legs[::-1])).kind is kind


def test_only_the_end_of_the_last_stretch_counts() -> None:
    dropped = joined(Role.CALLER, release=released(CARRIER, 41, seconds=60))
    again = replace(
        joined(Role.CALLER, bridged_at=at(90), release=released(PARTY)), id=LegId("call/caller/2")
    )
    verdict = judge(Evidence(legs=(dropped, joined(Role.COUNSELOR), again)))

    assert verdict.kind is VerdictKind.PARTY_ENDED
