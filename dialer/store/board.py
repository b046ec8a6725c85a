"""The calls of today and of this moment in figures, for those who watch over the house."""

from datetime import datetime
from typing import TYPE_CHECKING

from dialer.call import State
from dialer.store.figures import CALL_FIGURES, counting
from terms.ids import CallId, TenantId

if TYPE_CHECKING:
    from dialer.store.connection import Connection

STUCK_SECONDS = 60
"""A live call of which a timer is overdue by more than this does not go on by itself."""

_SECONDS = {"p50_seconds": 0.5, "p90_seconds": 0.9, "p99_seconds": 0.99}

BOARD_FIGURES = (*CALL_FIGURES, "mean_seconds", *_SECONDS)
"""What `board_figures` gives. Seconds are those from the dial to the bridge; null without one."""


def board_figures(within_seconds: str, short_abandon_seconds: str) -> str:
    """BOARD_FIGURES of the rows of `told` that are grouped together."""
    return ", ".join(
        (
            counting(within_seconds, short_abandon_seconds),
            "avg(seconds)::float8 AS mean_seconds",
            *(
                f"percentile_cont({share}) WITHIN GROUP (ORDER BY seconds)::float8 AS {name}"
                for name, share in _SECONDS.items()
            ),
        )
    )


def reading_rings(tenant: str, until: str) -> str:
    """The part of a WITH that reads whose phones ring since before then: `rung`, a row for each.

    Both are named by SQL expressions. A row tells the counselor, the order, the leg and `rung_at`.
    Who took the call, at the phone or in the console, is rung no more.
    """
    return f"""
    rung AS (
        SELECT counselor, order_id, one->>'id' AS leg, (one->>'rung_at')::timestamptz AS rung_at
        FROM calls, jsonb_array_elements(record->'legs') AS one
        WHERE tenant = {tenant} AND counselor IS NOT NULL AND state <> 'bridged'
          AND one->>'role' = 'counselor' AND one->>'party' = counselor
          AND one->>'accepted_at' IS NULL AND one->>'bridged_at' IS NULL
          AND one->'release'->>0 IS NULL AND one->>'let_go_at' IS NULL
          AND (one->>'rung_at')::timestamptz <= {until}
    )"""


async def live_by_state(connection: "Connection", tenant: TenantId) -> dict[State, int]:
    """How many live calls stand in which state."""
    rows = await connection.fetch(
        """SELECT state, count(*) AS calls FROM calls
           WHERE tenant = $1 AND state <> 'ended' GROUP BY state""",
        tenant,
    )
    return {State(row["state"]): int(row["calls"]) for row in rows}


async def count_in_crisis(connection: "Connection", tenant: TenantId) -> int:
    """How many live calls have somebody in danger on the line."""
    counted = await connection.fetchval(
        """SELECT count(*) FROM calls
           WHERE tenant = $1 AND state <> 'ended' AND (record->>'crisis')::boolean""",
        tenant,
    )
    return int(counted)


async def stuck_calls(
    connection: "Connection", tenant: TenantId, now: datetime, *, limit: int
) -> list[tuple[CallId, datetime]]:
    """Live calls that do not go on by themselves, and since when; the longest first."""
    rows = await connection.fetch(
        """SELECT timers.call, min(timers.due_at) AS since
           FROM timers JOIN calls ON calls.tenant = timers.tenant AND calls.id = timers.call
           WHERE timers.tenant = $1 AND calls.state <> 'ended'
             AND timers.due_at < $2::timestamptz - make_interval(secs => $3)
           GROUP BY timers.call ORDER BY since, timers.call LIMIT $4""",
        *(tenant, now, STUCK_SECONDS, limit),
    )
    return [(CallId(row["call"]), row["since"]) for row in rows]
