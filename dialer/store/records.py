"""Legs of a month: what they cost by our clock, and by the carrier's own records.

`gather_legs` reads the month once, into a table that the transaction drops; the sums and the
differences are read from there.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dialer.records import CLOCKS_DIFFER_SECONDS, CarrierRecord, Difference
from terms.ids import TenantId

if TYPE_CHECKING:
    from dialer.store.connection import Connection, Record

CARRIER_SUMS = (
    "legs",
    "answered_legs",
    "billed_seconds",
    "recorded_legs",
    "recorded_seconds",
    "differing_legs",
)
"""The figures of one carrier; the last three are None where it gave no records."""

_LONGEST_CALL = timedelta(days=3)
"""No call rings on for longer than this after it began."""

_COLUMNS = ("carrier", "leg", "started_at", "billed_seconds", "unit_seconds")


PATIENCE_SECONDS = 600.0
"""How long a month may take, on however slow a machine."""


async def note_carrier(
    connection: "Connection", tenant: TenantId, carrier: str, now: datetime
) -> None:
    """From now on this installation's legs go through `carrier`. Said again, it changes nothing."""
    await connection.execute(
        """INSERT INTO carriers_in_use (tenant, since, carrier)
           SELECT $1, $3, $2 WHERE $2 IS DISTINCT FROM (
               SELECT carrier FROM carriers_in_use WHERE tenant = $1 ORDER BY since DESC LIMIT 1)
           ON CONFLICT DO NOTHING""",
        *(tenant, carrier, now),
    )


async def add_records(
    connection: "Connection",
    tenant: TenantId,
    carrier: str,
    records: Iterable[CarrierRecord],
    now: datetime,
) -> int:
    """Take in what the carrier recorded; how many legs that are.

    A leg told again takes the place of what was told before; what was told twice at once is the
    caller's to refuse (`told_twice`).
    """
    await connection.execute(
        """CREATE TEMPORARY TABLE told (carrier text, leg text, started_at timestamptz,
               billed_seconds integer, unit_seconds integer) ON COMMIT DROP"""
    )
    await connection.copy_records_to_table(
        "told",
        columns=list(_COLUMNS),
        records=(
            (carrier, one.leg, one.started_at, one.billed_seconds, one.unit_seconds)
            for one in records
        ),
    )
    taken: int = await connection.fetchval(
        """WITH taken AS (
               INSERT INTO carrier_records (tenant, carrier, leg, started_at, billed_seconds,
                   unit_seconds, imported_at)
               SELECT DISTINCT ON (leg) $1, carrier, leg, started_at, billed_seconds,
                   unit_seconds, $2::timestamptz
               FROM told ORDER BY leg
               ON CONFLICT (tenant, carrier, leg) DO UPDATE SET
                   started_at = excluded.started_at, billed_seconds = excluded.billed_seconds,
                   unit_seconds = excluded.unit_seconds, imported_at = excluded.imported_at
               RETURNING 1)
           SELECT count(*) FROM taken""",
        *(tenant, now),
    )
    return taken


async def told_twice(connection: "Connection") -> str | None:
    """A leg that the last `add_records` of this transaction was told of twice."""
    leg: str | None = await connection.fetchval(
        "SELECT leg FROM told GROUP BY leg HAVING count(*) > 1 LIMIT 1"
    )
    return leg


async def gather_legs(
    connection: "Connection",
    tenant: TenantId,
    installation: TenantId,
    since: datetime,
    until: datetime,
) -> None:
    """Lay out what `carrier_sums` and `leg_differences` read: every leg rung in that time, held
    against the carrier's record of it. What a leg cost is what `use_of` says, and what differs what
    `difference` says. Legs of before the first carrier that was noted are taken for that one's.
    """
    gathering: str = await connection.fetchval(
        f"SELECT format($gathering${_GATHERING}$gathering$, $1::text, $2::text, $3::timestamptz,"
        " $4::timestamptz, $5::timestamptz)",
        *(tenant, installation, since, until, since - _LONGEST_CALL),
    )
    await connection.execute(gathering, timeout=PATIENCE_SECONDS)


async def carrier_sums(connection: "Connection") -> "list[Record]":
    """A row per carrier: `carrier` and CARRIER_SUMS, of what was gathered."""
    return await connection.fetch(
        f"SELECT carrier, {', '.join(CARRIER_SUMS)} FROM leg_report WHERE leg IS NULL ORDER BY 1"
    )


async def leg_differences(connection: "Connection") -> "AsyncIterator[Record]":
    """A row per leg that differs: `carrier`, `leg`, `difference` and the seconds of both."""
    rows = connection.cursor(
        """SELECT carrier, leg, difference, billed_seconds, recorded_seconds
           FROM leg_report WHERE leg IS NOT NULL ORDER BY carrier, leg""",
        prefetch=1000,
        timeout=PATIENCE_SECONDS,
    )
    async for row in rows:
        yield row


DIFFERING = f"""
    CASE
        WHEN recorded_seconds IS NULL THEN
            CASE WHEN answered AND gives_records THEN '{Difference.MISSING}' END
        WHEN NOT ours THEN CASE WHEN recorded_seconds > 0 THEN '{Difference.UNKNOWN}' END
        WHEN NOT answered THEN CASE WHEN recorded_seconds > 0 THEN '{Difference.ANSWERED}' END
        WHEN recorded_seconds = 0 AND billed_seconds > {CLOCKS_DIFFER_SECONDS}
            THEN '{Difference.ANSWERED}'
        WHEN recorded_seconds NOT BETWEEN
            (greatest(billed_seconds - {CLOCKS_DIFFER_SECONDS}, 0) + unit_seconds - 1)
                / unit_seconds * unit_seconds
            AND (billed_seconds + {CLOCKS_DIFFER_SECONDS} + unit_seconds - 1)
                / unit_seconds * unit_seconds
            THEN '{Difference.SECONDS}'
    END"""
"""`difference` in SQL, over the columns of `held_against`."""

# A statement that makes a table takes no arguments, but several processes of the server work on it:
# the arguments are quoted into it (%L) by the server itself.
_GATHERING = f"""
    CREATE TEMPORARY TABLE leg_report ON COMMIT DROP AS
    WITH periods AS (
        SELECT carrier, lead(since) OVER earlier AS until,
            CASE WHEN lag(since) OVER earlier IS NULL THEN '-infinity' ELSE since END AS since
        FROM carriers_in_use WHERE tenant = %2$L WINDOW earlier AS (ORDER BY since)
    ), rung AS MATERIALIZED (
        SELECT leg, rung_at, answered_at IS NOT NULL AS answered, coalesce(greatest(
                floor(date_part('epoch', gone_at - answered_at)), 0), 0)::integer AS billed_seconds
        FROM (
            SELECT one->>'id' AS leg, (one->>'rung_at')::timestamptz AS rung_at,
                (one->>'answered_at')::timestamptz AS answered_at,
                coalesce(one->'release'->>0, one->>'let_go_at')::timestamptz AS gone_at
            FROM calls, jsonb_array_elements(record->'legs') AS one
            WHERE tenant = %1$L AND started_at >= %5$L AND started_at < %4$L
        ) AS told
        WHERE rung_at >= %3$L AND rung_at < %4$L
    ), ours AS (
        SELECT coalesce(periods.carrier, '') AS carrier, leg, answered, billed_seconds
        FROM rung LEFT JOIN periods
            ON rung_at >= periods.since AND (periods.until IS NULL OR rung_at < periods.until)
    ), theirs AS NOT MATERIALIZED (
        SELECT carrier, leg, billed_seconds AS recorded_seconds, unit_seconds FROM carrier_records
        WHERE tenant = %1$L AND started_at >= %3$L AND started_at < %4$L
    ), giving AS MATERIALIZED (
        SELECT DISTINCT carrier FROM theirs
    ), held_against AS (
        SELECT carrier, leg, ours.leg IS NOT NULL AS ours, coalesce(answered, false) AS answered,
            coalesce(billed_seconds, 0) AS billed_seconds, recorded_seconds, unit_seconds,
            carrier IN (SELECT carrier FROM giving) AS gives_records
        FROM ours FULL JOIN theirs USING (leg, carrier)
    ), compared AS MATERIALIZED (
        SELECT *, {DIFFERING} AS difference FROM held_against
    )
    SELECT carrier, NULL AS leg, NULL AS difference,
        count(*) FILTER (WHERE ours)::integer AS legs,
        count(*) FILTER (WHERE answered)::integer AS answered_legs,
        sum(billed_seconds)::bigint AS billed_seconds,
        CASE WHEN gives_records THEN count(recorded_seconds) END AS recorded_legs,
        CASE WHEN gives_records THEN sum(recorded_seconds) END AS recorded_seconds,
        CASE WHEN gives_records THEN count(difference) END AS differing_legs
    FROM compared GROUP BY carrier, gives_records
    UNION ALL
    SELECT carrier, leg, difference, NULL, NULL, CASE WHEN ours THEN billed_seconds END, NULL,
        recorded_seconds, NULL
    FROM compared WHERE difference IS NOT NULL"""
