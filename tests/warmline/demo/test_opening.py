"""The demo can be played at any hour."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from terms.calendar import Workdays
from terms.ids import ProgramId
from warmline.demo.opening import opens_at
from warmline.programs import load_shipped

SHANGHAI = ZoneInfo("Asia/Shanghai")
PROGRAMS = load_shipped()
NO_HOLIDAYS = Workdays()


def _at(clock: str, day: int = 1) -> datetime:
    local = datetime.combine(date(2030, 1, day), time.fromisoformat(clock), SHANGHAI)
    return local.astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "opens"),
    [
        ("09:59", _at("10:00")),
        ("10:00", None),
        ("20:59", None),
        ("21:01", _at("10:00", day=2)),
        ("22:00", _at("10:00", day=2)),
        ("03:00", _at("10:00")),
    ],
)
def test_a_service_that_is_shut_or_shuts_soon_is_waited_for(
    now: str, opens: datetime | None
) -> None:
    listening = PROGRAMS[ProgramId("psych-listening")]
    assert opens_at(listening, _at(now), NO_HOLIDAYS) == opens


def test_a_service_that_never_shuts_is_never_waited_for() -> None:
    doctor = PROGRAMS[ProgramId("family-doctor")]
    assert opens_at(doctor, _at("03:00"), NO_HOLIDAYS) is None
