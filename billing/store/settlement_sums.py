"""The settlement's sums, over whole months. PostgreSQL adds up; what counts is the core's word.

Every figure sums entries or lines that were *written* in the month, so that a month that is over
never changes. A row names the month it is about in `for_month`; an earlier one is a correction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.settlement import Grade
from terms.ids import TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

COUNSELOR_SUMS = (
    "calls",
    "effective_calls",
    "short_calls",
    "resumed_calls",
    "given_back_calls",
    "talk_seconds",
)
PROGRAM_SUMS = (
    "calls",
    "vouchers_issued",
    "vouchers_used",
    "vouchers_returned",
    "vouchers_reissued",
    "vouchers_expired",
    "vouchers_voided",
    "granted_seconds",
    "talked_seconds",
    "lapsed_seconds",
    "quota_uses",
)

PATIENCE_SECONDS = 600.0
"""How long a month may take, on however slow a machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What a month is for one program: the bounds in its zone. `sponsor` pays unless a policy of
    another sponsor's is behind the voucher or the order.
    """

    program: str
    sponsor: str
    zone: str
    since: datetime
    until: datetime


async def programs_in_use(connection: "Connection", tenant: TenantId) -> list[str]:
    """Every program that something was ever counted for, be its file still there or not."""
    rows = await connection.fetch(
        """SELECT program FROM program_versions WHERE tenant = $1
           UNION SELECT program FROM vouchers WHERE tenant = $1 ORDER BY 1""",
        tenant,
        timeout=PATIENCE_SECONDS,
    )
    return [row["program"] for row in rows]


async def counselor_sums(
    connection: "Connection", tenant: TenantId, month: str, spans: Sequence[Span]
) -> "list[Record]":
    """A row per month concerned, sponsor, program and counselor, with COUNSELOR_SUMS."""
    return await connection.fetch(
        _COUNSELORS, *_arguments(tenant, month, spans), timeout=PATIENCE_SECONDS
    )


async def program_sums(
    connection: "Connection", tenant: TenantId, month: str, spans: Sequence[Span]
) -> "list[Record]":
    """A row per month concerned, sponsor and program, with PROGRAM_SUMS.

    An entry that takes units out of an account where they were used, talked or let go corrects the
    entry that put them there, and is about that one's month.
    """
    return await connection.fetch(
        _PROGRAMS, *_arguments(tenant, month, spans), timeout=PATIENCE_SECONDS
    )


def naming_programs(tenant: str) -> str:
    """The part of a WITH that names the program of every order, `named`.

    The tenant is named by an SQL expression.
    """
    return f"named AS (SELECT id AS order_id, program FROM orders WHERE tenant = {tenant})"


def _arguments(tenant: TenantId, month: str, spans: Sequence[Span]) -> tuple[object, ...]:
    return (
        tenant,
        month,
        [span.program for span in spans],
        [span.sponsor for span in spans],
        [span.zone for span in spans],
        [span.since for span in spans],
        [span.until for span in spans],
        min(span.since for span in spans),
        max(span.until for span in spans),
    )


_SPANS = """
    spans AS (
        SELECT * FROM unnest($3::text[], $4::text[], $5::text[], $6::timestamptz[],
            $7::timestamptz[]) AS span (program, sponsor, zone, since, until)
    )"""

_IN_SIGHT = "at >= $8 AND at < $9"

# A decision about a claim names the call. A voucher that was used and is taken out of use by other
# hands names the order, whose last talk it is held against; both at one instant are one decision.
_GIVEN_BACK = f"""
    claimed AS (
        SELECT order_id, call, at FROM claims CROSS JOIN LATERAL (VALUES
            (decision, decided_at), (appeal_decision, appeal_decided_at)) AS one (given, at)
        WHERE tenant = $1 AND call IS NOT NULL AND given IN ('resume', 'reissue')
    ), concerned AS (
        SELECT order_id FROM claimed WHERE {_IN_SIGHT}
        UNION
        SELECT order_id FROM ledger_entries
        WHERE tenant = $1 AND {_IN_SIGHT} AND from_account = 'consumed' AND units > 0
            AND book LIKE 'voucher/%' AND order_id IS NOT NULL
    ), decided AS (
        SELECT order_id, call, at FROM claimed JOIN concerned USING (order_id)
        UNION ALL
        SELECT entry.order_id, NULL, entry.at
        FROM concerned JOIN orders ON orders.tenant = $1 AND orders.id = concerned.order_id
        JOIN ledger_entries AS entry ON entry.tenant = $1
            AND entry.book = ('voucher/' || orders.voucher) COLLATE "C"
            AND entry.order_id = orders.id
        WHERE entry.from_account = 'consumed' AND entry.units > 0 AND NOT EXISTS (
            SELECT FROM claimed
            WHERE claimed.order_id = entry.order_id AND claimed.at = entry.at)
    ), given_back AS (
        SELECT DISTINCT ON (last.call) last.program, last.counselor, last.ended_at, last.to_grade,
            decided.at AS given_at
        FROM decided CROSS JOIN LATERAL (
            SELECT * FROM call_grades AS line
            WHERE line.tenant = $1 AND line.order_id = decided.order_id AND line.at <= decided.at
                AND (decided.call IS NULL OR line.call = decided.call)
            ORDER BY seq DESC LIMIT 1
        ) AS last
        WHERE last.to_grade <> '{Grade.NONE}'
        ORDER BY last.call, decided.at
    )"""


def _counted(condition: str) -> str:
    """How many calls came into the grades of the condition, less those that left them."""
    return f"""(count(*) FILTER (WHERE to_grade {condition})
        - count(*) FILTER (WHERE from_grade {condition}))"""


_COUNSELORS = f"""
    WITH {_SPANS}, {_GIVEN_BACK}, lines AS (
        SELECT program, counselor, ended_at, from_grade, to_grade, talked_seconds, at
        FROM call_grades WHERE tenant = $1 AND {_IN_SIGHT}
        UNION ALL
        SELECT program, counselor, ended_at, to_grade, '{Grade.GIVEN_BACK}', 0, given_at
        FROM given_back
    )
    SELECT CASE WHEN ended_at >= since THEN $2 ELSE to_char(ended_at AT TIME ZONE zone, 'YYYY-MM')
            END AS for_month,
        sponsor, program, counselor,
        {_counted(f"<> '{Grade.NONE}'")} AS calls,
        {_counted(f"= '{Grade.EFFECTIVE}'")} AS effective_calls,
        {_counted(f"= '{Grade.SHORT}'")} AS short_calls,
        {_counted(f"= '{Grade.RESUMED}'")} AS resumed_calls,
        {_counted(f"= '{Grade.GIVEN_BACK}'")} AS given_back_calls,
        sum(talked_seconds) AS talk_seconds
    FROM lines JOIN spans USING (program)
    WHERE at >= since AND at < until
    GROUP BY 1, 2, 3, 4 ORDER BY 1 DESC, 2, 3, 4"""

_TAKES_BACK = "from_account IN ('consumed', 'used', 'talked', 'lapsed')"

_POLICY_OF_ORDER = """
    LEFT JOIN policy_vouchers AS bought ON bought.tenant = $1 AND bought.voucher = orders.voucher
    LEFT JOIN order_entitlements AS owed ON owed.tenant = $1 AND owed.order_id = orders.id
    LEFT JOIN insurance_policies AS policy
        ON policy.tenant = $1 AND policy.id = coalesce(bought.policy, owed.policy)"""


def _entries(kind: str, subject: str) -> str:
    """Entries of one kind of book in the month, with what they are about."""
    return f"""
        SELECT '{kind}' AS kind, spans.program, coalesce(policy.sponsor, spans.sponsor) AS sponsor,
            zone, entry.book, entry.number, entry.from_account, entry.to_account, entry.units
        FROM ledger_entries AS entry {subject}
        WHERE entry.tenant = $1 AND {_IN_SIGHT} AND entry.book LIKE '{kind}/%' AND entry.units > 0
            AND at >= since AND at < until"""


_SUBJECTS = f"""
    subjects AS NOT MATERIALIZED (
        {
    _entries(
        "voucher",
        '''
            JOIN vouchers ON vouchers.tenant = $1
                AND vouchers.id = substr(entry.book, 9) COLLATE "default"
            JOIN spans ON spans.program = vouchers.program
            LEFT JOIN policy_vouchers AS bought
                ON bought.tenant = $1 AND bought.voucher = vouchers.id
            LEFT JOIN insurance_policies AS policy
                ON policy.tenant = $1 AND policy.id = bought.policy''',
    )
}
        UNION ALL
        {
    _entries(
        "talk",
        f'''
            JOIN orders ON orders.tenant = $1 AND orders.id = entry.order_id
            JOIN spans ON spans.program = orders.program {_POLICY_OF_ORDER}''',
    )
}
        UNION ALL
        {
    _entries(
        "quota",
        '''
            JOIN spans ON spans.program = split_part(entry.book, '/', 2) COLLATE "default"
            LEFT JOIN order_entitlements AS owed
                ON owed.tenant = $1 AND owed.order_id = entry.order_id
            LEFT JOIN insurance_policies AS policy
                ON policy.tenant = $1 AND policy.id = owed.policy''',
    )
}
    )"""

_PLACED = f"""
    placed AS (
        SELECT kind, program, sponsor, from_account, to_account, sum(units) AS units,
            $2 AS for_month
        FROM subjects WHERE NOT {_TAKES_BACK} GROUP BY 1, 2, 3, 4, 5
        UNION ALL
        SELECT kind, program, sponsor, from_account, to_account, units,
            to_char(put_at AT TIME ZONE zone, 'YYYY-MM')
        FROM subjects CROSS JOIN LATERAL (
            SELECT max(put.at) AS put_at FROM ledger_entries AS put
            WHERE put.tenant = $1 AND put.book = subjects.book AND put.number < subjects.number
                AND put.to_account = subjects.from_account AND put.units > 0
        ) AS earlier WHERE {_TAKES_BACK}
        UNION ALL
        SELECT 'call', call_grades.program, coalesce(policy.sponsor, spans.sponsor),
            CASE from_grade WHEN 'none' THEN 'none' ELSE 'talk' END,
            CASE to_grade WHEN 'none' THEN 'none' ELSE 'talk' END, count(*),
            CASE WHEN ended_at >= since THEN $2
                ELSE to_char(ended_at AT TIME ZONE zone, 'YYYY-MM') END
        FROM call_grades
        JOIN spans ON spans.program = call_grades.program
        JOIN orders ON orders.tenant = $1 AND orders.id = call_grades.order_id {_POLICY_OF_ORDER}
        WHERE call_grades.tenant = $1 AND {_IN_SIGHT} AND at >= since AND at < until
        GROUP BY 1, 2, 3, 4, 5, 7
    )"""


def _units(kind: str, account: str, *, net: bool = True) -> str:
    """What came into an account of that kind of book, less what left it if `net`."""
    came = f"coalesce(sum(units) FILTER (WHERE kind = '{kind}' AND to_account = '{account}'), 0)"
    if not net:
        return f"{came}::bigint"
    left = f"coalesce(sum(units) FILTER (WHERE kind = '{kind}' AND from_account = '{account}'), 0)"
    return f"({came} - {left})::bigint"


_PROGRAMS = f"""
    WITH {_SPANS}, {_SUBJECTS}, {_PLACED}
    SELECT for_month, sponsor, program,
        {_units("call", "talk")} AS calls,
        {_units("voucher", "issued", net=False)} AS vouchers_issued,
        {_units("voucher", "consumed")} AS vouchers_used,
        {_units("voucher", "returned", net=False)} AS vouchers_returned,
        {_units("voucher", "reissued", net=False)} AS vouchers_reissued,
        {_units("voucher", "expired", net=False)} AS vouchers_expired,
        {_units("voucher", "voided", net=False)} AS vouchers_voided,
        -{_units("talk", "issuer")} AS granted_seconds,
        {_units("talk", "talked")} AS talked_seconds,
        {_units("talk", "lapsed")} AS lapsed_seconds,
        {_units("quota", "used")} AS quota_uses
    FROM placed GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3"""
