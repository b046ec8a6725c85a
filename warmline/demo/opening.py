"""The demo works at any hour: where a service is closed, its clock is moved to the next opening."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from routing.hours import is_open, next_opening
from terms.calendar import Workdays
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.api.simulation import Simulation
    from warmline.serve import House

PLAY_FOR = timedelta(hours=1)
"""A service that closes sooner than this counts as closed: nobody is to be sent away at play."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How far ahead of the machine the demo's clock is, and the service it was moved for now."""

    now: datetime
    ahead: timedelta
    moved_for: Program | None


async def open_doors(house: "House", simulation: "Simulation") -> Opening:
    """See to it that every service is open for a while, by letting time pass."""
    async with house.pool.acquire() as connection:
        workdays = await house.desk.calendar.workdays(connection, house.settings.tenant)
    moved_for = None
    for program in house.programs.values():
        opens = opens_at(program, house.clock.now(), workdays)
        if opens is not None:
            await simulation.advance((opens - house.clock.now()).total_seconds())
            moved_for = program
    return Opening(now=house.clock.now(), ahead=house.clock.offset, moved_for=moved_for)


def opens_at(program: Program, now: datetime, workdays: Workdays) -> datetime | None:
    """When the service opens for long enough; None when it is open, or never opens."""
    hours = program.routing.hours
    if is_open(hours, now, workdays) and is_open(hours, now + PLAY_FOR, workdays):
        return None
    from_then = now + PLAY_FOR if is_open(hours, now, workdays) else now
    return next_opening(hours, from_then, workdays)
