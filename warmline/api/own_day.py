"""A counselor's day: what was offered, what was talked, which notes are owed."""

import re
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator

from billing.store.programs_of import programs_of
from dialer.call import Call
from dialer.store.live import calls_that_rang
from terms.calendar import end_of_day, local_date, start_of_day
from terms.ids import CallId, CounselorId, OrderId, ProgramId
from terms.verdict import VerdictKind
from warmline.api.counselors import COUNSELOR, counselor_of
from warmline.api.offers import Offered, became_of, rings_of
from warmline.api.views import NonNegative
from warmline.desk.wrap_ups import WrapUp, wrap_ups_of
from warmline.http.api import Operations
from warmline.http.asked import Asked
from warmline.http.model import Instant, Model, Query
from warmline.http.who import Staff

if TYPE_CHECKING:
    from datetime import datetime

own_day = Operations("Counselors")

_HERE = ZoneInfo("Asia/Shanghai")
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


class NotesState(StrEnum):
    """Whether the notes of a call were handed in."""

    WRITTEN = "written"
    OWED = "owed"
    NONE = "none"  # nobody talked: there is nothing to note


class DayCallView(Model):
    """A call that rang me."""

    id: CallId
    order: OrderId
    program: ProgramId
    offered_at: Instant
    became: Offered
    connected_at: Instant | None
    ended_at: Instant | None
    talked_seconds: NonNegative
    verdict: VerdictKind | None
    """How the call ended; null while it goes on."""

    notes: NotesState


class DayView(Model):
    """A day's work. A call that rang me twice is one line."""

    on: date
    offered: NonNegative
    connected: NonNegative
    declined: NonNegative
    missed: NonNegative
    withdrawn: NonNegative
    """Given up by the caller or by staff while my phone rang."""

    talked_seconds: NonNegative
    calls: list[DayCallView]
    """Newest first."""


def _iso_day(value: object) -> object:
    if isinstance(value, str) and not _ISO_DAY.fullmatch(value):
        raise ValueError("must be a day like 2030-01-31")
    return value


class WhichDay(Query):
    """Today where left out."""

    on: Annotated[date, BeforeValidator(_iso_day)] | None = None


@own_day("GET", "/v1/me/day", who=(COUNSELOR,), returns={200: DayView})
async def get_day(asked: Asked, who: Staff, query: WhichDay) -> DayView:
    """The calls that rang me on a day in Shanghai, and what they came to."""
    counselor = counselor_of(who)
    day = query.on or local_date(asked.now, _HERE)
    async with asked.borrow() as connection:
        calls = await calls_that_rang(
            connection,
            asked.tenant,
            counselor,
            start_of_day(day, _HERE),
            end_of_day(day, _HERE),
        )
        programs = await programs_of(connection, asked.tenant, {call.order for call in calls})
        owed = await wrap_ups_of(connection, asked.tenant, [call.id for call in calls])
    lines = [
        _line(call, counselor, programs[call.order], owed.get(call.id), asked.now) for call in calls
    ]
    return DayView(
        on=day,
        offered=len(lines),
        connected=sum(line.became is Offered.CONNECTED for line in lines),
        declined=sum(line.became is Offered.DECLINED for line in lines),
        missed=sum(line.became is Offered.MISSED for line in lines),
        withdrawn=sum(line.became is Offered.WITHDRAWN for line in lines),
        talked_seconds=sum(line.talked_seconds for line in lines),
        calls=lines,
    )


def _line(
    call: Call,
    counselor: CounselorId,
    program: ProgramId,
    wrap_up: WrapUp | None,
    now: "datetime",
) -> DayCallView:
    legs = rings_of(call, counselor)
    became = became_of(legs)
    connected = became is Offered.CONNECTED
    mine = wrap_up if wrap_up is not None and wrap_up.counselor == counselor else None
    notes = NotesState.NONE
    if mine is not None:
        notes = NotesState.OWED if mine.written_at is None else NotesState.WRITTEN
    return DayCallView(
        id=call.id,
        order=call.order,
        program=program,
        offered_at=legs[0].rung_at,
        became=became,
        connected_at=call.connected_at if connected else None,
        ended_at=call.ended_at,
        talked_seconds=int(call.talked(call.ended_at or now).total_seconds()) if connected else 0,
        verdict=None if call.verdict is None else call.verdict.kind,
        notes=notes,
    )
