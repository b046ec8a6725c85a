"""The places of calls that wait for a pool's counselor. The order is `routing.queue.rank`."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from routing.queue import Length, Place
from terms.ids import CallId, CounselorId, ProgramId, TenantId

if TYPE_CHECKING:
    from routing.store.connection import Connection, Record

_IN_ORDER = 'crisis DESC, priority DESC, joined_at, call COLLATE "C"'


async def join_queue(connection: "Connection", tenant: TenantId, place: Place) -> None:
    """Wait. A call that waits already keeps its time and takes the new priority and crisis."""
    await connection.execute(
        """INSERT INTO queue_places (tenant, call, program, priority, crisis, joined_at, prefers)
           VALUES ($1, $2, $3, $4, $5, $6, $7)
           ON CONFLICT (tenant, call) DO UPDATE
             SET priority = excluded.priority, crisis = excluded.crisis,
                 prefers = excluded.prefers""",
        *(tenant, place.call, place.program, place.priority, place.crisis, place.joined_at),
        place.prefers,
    )


async def leave_queue(connection: "Connection", tenant: TenantId, call: CallId) -> bool:
    """Wait no longer; whether the call did wait."""
    status = await connection.execute(
        "DELETE FROM queue_places WHERE tenant = $1 AND call = $2", tenant, call
    )
    return status != "DELETE 0"


async def queue_heads(
    connection: "Connection",
    tenant: TenantId,
    program: ProgramId,
    *,
    without: Collection[CallId] = (),
    limit: int = 1,
) -> list[Place]:
    """The first of the queue, unlocked: lock the call next, then see whether it still waits.

    Calls in `without` are passed over.
    """
    rows = await connection.fetch(
        f"""SELECT * FROM queue_places
            WHERE tenant = $1 AND program = $2 AND call <> ALL ($4::text[])
            ORDER BY {_IN_ORDER} LIMIT $3""",
        *(tenant, program, limit, list(without)),
    )
    return [_place(row) for row in rows]


async def load_place(connection: "Connection", tenant: TenantId, call: CallId) -> Place | None:
    """Where a call waits, if it does."""
    row = await connection.fetchrow(
        "SELECT * FROM queue_places WHERE tenant = $1 AND call = $2", tenant, call
    )
    return _place(row) if row is not None else None


async def queue_position(connection: "Connection", tenant: TenantId, call: CallId) -> int | None:
    """1 for the head (D15); None when the call does not wait."""
    ahead = await connection.fetchval(
        """SELECT (SELECT count(*) FROM queue_places other
                   WHERE other.tenant = mine.tenant AND other.program = mine.program
                     AND (NOT other.crisis, -other.priority, other.joined_at,
                          other.call COLLATE "C")
                       < (NOT mine.crisis, -mine.priority, mine.joined_at, mine.call COLLATE "C"))
           FROM queue_places mine WHERE tenant = $1 AND call = $2""",
        *(tenant, call),
    )
    return None if ahead is None else int(ahead) + 1


async def waiting_programs(connection: "Connection") -> list[tuple[TenantId, ProgramId]]:
    """Where anybody waits: what a sweep at start has to look at."""
    rows = await connection.fetch("SELECT DISTINCT tenant, program FROM queue_places")
    return [(TenantId(row["tenant"]), ProgramId(row["program"])) for row in rows]


async def queue_lengths(connection: "Connection", tenant: TenantId) -> list[Length]:
    """How long each queue of the tenant is in which anybody waits."""
    rows = await connection.fetch(
        """SELECT program, count(*) AS waiting, count(*) FILTER (WHERE crisis) AS in_crisis,
                  min(joined_at) AS longest_since
           FROM queue_places WHERE tenant = $1 GROUP BY program ORDER BY program""",
        tenant,
    )
    return [
        Length(
            program=ProgramId(row["program"]),
            waiting=row["waiting"],
            in_crisis=row["in_crisis"],
            longest_since=row["longest_since"],
        )
        for row in rows
    ]


def _place(row: "Record") -> Place:
    prefers = row["prefers"]
    return Place(
        call=CallId(row["call"]),
        program=ProgramId(row["program"]),
        joined_at=row["joined_at"],
        priority=row["priority"],
        crisis=row["crisis"],
        prefers=CounselorId(prefers) if prefers is not None else None,
    )
