"""Codes by SMS, as pure rules."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from routing.verification import (
    CODE_DIGITS,
    CODE_LIFE,
    CODE_TRIES,
    DEVICE_LIFE,
    Confirmed,
    Device,
    Expired,
    Purpose,
    Verification,
    VerificationId,
    Wrong,
    answer,
    code_digest,
    refusal,
    send_allowed_from,
)
from terms.ids import CallerId, DeviceId
from terms.refusals import RefusalCode
from tests.routing.people import DAY, HOUR, MINE, MINUTE, NOON, OTHER, SECOND

KEY = b"k" * 32
NAME = VerificationId("v1")
RIGHT = code_digest(KEY, NAME, Purpose.DEVICE, MINE, "047011")
WRONG = code_digest(KEY, NAME, Purpose.DEVICE, MINE, "047012")
SENT = Verification(id=NAME, purpose=Purpose.DEVICE, number=MINE, digest=RIGHT, sent_at=NOON)
FRACTION = timedelta(microseconds=1)


@pytest.mark.rule("A10", "B12")
def test_the_numbers_of_a_code_are_those_of_the_sources() -> None:
    assert CODE_DIGITS == 6
    assert timedelta(minutes=5) == CODE_LIFE
    assert CODE_TRIES == 5


@pytest.mark.rule("A10")
def test_the_right_code_confirms_within_five_minutes_and_once() -> None:
    confirmed, given = answer(SENT, RIGHT, NOON + CODE_LIFE - FRACTION)

    assert given == Confirmed()
    assert answer(confirmed, RIGHT, NOON + CODE_LIFE - FRACTION) == (confirmed, Expired())
    assert answer(SENT, RIGHT, NOON + CODE_LIFE) == (SENT, Expired())


@pytest.mark.rule("A10")
def test_after_five_wrong_tries_even_the_right_code_is_too_late() -> None:
    verification = SENT
    for left in (4, 3, 2, 1, 0):
        verification, given = answer(verification, WRONG, NOON)
        assert given == Wrong(left)

    assert answer(verification, RIGHT, NOON) == (verification, Expired())
    last_try = replace(SENT, tries=4)
    assert answer(last_try, RIGHT, NOON)[1] == Confirmed()


def test_a_superseded_code_is_not_taken() -> None:
    old = replace(SENT, superseded_at=NOON)

    assert answer(old, RIGHT, NOON) == (old, Expired())


@pytest.mark.rule("A10")
def test_a_code_is_bound_to_its_number_its_sending_and_the_installation() -> None:
    others = [
        code_digest(KEY, NAME, Purpose.DEVICE, OTHER, "047011"),
        code_digest(KEY, VerificationId("v2"), Purpose.DEVICE, MINE, "047011"),
        code_digest(b"another key", NAME, Purpose.DEVICE, MINE, "047011"),
    ]

    assert all(answer(SENT, digest, NOON)[1] == Wrong(4) for digest in others)


@pytest.mark.rule("A10")
def test_the_person_is_told_what_is_left_and_never_the_code() -> None:
    wrong, expired = refusal(Wrong(3)), refusal(Expired())

    assert wrong is not None
    assert (wrong.code, "3" in wrong.detail) == (RefusalCode.CODE_WRONG, True)
    assert expired is not None
    assert expired.code is RefusalCode.CODE_EXPIRED
    assert refusal(Confirmed()) is None
    assert MINE.digits not in repr(SENT)


AT = datetime.fromisoformat


@pytest.mark.parametrize(
    ("before", "now", "allowed"),
    [
        ([], "2030-01-01T12:00:30+08:00", None),
        # a minute between two codes, even where the minute of the clock has changed
        (["12:00:30"], "2030-01-01T12:01:29+08:00", "12:01:30"),
        (["12:00:30"], "2030-01-01T12:01:30+08:00", None),
        # five in an hour of the clock, a sixth at the next stroke
        (
            ["12:00:30", "12:05:00", "12:10:00", "12:20:00", "12:30:00"],
            "2030-01-01T12:59:59+08:00",
            "13:00:00",
        ),
        (
            ["12:00:30", "12:05:00", "12:10:00", "12:20:00", "12:30:00"],
            "2030-01-01T13:00:00+08:00",
            None,
        ),
    ],
)
@pytest.mark.rule("A10", "B12")
def test_a_number_gets_one_code_a_minute_and_five_an_hour(
    before: list[str], now: str, allowed: str | None
) -> None:
    sends = [AT(f"2030-01-01T{time}+08:00") for time in before]
    expected = AT(f"2030-01-01T{allowed}+08:00") if allowed else None

    assert send_allowed_from(sends, [], AT(now)) == expected


@pytest.mark.rule("A10")
def test_a_number_gets_ten_codes_in_any_24_hours() -> None:
    sends = [NOON + n * HOUR for n in range(10)]

    assert send_allowed_from(sends, [], NOON + DAY - SECOND) == NOON + DAY
    assert send_allowed_from(sends, [], NOON + DAY) is None


@pytest.mark.rule("A10")
def test_an_address_sends_twenty_codes_an_hour() -> None:
    sends = [NOON + n * SECOND for n in range(20)]

    assert send_allowed_from([], sends, NOON + MINUTE) == NOON + HOUR
    assert send_allowed_from([], sends, NOON + HOUR) is None
    assert send_allowed_from([], sends[1:], NOON + MINUTE) is None


def test_the_person_learns_when_a_code_ends_and_when_to_ask_again() -> None:
    assert SENT.expires_at == NOON + 5 * MINUTE
    assert SENT.resend_at == NOON + MINUTE
    assert send_allowed_from([NOON], [], SENT.resend_at) is None


@pytest.mark.rule("A10", "A11")
def test_a_device_is_live_for_180_days_unless_superseded() -> None:
    device = Device(id=DeviceId("d1"), caller=CallerId("c1"), verified_at=NOON)

    assert timedelta(days=180) == DEVICE_LIFE
    assert device.is_live(NOON + DEVICE_LIFE - FRACTION)
    assert not device.is_live(NOON + DEVICE_LIFE)
    assert not replace(device, superseded_at=NOON).is_live(NOON)
