"""What the carrier on Twilio keeps: lines by their leg, events by their key."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dialer.carriers.twilio.events import Event, Kind
from dialer.carriers.twilio.line import Ended, Line
from terms.ids import LegId, TenantId
from terms.phone import Seal

if TYPE_CHECKING:
    from dialer.store.connection import Connection, Record

_MOMENTS = ("asked_at", "answered_at", "let_go_at")
_PLAIN = tuple(one.name for one in fields(Line) if one.name not in (*_MOMENTS, "ended", "shown"))
_LINE_COLUMNS = "record, shown_sealed"


@dataclass(frozen=True, slots=True)
class Found:
    """A line as it was read or written, and which state of its row that was."""

    line: Line
    state: int


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of a line that was found so, and an event of that leg to be kept with it."""

    found: Found
    after: Line
    event: Event | None


Written = tuple[Found | None, bool]
"""The line as it is now; None where somebody else changed it since it was found. With it, whether
its event is new."""


async def add_line(
    connection: "Connection", seal: Seal, tenant: TenantId, line: Line
) -> Found | None:
    """Keep a new line; None if there is one of this leg."""
    state = await connection.fetchval(
        """INSERT INTO twilio_lines (tenant, leg, sid, record, shown_sealed, asked_at, ended_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING xmin""",
        *(tenant, line.leg, line.sid, write_line(line)),
        None if line.shown is None else seal.seal(line.shown),
        *(line.asked_at, None if line.ended is None else line.ended.at),
    )
    return None if state is None else Found(line, state)


async def load_line(
    connection: "Connection", seal: Seal, tenant: TenantId, leg: LegId
) -> Line | None:
    """The line of a leg."""
    row = await connection.fetchrow(
        f"SELECT {_LINE_COLUMNS} FROM twilio_lines WHERE tenant = $1 AND leg = $2",
        *(tenant, leg),
    )
    return None if row is None else _line(row, seal)


async def find_line(
    connection: "Connection", seal: Seal, tenant: TenantId, leg: LegId
) -> Found | None:
    """The line of a leg, to be changed by `change_lines`."""
    row = await connection.fetchrow(
        f"SELECT {_LINE_COLUMNS}, xmin FROM twilio_lines WHERE tenant = $1 AND leg = $2",
        *(tenant, leg),
    )
    return None if row is None else Found(_line(row, seal), row["xmin"])


async def change_lines(
    connection: "Connection", seal: Seal, tenant: TenantId, changes: Sequence[Change]
) -> dict[LegId, Written]:
    """Write lines, each of another leg, and keep the event of each: by leg, what became of it.

    One that somebody else changed since it was found is left as it is, and has no event.
    """
    events = [one.event for one in changes if one.event is not None]
    rows = await connection.fetch(
        """WITH line AS (
               UPDATE twilio_lines AS known
               SET sid = new.sid, record = new.record, asked_at = new.asked_at,
                   ended_at = new.ended_at
               FROM unnest($2::text[], $3::xid[], $4::text[], $5::jsonb[], $6::timestamptz[],
                       $7::timestamptz[]) AS new (leg, state, sid, record, asked_at, ended_at)
               WHERE known.tenant = $1 AND known.leg = new.leg AND known.xmin = new.state
               RETURNING known.leg, known.xmin AS state
           ), event AS (
               INSERT INTO twilio_events
                 (tenant, key, kind, leg, sid, at, fields, caller_sealed, received_at)
               SELECT $1, told.*
               FROM unnest($8::text[], $9::text[], $10::text[], $11::text[], $12::timestamptz[],
                       $13::jsonb[], $14::bytea[], $15::timestamptz[])
                   AS told (key, kind, leg, sid, at, fields, caller_sealed, received_at)
               WHERE told.leg IN (SELECT leg FROM line)
               ON CONFLICT DO NOTHING RETURNING leg
           )
           SELECT leg, state, leg IN (SELECT leg FROM event) AS is_new FROM line""",
        tenant,
        *_columns(6, [_columns_of_change(one) for one in changes]),
        *_columns(8, [_columns_of(event, seal) for event in events]),
    )
    after = {one.after.leg: one.after for one in changes}
    return {
        row["leg"]: (Found(after[row["leg"]], row["state"]), bool(row["is_new"])) for row in rows
    }


async def forget_line(connection: "Connection", tenant: TenantId, line: Line) -> None:
    """Drop a line that has no call, unless somebody asked for one since."""
    await connection.execute(
        """DELETE FROM twilio_lines
           WHERE tenant = $1 AND leg = $2 AND sid IS NULL AND record->>'asked_by' = $3""",
        *(tenant, line.leg, line.asked_by),
    )


async def standing_lines(
    connection: "Connection", seal: Seal, tenant: TenantId
) -> tuple[Line, ...]:
    """Every line that has not ended."""
    rows = await connection.fetch(
        f"SELECT {_LINE_COLUMNS} FROM twilio_lines WHERE tenant = $1 AND ended_at IS NULL",
        tenant,
    )
    return tuple(_line(row, seal) for row in rows)


async def known_sids(
    connection: "Connection", tenant: TenantId, sids: Collection[str]
) -> frozenset[str]:
    """Which of these calls at Twilio are lines of ours."""
    rows = await connection.fetch(
        "SELECT sid FROM twilio_lines WHERE tenant = $1 AND sid = ANY($2::text[])",
        *(tenant, list(sids)),
    )
    return frozenset(row["sid"] for row in rows)


async def legs_of_sids(
    connection: "Connection", tenant: TenantId, sids: Collection[str]
) -> dict[str, LegId]:
    """Which legs these calls at Twilio are, as long as their lines are kept."""
    rows = await connection.fetch(
        "SELECT sid, leg FROM twilio_lines WHERE tenant = $1 AND sid = ANY($2::text[])",
        *(tenant, list(sids)),
    )
    return {row["sid"]: LegId(row["leg"]) for row in rows}


async def add_event(
    connection: "Connection",
    seal: Seal,
    tenant: TenantId,
    event: Event,
    told_at: datetime | None = None,
) -> bool:
    """Keep an event; False if it was kept before."""
    added = await connection.fetchval(
        """INSERT INTO twilio_events
             (tenant, key, kind, leg, sid, at, fields, caller_sealed, received_at, told_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           ON CONFLICT DO NOTHING RETURNING true""",
        *(tenant, *_columns_of(event, seal), told_at),
    )
    return added is True


async def untold_events(
    connection: "Connection", seal: Seal, tenant: TenantId, before: datetime
) -> tuple[Event, ...]:
    """Events received before then that are not told yet, as they came."""
    rows = await connection.fetch(
        """SELECT key, kind, leg, sid, at, fields, caller_sealed, received_at FROM twilio_events
           WHERE tenant = $1 AND told_at IS NULL AND received_at < $2
           ORDER BY received_at, key""",
        *(tenant, before),
    )
    return tuple(_event(row, seal) for row in rows)


async def told_events(
    connection: "Connection", tenant: TenantId, keys: Collection[str], now: datetime
) -> None:
    """Events are told; who dialled in is known to others from now on and here no more."""
    await connection.execute(
        """UPDATE twilio_events SET told_at = $3, caller_sealed = NULL
           WHERE tenant = $1 AND key = ANY($2::text[])""",
        *(tenant, list(keys), now),
    )


async def prune(connection: "Connection", tenant: TenantId, before: datetime) -> int:
    """Drop lines that ended or came to nothing before then, and events as old; how many."""
    gone = await connection.fetchval(
        """WITH lines AS (
               DELETE FROM twilio_lines
               WHERE tenant = $1 AND asked_at < $2
                 AND (ended_at IS NOT NULL OR sid IS NULL)
               RETURNING 1
           ), events AS (
               DELETE FROM twilio_events
               WHERE tenant = $1 AND received_at < $2 AND told_at IS NOT NULL
               RETURNING 1
           )
           SELECT (SELECT count(*) FROM lines) + (SELECT count(*) FROM events)""",
        *(tenant, before),
    )
    return int(gone)


def write_line(line: Line) -> str:
    """A line as it is kept: without the number that is kept under seal."""
    table = {name: getattr(line, name) for name in _PLAIN}
    table |= {name: _moment(getattr(line, name)) for name in _MOMENTS}
    if (ended := line.ended) is not None:
        table["ended"] = [ended.at.isoformat(), ended.status, ended.seconds, ended.sip]
    return json.dumps({name: value for name, value in table.items() if value is not None})


def read_line(body: str) -> Line:
    """The line that `write_line` wrote."""
    table: dict[str, Any] = json.loads(body)
    for name in _MOMENTS:
        if name in table:
            table[name] = datetime.fromisoformat(table[name])
    if (ended := table.get("ended")) is not None:
        at, status, seconds, sip = ended
        at = datetime.fromisoformat(at)
        table["ended"] = Ended(at=at, status=status, seconds=seconds, sip=sip)
    return Line(**{**table, "pending": tuple(table.get("pending", ()))})


def _columns_of_change(change: Change) -> tuple[object, ...]:
    line = change.after
    ended_at = None if line.ended is None else line.ended.at
    return line.leg, change.found.state, line.sid, write_line(line), line.asked_at, ended_at


def _columns(count: int, rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """Rows, turned: so many columns even where there is none."""
    return [[row[at] for row in rows] for at in range(count)]


def _columns_of(event: Event, seal: Seal) -> tuple[object, ...]:
    return (
        *(event.key, event.kind, event.leg, event.sid, event.at),
        json.dumps(dict(event.fields), ensure_ascii=False),
        None if event.caller is None else seal.seal(event.caller),
        event.received_at,
    )


def _line(row: "Record", seal: Seal) -> Line:
    line, sealed = read_line(row["record"]), row["shown_sealed"]
    return line if sealed is None else replace(line, shown=seal.open(sealed))


def _event(row: "Record", seal: Seal) -> Event:
    sealed = row["caller_sealed"]
    return Event(
        key=row["key"],
        kind=Kind(row["kind"]),
        leg=None if row["leg"] is None else LegId(row["leg"]),
        at=row["at"],
        sid=row["sid"],
        fields=json.loads(row["fields"]),
        received_at=row["received_at"],
        caller=None if sealed is None else seal.open(sealed),
    )


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
