"""A `[dialer]` section is data: read whole, or refused with everything that is wrong with it."""

from collections.abc import Mapping

import pytest

from dialer.policy import GREETING, CapKind, OnExhausted, Policy, parse
from terms.section import ProgramInvalid
from terms.verdict import Role

LISTENING: Mapping[str, object] = {
    "ring_first": "caller",
    "ring_seconds": 30,
    "cap_kind": "hard",
    "cap_seconds": 1500,
    "warn_seconds": [120, 30],
    "attempts": 3,
    "attempt_spacing_seconds": [180, 300],
    "on_exhausted": "keep",
    "parted_grace_seconds": 90,
}


def faults(**changes: object) -> list[tuple[str, str]]:
    """What is said about the section with these keys changed; None takes a key out."""
    table = {key: value for key, value in {**LISTENING, **changes}.items() if value is not None}
    with pytest.raises(ProgramInvalid) as refused:
        parse(table)
    return [(fault.key, fault.message) for fault in refused.value.faults]


@pytest.mark.rule("A01", "X38")
def test_a_whole_section_is_read_as_it_stands() -> None:
    assert parse(LISTENING) == Policy()


def test_every_key_is_taken_over() -> None:
    table = {
        **LISTENING,
        "ring_first": "counselor",
        "ring_seconds": 25,
        "press_to_accept": False,
        "accept_seconds": 10,
        "cap_kind": "soft",
        "cap_seconds": 900,
        "cap_grace_seconds": 60,
        "warn_seconds": [60],
        "attempts": 2,
        "attempt_spacing_seconds": [300],
        "on_exhausted": "cancel",
        "fault_tries": 4,
        "fault_spacing_seconds": 7,
        "counselor_tries": 5,
        "parted_grace_seconds": 45,
        "rering_seconds": 8,
        "media_lost_seconds": 12,
        "bridge_seconds": 9,
        "transfer_ring_seconds": 33,
        "verdict_final_minutes": 3,
        "shows": "family-doctor",
    }

    assert parse(table) == Policy(
        ring_first=Role.COUNSELOR,
        ring_seconds=25,
        press_to_accept=False,
        accept_seconds=10,
        cap_kind=CapKind.SOFT,
        cap_seconds=900,
        cap_grace_seconds=60,
        warn_seconds=(60,),
        attempts=2,
        attempt_spacing_seconds=(300,),
        on_exhausted=OnExhausted.CANCEL,
        fault_tries=4,
        fault_spacing_seconds=7,
        counselor_tries=5,
        parted_grace_seconds=45,
        rering_seconds=8,
        media_lost_seconds=12,
        bridge_seconds=9,
        transfer_ring_seconds=33,
        verdict_final_minutes=3,
        shows="family-doctor",
    )


@pytest.mark.rule("X06")
def test_a_shipped_cap_has_no_grace_and_a_counselor_presses_1_unless_the_program_says_so() -> None:
    policy = parse(LISTENING)

    assert policy.cap_grace_seconds == 0
    assert policy.press_to_accept


@pytest.mark.rule("D24")
def test_a_program_without_a_cap_needs_no_length() -> None:
    table = {**LISTENING, "cap_kind": "none", "warn_seconds": []}
    del table["cap_seconds"]

    assert parse(table).cap_kind is CapKind.NONE


@pytest.mark.parametrize(
    "key",
    [
        "ring_first",
        "ring_seconds",
        "cap_kind",
        "attempts",
        "on_exhausted",
        "parted_grace_seconds",
    ],
)
def test_what_no_default_can_stand_for_has_to_be_written(key: str) -> None:
    assert (key, "is missing") in faults(**{key: None})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ring_first", "agency"),
        ("ring_seconds", 4),
        ("ring_seconds", 121),
        ("ring_seconds", "30"),
        ("ring_seconds", True),
        ("press_to_accept", 1),
        ("accept_seconds", 4),
        ("cap_kind", "HARD"),
        ("cap_seconds", 7201),
        ("cap_seconds", -1),
        ("cap_grace_seconds", 601),
        ("warn_seconds", [0]),
        ("warn_seconds", 120),
        ("attempts", 0),
        ("attempts", 11),
        ("attempt_spacing_seconds", [-1]),
        ("attempt_spacing_seconds", [86401]),
        ("on_exhausted", "retry"),
        ("fault_tries", 0),
        ("fault_spacing_seconds", 3601),
        ("counselor_tries", 0),
        ("parted_grace_seconds", 9),
        ("rering_seconds", 0),
        ("media_lost_seconds", 4),
        ("bridge_seconds", 61),
        ("transfer_ring_seconds", 121),
        ("verdict_final_minutes", 1441),
        ("shows", ""),
        ("greeting", "Hello."),
        ("greeting_zh", 7),
    ],
)
def test_a_value_out_of_its_bounds_is_named(key: str, value: object) -> None:
    assert key in [named for named, _ in faults(**{key: value})]


@pytest.mark.rule("D42")
def test_a_greeting_has_its_own_words_in_both_languages_or_none_or_is_not_said() -> None:
    own = parse({**LISTENING, "greeting_zh": "您好，心声热线。", "greeting_en": "Heartline."})

    assert own.greeting_texts == (("zh-CN", "您好，心声热线。"), ("en", "Heartline."))
    assert (parse(LISTENING).greeting, parse(LISTENING).greeting_texts) == (GREETING, ())
    assert parse({**LISTENING, "greeting": False}).greeting == ""
    assert faults(greeting_en="Heartline.") == [("greeting_zh", "is missing")]
    assert [key for key, _ in faults(greeting=False, greeting_zh="好", greeting_en="Hi")] == [
        "greeting"
    ]


def test_every_fault_is_told_at_once() -> None:
    told = [key for key, _ in faults(ring_seconds=1, attempts=0, ring_secnods=3)]

    assert told == ["ring_seconds", "attempts", "ring_secnods"]


@pytest.mark.parametrize("kind", ["hard", "soft"])
def test_a_cap_needs_its_length(kind: str) -> None:
    told = faults(cap_kind=kind, cap_seconds=None, warn_seconds=[])

    assert told == [("cap_seconds", f"a {kind} cap needs its length in seconds")]


def test_warnings_fall_and_come_before_the_cap() -> None:
    assert [key for key, _ in faults(warn_seconds=[30, 120])] == ["warn_seconds"]
    assert [key for key, _ in faults(warn_seconds=[1500, 30])] == ["warn_seconds"]


@pytest.mark.rule("X27")
def test_more_than_one_attempt_needs_a_spacing() -> None:
    assert [key for key, _ in faults(attempt_spacing_seconds=None)] == ["attempt_spacing_seconds"]
    assert parse({**LISTENING, "attempts": 1, "attempt_spacing_seconds": []}).attempts == 1


@pytest.mark.rule("X27")
def test_each_counted_attempt_has_its_own_spacing_and_the_last_one_goes_on() -> None:
    policy = parse(LISTENING)

    assert [policy.spacing_after(counted) for counted in (1, 2, 3, 9)] == [180, 300, 300, 300]
    assert Policy(attempts=1, attempt_spacing_seconds=()).spacing_after(1) == 0
