"""The settlement's sums, over whole months. PostgreSQL adds up; what counts is the core's word.

Every figure sums entries or lines that were *written* in the month, so that a month that is over
never changes. A row names the month it is about in `for_month`; an earlier one is a correction.
"""

from collections import Counter
from collections.abc import Mapping
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
    """A month, its bounds on the wall of one zone, and the programs that live by that zone."""

    month: str
    zone: str
    since: datetime
    until: datetime
    programs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class About:
    """What a sum is about. `sponsor` is that of an insurance policy; None: the program's own."""

    for_month: str
    sponsor: str | None
    program: str


async def programs_in_use(connection: "Connection", tenant: TenantId) -> list[str]:
    """Every program that something was ever counted for, be its file still there or not."""
    rows = await connection.fetch(
        """SELECT program FROM program_versions WHERE tenant = $1
           UNION SELECT program FROM vouchers WHERE tenant = $1 ORDER BY 1""",
        tenant,
        timeout=PATIENCE_SECONDS,
    )
    return [row["program"] for row in rows]


async def counselor_sums(connection: "Connection", tenant: TenantId, span: Span) -> "list[Record]":
    """A row per month concerned, program and counselor, with COUNSELOR_SUMS."""
    return await connection.fetch(
        _COUNSELORS, *_bounds(tenant, span), span.month, span.zone, timeout=PATIENCE_SECONDS
    )


async def program_sums(
    connection: "Connection", tenant: TenantId, span: Span
) -> Mapping[About, Mapping[str, int]]:
    """PROGRAM_SUMS of every month concerned, sponsor and program.

    An entry that takes units out of an account where they were used, talked or let go corrects the
    entry that put them there, and is about that one's month.
    """
    sums: dict[About, Counter[str]] = {}
    for statement in (_VOUCHERS, _TALK, _QUOTAS):
        rows = await connection.fetch(statement, *_bounds(tenant, span), timeout=PATIENCE_SECONDS)
        for row in rows:
            told = sums.setdefault(About(span.month, row["sponsor"], row["program"]), Counter())
            told.update({name: row[name] for name in PROGRAM_SUMS if name in row})
    for statement in (_CALLS, _TAKEN_BACK):
        rows = await connection.fetch(
            statement, *_bounds(tenant, span), span.month, span.zone, timeout=PATIENCE_SECONDS
        )
        for row in rows:
            about = About(row["for_month"], row["sponsor"], row["program"])
            _add(sums.setdefault(about, Counter()), row)
    return sums


def naming_programs(tenant: str) -> str:
    """The part of a WITH that names the program of every order, `named`.

    The tenant is named by an SQL expression.
    """
    return f"named AS (SELECT id AS order_id, program FROM orders WHERE tenant = {tenant})"


_CAME = {
    ("call", "talk"): "calls",
    ("voucher", "issued"): "vouchers_issued",
    ("voucher", "consumed"): "vouchers_used",
    ("voucher", "returned"): "vouchers_returned",
    ("voucher", "reissued"): "vouchers_reissued",
    ("voucher", "expired"): "vouchers_expired",
    ("voucher", "voided"): "vouchers_voided",
    ("talk", "talked"): "talked_seconds",
    ("talk", "lapsed"): "lapsed_seconds",
    ("quota", "used"): "quota_uses",
}
_LEFT = {
    kind_and_account: _CAME[kind_and_account]
    for kind_and_account in (
        ("call", "talk"),
        ("voucher", "consumed"),
        ("talk", "talked"),
        ("talk", "lapsed"),
        ("quota", "used"),
    )
}


def _add(sums: "Counter[str]", row: "Record") -> None:
    """Units of a kind of book that went from one account to another."""
    kind, giver, taker, units = row["kind"], row["giver"], row["taker"], row["units"]
    if (figure := _CAME.get((kind, taker))) is not None:
        sums[figure] += units
    if (figure := _LEFT.get((kind, giver))) is not None:
        sums[figure] -= units
    if kind == "talk" and "issuer" in (giver, taker):
        sums["granted_seconds"] += units if giver == "issuer" else -units


def _bounds(tenant: TenantId, span: Span) -> tuple[object, ...]:
    return (tenant, span.since, span.until, list(span.programs))


_IN_MONTH = "at >= $2 AND at < $3"
_FOR_MONTH = "CASE WHEN {0} >= $2 THEN $5 ELSE to_char({0} AT TIME ZONE $6, 'YYYY-MM') END"

# Said as the index that finds these few entries says it.
_TAKES_BACK = "from_account IN ('consumed', 'used', 'talked', 'lapsed')"

# A decision about a claim names the call. A voucher that was used and is taken out of use by other
# hands names the order, whose last talk it is held against; both at one instant are one decision.
_GIVEN_BACK = f"""
    claimed AS (
        SELECT order_id, call, at FROM claims CROSS JOIN LATERAL (VALUES
            (decision, decided_at), (appeal_decision, appeal_decided_at)) AS one (given, at)
        WHERE tenant = $1 AND call IS NOT NULL AND given IN ('resume', 'reissue')
    ), concerned AS (
        SELECT order_id FROM claimed WHERE {_IN_MONTH}
        UNION
        SELECT order_id FROM ledger_entries
        WHERE tenant = $1 AND {_IN_MONTH} AND {_TAKES_BACK} AND from_account = 'consumed'
            AND units > 0 AND order_id IS NOT NULL
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
            ORDER BY entry DESC LIMIT 1
        ) AS last
        WHERE last.to_grade <> '{Grade.NONE}'
        ORDER BY last.call, decided.at
    )"""


def _counted(condition: str) -> str:
    """How many calls came into the grades of the condition, less those that left them."""
    return f"""(count(*) FILTER (WHERE to_grade {condition})
        - count(*) FILTER (WHERE from_grade {condition}))"""


_COUNSELORS = f"""
    WITH {_GIVEN_BACK}, lines AS (
        SELECT program, counselor, ended_at, from_grade, to_grade, talked_seconds
        FROM call_grades WHERE tenant = $1 AND {_IN_MONTH}
        UNION ALL
        SELECT program, counselor, ended_at, to_grade, '{Grade.GIVEN_BACK}', 0
        FROM given_back WHERE given_at >= $2 AND given_at < $3
    )
    SELECT {_FOR_MONTH.format("ended_at")} AS for_month, program, counselor,
        {_counted(f"<> '{Grade.NONE}'")} AS calls,
        {_counted(f"= '{Grade.EFFECTIVE}'")} AS effective_calls,
        {_counted(f"= '{Grade.SHORT}'")} AS short_calls,
        {_counted(f"= '{Grade.RESUMED}'")} AS resumed_calls,
        {_counted(f"= '{Grade.GIVEN_BACK}'")} AS given_back_calls,
        sum(talked_seconds) AS talk_seconds
    FROM lines WHERE program = ANY($4)
    GROUP BY 1, 2, 3 ORDER BY 1 DESC, 2, 3"""

_OF_VOUCHER = """
    JOIN vouchers ON vouchers.tenant = $1 AND vouchers.id = substr(entry.book, 9) COLLATE "default"
    LEFT JOIN policy_vouchers AS bought ON bought.tenant = $1 AND bought.voucher = vouchers.id
    LEFT JOIN insurance_policies AS policy ON policy.tenant = $1 AND policy.id = bought.policy"""

_OF_ORDER = """
    JOIN orders ON orders.tenant = $1 AND orders.id = entry.order_id
    LEFT JOIN policy_vouchers AS bought ON bought.tenant = $1 AND bought.voucher = orders.voucher
    LEFT JOIN order_entitlements AS owed ON owed.tenant = $1 AND owed.order_id = orders.id
    LEFT JOIN insurance_policies AS policy
        ON policy.tenant = $1 AND policy.id = coalesce(bought.policy, owed.policy)"""

_OF_QUOTA = """
    LEFT JOIN order_entitlements AS owed ON owed.tenant = $1 AND owed.order_id = entry.order_id
    LEFT JOIN insurance_policies AS policy ON policy.tenant = $1 AND policy.id = owed.policy"""


def _into(account: str) -> str:
    return f"coalesce(sum(units) FILTER (WHERE to_account = '{account}'), 0)"


def _straight(kind: str, program: str, joins: str, figures: Mapping[str, str]) -> str:
    """What came into the accounts of one kind of book, but for what is taken back."""
    sums = ", ".join(f"{sum_} AS {name}" for name, sum_ in figures.items())
    return f"""
        SELECT policy.sponsor, {program} AS program, {sums}
        FROM ledger_entries AS entry {joins}
        WHERE entry.tenant = $1 AND {_IN_MONTH} AND entry.book LIKE '{kind}/%' AND units > 0
            AND NOT ({_TAKES_BACK}) AND {program} = ANY($4)
        GROUP BY 1, 2"""


_PROGRAM_OF_QUOTA = "split_part(entry.book, '/', 2) COLLATE \"default\""

_VOUCHERS = _straight(
    "voucher",
    "vouchers.program",
    _OF_VOUCHER,
    {figure: _into(account) for (kind, account), figure in _CAME.items() if kind == "voucher"},
)
_TALK = _straight(
    "talk",
    "orders.program",
    _OF_ORDER,
    {
        "granted_seconds": """coalesce(sum(units) FILTER (WHERE from_account = 'issuer'), 0)
            - coalesce(sum(units) FILTER (WHERE to_account = 'issuer'), 0)""",
        "talked_seconds": _into("talked"),
        "lapsed_seconds": _into("lapsed"),
    },
)
_QUOTAS = _straight("quota", _PROGRAM_OF_QUOTA, _OF_QUOTA, {"quota_uses": _into("used")})


def _taken_back(kind: str, program: str, joins: str) -> str:
    return f"""
        SELECT '{kind}' AS kind, policy.sponsor, {program} AS program, from_account AS giver,
            to_account AS taker, units,
            {_FOR_MONTH.format("put_at")} AS for_month
        FROM ledger_entries AS entry {joins}
        CROSS JOIN LATERAL (
            SELECT max(put.at) AS put_at FROM ledger_entries AS put
            WHERE put.tenant = $1 AND put.book = entry.book AND put.number < entry.number
                AND put.to_account = entry.from_account AND put.units > 0
        ) AS earlier
        WHERE entry.tenant = $1 AND {_IN_MONTH} AND entry.book LIKE '{kind}/%' AND units > 0
            AND {_TAKES_BACK} AND {program} = ANY($4)"""


_TAKEN_BACK = f"""
    SELECT kind, sponsor, program, giver, taker, for_month, sum(units) AS units FROM (
        {_taken_back("voucher", "vouchers.program", _OF_VOUCHER)}
        UNION ALL {_taken_back("talk", "orders.program", _OF_ORDER)}
        UNION ALL {_taken_back("quota", _PROGRAM_OF_QUOTA, _OF_QUOTA)}
    ) AS taken_back GROUP BY 1, 2, 3, 4, 5, 6"""

_CALLS = f"""
    SELECT 'call' AS kind, policy.sponsor, entry.program, {_FOR_MONTH.format("ended_at")}
            AS for_month,
        CASE from_grade WHEN '{Grade.NONE}' THEN 'none' ELSE 'talk' END AS giver,
        CASE to_grade WHEN '{Grade.NONE}' THEN 'none' ELSE 'talk' END AS taker, count(*) AS units
    FROM call_grades AS entry {_OF_ORDER}
    WHERE entry.tenant = $1 AND {_IN_MONTH} AND entry.program = ANY($4)
    GROUP BY 2, 3, 4, 5, 6"""
