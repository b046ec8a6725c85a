"""Limits that several processes keep together: what counts is marked in rows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from routing.limits import Limit, allowed_from
from terms.ids import TenantId

if TYPE_CHECKING:
    from routing.store.connection import Connection

LONGEST_WINDOW = timedelta(days=1)


async def mark_if_allowed(
    connection: "Connection",
    tenant: TenantId,
    kind: str,
    subject: bytes,
    limits: Sequence[Limit],
    now: datetime,
) -> datetime | None:
    """Count one more and return None, or count nothing and return when one more is allowed.

    The limits' windows are at most a day. Holds the subject until the transaction ends, so that two
    at once cannot both be the last one.
    """
    await hold_subject(connection, tenant, kind, subject)
    times = await marked_times(connection, tenant, kind, subject, now)
    wait_until = allowed_from(times, limits, now)
    if wait_until is None:
        await add_mark(connection, tenant, kind, subject, now)
    return wait_until


async def hold_subject(
    connection: "Connection", tenant: TenantId, kind: str, subject: bytes
) -> None:
    """Make others that count the same subject wait until this transaction ends."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
        f"rate:{tenant}:{kind}:{subject.hex()}",
    )


async def marked_times(
    connection: "Connection", tenant: TenantId, kind: str, subject: bytes, now: datetime
) -> tuple[datetime, ...]:
    """When it was done within the last day, oldest first."""
    rows = await connection.fetch(
        """SELECT at FROM rate_marks
           WHERE tenant = $1 AND kind = $2 AND subject = $3 AND at > $4 ORDER BY at""",
        *(tenant, kind, subject, now - LONGEST_WINDOW),
    )
    return tuple(row["at"] for row in rows)


async def add_mark(
    connection: "Connection", tenant: TenantId, kind: str, subject: bytes, now: datetime
) -> None:
    """Count one."""
    await add_marks(connection, tenant, kind, subject, now, 1)


async def add_marks(
    connection: "Connection",
    tenant: TenantId,
    kind: str,
    subject: bytes,
    now: datetime,
    count: int,
) -> None:
    """Count several at once: what is done weighs so much."""
    await connection.execute(
        """INSERT INTO rate_marks (tenant, kind, subject, at)
           SELECT $1, $2, $3, $4 FROM generate_series(1, $5)""",
        *(tenant, kind, subject, now, count),
    )


async def forget_old_marks(connection: "Connection", now: datetime) -> None:
    """Drop what no limit looks at any more."""
    await connection.execute("DELETE FROM rate_marks WHERE at <= $1", now - LONGEST_WINDOW)
