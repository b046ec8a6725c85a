"""Who is let in when they dial."""

from datetime import UTC, datetime

import pytest

from routing.admission import (
    Intake,
    SpokenRefusal,
    dial_in_refusal,
    intake,
    number_refusal,
    require_admission,
)
from routing.policy import parse
from terms.calendar import Workdays
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from tests.routing.people import DAY, HOUR, MINE, NOON, OTHER, SECOND

LISTENING = parse(
    {"hours": "10:00-22:00", "zone": "Asia/Shanghai", "matching": "named", "role": "counselor"}
)
HOTLINE = parse({"hours": "24h", "matching": "pool", "role": "hotline", "callers": "anyone"})
CLOSING = NOON + 10 * HOUR
CALENDAR = Workdays()


@pytest.mark.rule("A10", "A11", "A13")
@pytest.mark.parametrize(
    ("given", "verified", "refusal"),
    [
        (MINE, MINE, None),
        (OTHER, MINE, RefusalCode.NUMBER_MISMATCH),
        (PhoneNumber("+85213800000001"), MINE, RefusalCode.NUMBER_MISMATCH),
        (MINE, None, RefusalCode.DEVICE_NOT_VERIFIED),
    ],
)
def test_only_exactly_the_verified_number_may_call(
    given: PhoneNumber, verified: PhoneNumber | None, refusal: RefusalCode | None
) -> None:
    assert number_refusal(given, verified) is refusal


@pytest.mark.rule("A11", "A13", "A24", "X05")
@pytest.mark.parametrize(
    ("given", "verified", "now", "code"),
    [
        (MINE, MINE, NOON, None),
        (MINE, MINE, CLOSING - SECOND, None),
        (MINE, MINE, CLOSING, RefusalCode.OUTSIDE_HOURS),
        (OTHER, MINE, NOON, RefusalCode.NUMBER_MISMATCH),
        (MINE, None, NOON, RefusalCode.DEVICE_NOT_VERIFIED),
    ],
)
def test_a_dial_from_the_app_is_let_in_or_told_why_not(
    given: PhoneNumber, verified: PhoneNumber | None, now: datetime, code: RefusalCode | None
) -> None:
    def dial() -> None:
        require_admission(LISTENING, given=given, verified=verified, now=now, workdays=CALENDAR)

    if code is None:
        dial()
        return
    with pytest.raises(Refused) as caught:
        dial()

    assert caught.value.code is code
    assert MINE.digits not in caught.value.detail


@pytest.mark.rule("A24")
def test_a_closed_line_says_when_it_opens() -> None:
    with pytest.raises(Refused) as caught:
        require_admission(LISTENING, given=MINE, verified=MINE, now=CLOSING, workdays=CALENDAR)

    assert "2030-01-02 10:00 (Asia/Shanghai)" in caught.value.detail
    assert caught.value.retry_after_seconds == 12 * 3600


def test_a_line_that_never_opens_promises_nothing() -> None:
    shut = parse(
        {
            "hours": "24h",
            "matching": "pool",
            "role": "x",
            "days": ["tue"],
            "closed_on": [str((NOON + n * DAY).date()) for n in range(0, 500, 7)],
        }
    )
    with pytest.raises(Refused) as caught:
        require_admission(shut, given=MINE, verified=MINE, now=NOON, workdays=CALENDAR)

    assert caught.value.retry_after_seconds is None


@pytest.mark.rule("A11", "A13", "A23", "A24")
@pytest.mark.parametrize(
    ("shown", "is_verified", "now", "spoken"),
    [
        (MINE, True, NOON, None),
        (None, False, NOON, SpokenRefusal.NUMBER_WITHHELD),
        (PhoneNumber("+85291234567"), False, NOON, SpokenRefusal.NUMBER_FOREIGN),
        (PhoneNumber("+85291234567"), True, NOON, SpokenRefusal.NUMBER_FOREIGN),
        (PhoneNumber("12356"), False, NOON, SpokenRefusal.NUMBER_NOT_VERIFIED),
        (OTHER, False, NOON, SpokenRefusal.NUMBER_NOT_VERIFIED),
        (MINE, True, CLOSING, SpokenRefusal.OUTSIDE_HOURS),
        (None, False, CLOSING, SpokenRefusal.OUTSIDE_HOURS),
    ],
)
def test_whoever_dials_in_is_let_in_or_hears_why_not(
    shown: PhoneNumber | None, is_verified: bool, now: datetime, spoken: SpokenRefusal | None
) -> None:
    assert spoken is dial_in_refusal(
        LISTENING, shown=shown, is_verified=is_verified, now=now, workdays=CALENDAR
    )


@pytest.mark.rule("D02", "D42", "D41", "X39")
@pytest.mark.parametrize("shown", [None, PhoneNumber("+85291234567"), OTHER])
def test_a_hotline_lets_everybody_in_at_any_hour(shown: PhoneNumber | None) -> None:
    for now in (NOON, CLOSING):
        assert (
            dial_in_refusal(HOTLINE, shown=shown, is_verified=False, now=now, workdays=CALENDAR)
            is None
        )
        require_admission(HOTLINE, given=OTHER, verified=None, now=now, workdays=CALENDAR)


@pytest.mark.rule("E25", "X36")
def test_a_line_takes_requests_at_night_and_says_when_doctors_are_there() -> None:
    doctors = parse({"hours": "08:00-18:00", "intake": "24h", "matching": "pool", "role": "doctor"})
    night = datetime(2030, 1, 1, 18, 0, tzinfo=UTC)  # 02:00 on 2 January in Shanghai

    assert intake(doctors, night, CALENDAR) == Intake(
        is_taken=True, served_from=datetime(2030, 1, 2, 0, 0, tzinfo=UTC)
    )
    assert intake(doctors, NOON, CALENDAR) == Intake(is_taken=True, served_from=NOON)


@pytest.mark.rule("X36")
def test_intake_may_have_hours_of_its_own() -> None:
    office = parse({**{"hours": "24h", "matching": "pool", "role": "x"}, "intake": "09:00-17:00"})

    assert intake(office, NOON, CALENDAR).is_taken
    assert not intake(office, CLOSING, CALENDAR).is_taken
