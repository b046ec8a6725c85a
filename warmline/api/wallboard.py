"""The supervisor's wallboard: now, today, and the week by half hours."""

from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from dialer.call import State as CallState
from dialer.service_level import ServiceLevel
from dialer.store.board import count_in_crisis, live_by_state, stuck_calls
from routing.counselor import Activity, activity_of
from routing.store.counselors import list_present
from routing.store.queue import queue_lengths
from terms.calendar import local_date, start_of_day
from terms.ids import CallId, CounselorId, ProgramId
from terms.verdict import VerdictKind
from warmline.api.offer_seen import OFFER_SEEN
from warmline.api.parts import SERVICE_LEVEL
from warmline.api.views import NonNegative, TextView
from warmline.http.api import Operations
from warmline.http.asked import Asked
from warmline.http.model import ID, Instant, Model, Query
from warmline.http.who import staff
from warmline.people import StaffRole
from warmline.reports.store import board_by_half_hour, board_by_program, rings_untold

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from asyncpg import Record

    from warmline.desk.store import Connection

wallboard = Operations("Wallboard")

SUPERVISOR = staff(StaffRole.SUPERVISOR)

_HERE = ZoneInfo("Asia/Shanghai")
_COUNSELORS_COUNTED = 10_000
_SHOWN_WITHIN = timedelta(seconds=5)
"""A page that has not said by then that it shows the call that rings is taken not to show it."""

_STUCK_SHOWN = 50


class StuckView(Model):
    """A call that does not go on by itself: look at it, and end it if need be."""

    call: CallId
    since: Instant


class NowView(Model):
    """This moment."""

    waiting: NonNegative
    """In a queue for a counselor."""

    longest_since: Instant | None
    between_attempts: NonNegative
    ringing: NonNegative
    talking: NonNegative
    parted: NonNegative
    """One of the two was lost by a fault and is rung again."""

    in_crisis: NonNegative
    counselors: dict[Activity, NonNegative]
    """How many of those at work do what."""

    not_showing: NonNegative
    """Counselors whose phone rings for more than 5 s while no console said it shows the call."""

    stuck: list[StuckView]


class ServiceLevelView(Model):
    """Answered within T seconds, out of those offered less those still under way and those who gave
    up at once.
    """

    within_seconds: NonNegative
    short_abandon_seconds: NonNegative
    """Giving up sooner than this is giving up at once."""

    answered_in_time: NonNegative
    counted: NonNegative
    percent: float | None
    """Null while nothing counts."""

    formula: TextView


class AnswerTimeView(Model):
    """Seconds from the dial to the bridge; null while nobody was connected."""

    mean: float | None
    p50: float | None
    p90: float | None
    p99: float | None


class TodayView(Model):
    """The calls begun since midnight in Shanghai."""

    program: ProgramId | None
    """Null: all of them."""

    offered: NonNegative
    """Blocked ones stand apart, those still under way do not."""

    under_way: NonNegative
    """Not connected yet, and going on: they ring, wait or stand in a queue."""

    answered: NonNegative
    abandoned: NonNegative
    """The caller gave up before being connected."""

    abandoned_short: NonNegative
    blocked: NonNegative
    """No line was to be had, or we failed."""

    attempts: NonNegative
    service_level: ServiceLevelView
    answer_seconds: AnswerTimeView
    verdicts: dict[VerdictKind, NonNegative]


class WallboardView(Model):
    """Everything as of one instant."""

    as_of: Instant
    now: NowView
    today: TodayView
    programs: list[TodayView]


class LevelAsked(Query):
    """The two numbers of the service level: the house's, where they are left out."""

    within_seconds: Annotated[int, Field(ge=1, le=3600)] | None = None
    """T: how soon a call should be answered. The setting: WARMLINE_SERVICE_LEVEL_SECONDS."""

    short_abandon_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    """Who gave up sooner does not count. The setting: WARMLINE_SHORT_ABANDON_SECONDS."""


class Weeks(LevelAsked):
    """How far back, and of which program; of all where none is named."""

    weeks: Annotated[int, Field(ge=1, le=12)] = 4
    program: Annotated[ProgramId, ID] | None = None


class HalfHourView(Model):
    """What began in one half hour of one weekday, over all the weeks."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    """1 is Monday."""

    half_hour: Annotated[int, Field(ge=0, le=47)]
    """0 is from 00:00 on, in Shanghai."""

    offered: NonNegative
    answered: NonNegative
    abandoned: NonNegative
    blocked: NonNegative
    percent: float | None
    """The service level."""

    mean_seconds: float | None
    """Seconds from the dial to the bridge."""


class HeatView(Model):
    """The half hours in which anything began."""

    since: Instant
    until: Instant
    within_seconds: NonNegative
    short_abandon_seconds: NonNegative
    cells: list[HalfHourView]


@wallboard("GET", "/v1/wallboard", who=(SUPERVISOR,), returns={200: WallboardView})
async def get_wallboard(asked: Asked, query: LevelAsked) -> WallboardView:
    """What goes on now and went on since midnight, in figures."""
    level = _level(asked, query)
    async with at_one_instant(asked) as connection:
        rows = await board_by_program(
            connection, asked.tenant, midnight(asked.now), asked.now, level
        )
        now = await _now(connection, asked)
    whole, *programs = [_today(row, level) for row in rows]
    return WallboardView(as_of=asked.now, now=now, today=whole, programs=programs)


@wallboard("GET", "/v1/wallboard/heat", who=(SUPERVISOR,), returns={200: HeatView})
async def get_heat(asked: Asked, query: Weeks) -> HeatView:
    """Half hours by weekdays, over the last whole weeks and today."""
    level = _level(asked, query)
    since = midnight(asked.now) - timedelta(weeks=query.weeks)
    async with asked.borrow() as connection:
        rows = await board_by_half_hour(
            connection,
            asked.tenant,
            since,
            asked.now,
            level,
            zone=_HERE.key,
            program=query.program,
        )
    return HeatView(
        since=since,
        until=asked.now,
        within_seconds=level.within_seconds,
        short_abandon_seconds=level.short_abandon_seconds,
        cells=[_half_hour(row) for row in rows],
    )


@asynccontextmanager
async def at_one_instant(asked: Asked) -> "AsyncIterator[Connection]":
    """A connection whose statements all see the same: no call is between two of the figures."""
    async with (
        asked.borrow() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield connection


def _level(asked: Asked, query: LevelAsked) -> ServiceLevel:
    house = asked.part(SERVICE_LEVEL)
    within, short = query.within_seconds, query.short_abandon_seconds
    return ServiceLevel(
        within_seconds=house.within_seconds if within is None else within,
        short_abandon_seconds=house.short_abandon_seconds if short is None else short,
    )


async def unshown(connection: "Connection", asked: Asked) -> dict[CounselorId, datetime]:
    """Whose phone rings, and since when, while no console says that it shows the call."""
    return await rings_untold(connection, asked.tenant, OFFER_SEEN, asked.now - _SHOWN_WITHIN)


def midnight(now: datetime) -> datetime:
    """When the day began in Shanghai."""
    return start_of_day(local_date(now, _HERE), _HERE)


async def _now(connection: "Connection", asked: Asked) -> NowView:
    tenant, now = asked.tenant, asked.now
    queues = await queue_lengths(connection, tenant)
    calls = await live_by_state(connection, tenant)
    present = await list_present(connection, tenant, now, limit=_COUNSELORS_COUNTED)
    activities = [activity_of(counselor, engaged, now) for counselor, engaged in present]
    stuck = await stuck_calls(connection, tenant, now, limit=_STUCK_SHOWN)
    return NowView(
        waiting=sum(queue.waiting for queue in queues),
        longest_since=min((queue.longest_since for queue in queues), default=None),
        between_attempts=calls.get(CallState.WAITING, 0),
        ringing=calls.get(CallState.RINGING_FIRST, 0) + calls.get(CallState.RINGING_SECOND, 0),
        talking=calls.get(CallState.BRIDGED, 0),
        parted=calls.get(CallState.PARTED, 0),
        in_crisis=await count_in_crisis(connection, tenant),
        counselors={activity: activities.count(activity) for activity in Activity},
        not_showing=len(await unshown(connection, asked)),
        stuck=[StuckView(call=call, since=since) for call, since in stuck],
    )


def _today(row: "Record", level: ServiceLevel) -> TodayView:
    return TodayView(
        program=row["program"],
        offered=row["offered"],
        under_way=row["under_way"],
        answered=row["connected"],
        abandoned=row["abandoned"],
        abandoned_short=row["abandoned_short"],
        blocked=row["blocked"],
        attempts=row["counted_attempts"],
        service_level=ServiceLevelView(
            within_seconds=level.within_seconds,
            short_abandon_seconds=level.short_abandon_seconds,
            answered_in_time=row["answered_in_time"],
            counted=row["service_level_counted"],
            percent=_percent(row),
            formula=_formula(level),
        ),
        answer_seconds=AnswerTimeView(
            mean=row["mean_seconds"],
            p50=row["p50_seconds"],
            p90=row["p90_seconds"],
            p99=row["p99_seconds"],
        ),
        verdicts={kind: row[kind] for kind in VerdictKind},
    )


def _half_hour(row: "Record") -> HalfHourView:
    return HalfHourView(
        weekday=row["weekday"],
        half_hour=row["half_hour"],
        offered=row["offered"],
        answered=row["connected"],
        abandoned=row["abandoned"],
        blocked=row["blocked"],
        percent=_percent(row),
        mean_seconds=row["mean_seconds"],
    )


def _percent(row: "Record") -> float | None:
    counted = row["service_level_counted"]
    return round(100 * row["answered_in_time"] / counted, 1) if counted else None


def _formula(level: ServiceLevel) -> TextView:
    within, short = level.within_seconds, level.short_abandon_seconds
    return TextView(
        zh=f"{within} 秒内接通 ÷（呼入总数 − 尚未接通的 − {short} 秒内放弃）",
        en=f"connected within {within} s / (offered - under way - given up within {short} s)",
    )
