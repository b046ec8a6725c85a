"""Whose turn it is with an exclusive carrier, as the database keeps it."""

from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import TenantId

if TYPE_CHECKING:
    from asyncpg import Connection, Record
    from asyncpg.pool import PoolConnectionProxy

    Line = Connection[Record] | PoolConnectionProxy[Record]

CHANNEL = "warmline_carrier"
"""NOTIFY: orders wait for the holder, or nobody holds the carrier any more."""


async def take_turn(
    connection: "Line",
    tenant: TenantId,
    *,
    carrier: str,
    holder: str,
    seconds: float,
    now: datetime | None = None,
) -> int | None:
    """Take the carrier or keep it for `seconds` more; gives the fencing number, None if another
    has it. It stays the same while nobody else had it.

    `now` is for tests: otherwise the database's own clock decides, so that no two machines have to
    agree about the time.
    """
    fencing: int | None = await connection.fetchval(
        """INSERT INTO carrier_holders AS kept
               (tenant, carrier, holder, fencing, taken_at, lease_until)
           SELECT $1, $2, $3, 1, at, at + make_interval(secs => $4)
           FROM (SELECT coalesce($5, clock_timestamp()) AS at) AS clock
           ON CONFLICT (carrier) DO UPDATE
           SET tenant = excluded.tenant, holder = excluded.holder,
               lease_until = excluded.lease_until,
               fencing = kept.fencing + (kept.holder <> excluded.holder)::int,
               taken_at = CASE WHEN kept.holder = excluded.holder THEN kept.taken_at
                               ELSE excluded.taken_at END
           WHERE kept.holder = excluded.holder OR kept.lease_until <= excluded.taken_at
           RETURNING fencing""",
        *(tenant, carrier, holder, seconds, now),
    )
    return fencing


async def give_turn_up(
    connection: "Line", *, carrier: str, holder: str, now: datetime | None = None
) -> None:
    """Let others have the carrier at once, and tell them. Nothing happens if another has it."""
    given_up = await connection.fetchval(
        """UPDATE carrier_holders SET lease_until = coalesce($3, clock_timestamp())
           WHERE carrier = $1 AND holder = $2 RETURNING true""",
        *(carrier, holder, now),
    )
    if given_up:
        await ring_bell(connection)


async def ring_bell(connection: "Line") -> None:
    """Wake whoever holds the carrier, or waits for it.

    Never inside a transaction that decides: one that notifies commits alone (ADR 0006).
    """
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
