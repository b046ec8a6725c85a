"""A month of calls, made by the database itself: what the settlement's speed is measured on.

Rows look as the desk writes them, ids and records of their usual length, with talks that were
dropped, too short, never connected or given back, and a carrier's own records beside them. Hashes
are bytes of the right length, no chains.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warmline.database import Connection

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthScale:
    """How much a month holds. The default is what the goal speaks of."""

    calls: int = 1_000_000
    counselors: int = 8_000
    with_carrier_records: bool = True


async def fill_month(
    connection: "Connection", scale: MonthScale, since: datetime, until: datetime, tell: Tell
) -> None:
    """Put a month of calls into an empty, migrated database."""
    seconds = int((until - since).total_seconds()) - 7200
    # Nobody else is here: what a trigger or a reference would check is made right by construction.
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("SET synchronous_commit = off")
    await connection.execute("SET work_mem = '256MB'")
    await connection.execute(_MADE, timeout=None)
    await connection.execute(_PLAN.format(seconds=seconds), timeout=None)
    await connection.execute(
        "INSERT INTO plan SELECT * FROM pg_temp.planned($1, $2, $3)",
        *(scale.calls, scale.counselors, since),
        timeout=None,
    )
    for name, statement in _ROWS.items():
        if name != "carrier records" or scale.with_carrier_records:
            tell(name)
            await connection.execute(statement, timeout=None)
    await connection.execute("DROP TABLE plan CASCADE")
    tell("VACUUM ANALYZE")
    await connection.execute("VACUUM ANALYZE", timeout=None)
    await connection.execute("RESET ALL")


async def count_rows(connection: "Connection") -> dict[str, int]:
    """What there is to be settled."""
    row = await connection.fetchrow(
        """SELECT (SELECT count(*) FROM calls) AS calls,
               (SELECT count(*) FROM ledger_entries) AS ledger_entries,
               (SELECT sum(jsonb_array_length(record->'legs')) FROM calls) AS legs,
               (SELECT count(*) FROM carrier_records) AS carrier_records""",
        timeout=None,
    )
    assert row is not None
    return dict(row)


_MADE = """
    CREATE FUNCTION pg_temp.named(prefix text, n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT prefix || '_' || lpad(to_hex(n), 26, '0') $$;
    CREATE FUNCTION pg_temp.written(at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS $$
        SELECT to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"') $$;
    CREATE TEMPORARY TABLE plan (
        n bigint, call text, order_id text, voucher text, program text, counselor text,
        began timestamptz, talked integer, connected boolean, dropped boolean, given boolean)"""

# Every hundredth call differs from the others in its own way, so that all cases are there.
_PLAN = """
    CREATE FUNCTION pg_temp.planned(calls integer, counselors integer, since timestamptz)
    RETURNS SETOF plan LANGUAGE sql AS $$
        SELECT n, pg_temp.named('call', n), pg_temp.named('order', n),
            CASE WHEN n % 5 > 0 THEN pg_temp.named('voucher', n) END,
            CASE WHEN n % 5 > 0 THEN 'psych-listening' ELSE 'family-doctor' END,
            pg_temp.named('counselor', n::bigint * 7919 % counselors),
            since + make_interval(secs => {seconds}::float8 * n / calls),
            CASE WHEN n % 100 < 6 THEN 0 WHEN n % 100 < 9 THEN 10 + n % 49
                 ELSE 60 + n::bigint * 31 % 840 END,
            n % 100 >= 6, n % 100 IN (21, 22, 23), n % 1000 = 31
        FROM generate_series(1, calls) AS n $$"""

_ROWS = {
    "vouchers": """
        INSERT INTO vouchers (tenant, id, program, state, code_hash, code_ending, valid_until,
            changed_at, holder, order_id, head_number, head_hash)
        SELECT 'default', voucher, program,
            CASE WHEN given THEN 'reissued' WHEN connected THEN 'consumed' ELSE 'returned' END,
            sha256(voucher::bytea), '7K2M', began + interval '300 days', began,
            pg_temp.named('caller', n), CASE WHEN connected AND NOT given THEN order_id END,
            5, sha256(voucher::bytea)
        FROM plan WHERE voucher IS NOT NULL ORDER BY voucher""",
    "orders": """
        INSERT INTO orders (tenant, id, caller, program, program_version, program_digest, counselor,
            voucher, one_at_a_time, opened_at, expires_at, granted_seconds, state,
            remaining_seconds, talked_seconds, attempts_counted, connected_at, closed_at, closed_by,
            closed_reason, version, head_number, head_hash)
        SELECT 'default', order_id, pg_temp.named('caller', n), program, '1', repeat('d', 64),
            counselor, voucher, false, began, began + interval '1 day', 1500,
            CASE WHEN connected THEN 'completed' ELSE 'expired' END, 1500 - talked, talked, 0,
            CASE WHEN connected THEN began END, began + make_interval(secs => talked + 40), 'call',
            'party_ended', 5, 3, sha256(order_id::bytea)
        FROM plan ORDER BY order_id""",
    "calls": """
        INSERT INTO calls (tenant, id, order_id, purpose, state, record, version, started_at,
            ended_at)
        SELECT 'default', call, order_id, 'consult', 'ended', jsonb_build_object(
            'ring_first', 'caller', 'pooled', false, 'granted_seconds', 1500, 'timers', '[]'::jsonb,
            'attempt', 1, 'end_reason', CASE WHEN connected THEN 'hung_up' ELSE 'withdrawn' END,
            'connected_at', CASE WHEN connected THEN pg_temp.written(answered) END,
            'verdict', jsonb_build_array(
                CASE WHEN NOT connected THEN 'not_connected' WHEN dropped THEN 'system_drop'
                     ELSE 'party_ended' END, 'caller', 'high', jsonb_build_array('hung_up')),
            'legs', CASE WHEN connected THEN jsonb_build_array(
                jsonb_build_object('id', call || '/caller/1', 'role', 'caller',
                    'rung_at', pg_temp.written(began), 'ringing_at', pg_temp.written(began),
                    'answered_at', pg_temp.written(answered),
                    'bridged_at', pg_temp.written(answered),
                    'release', jsonb_build_array(pg_temp.written(ended), 'party', 16, NULL, NULL)),
                jsonb_build_object('id', call || '/counselor/1', 'role', 'counselor',
                    'rung_at', pg_temp.written(began), 'ringing_at', pg_temp.written(began),
                    'answered_at', pg_temp.written(answered), 'party', counselor,
                    'accepted_at', pg_temp.written(answered),
                    'bridged_at', pg_temp.written(answered), 'let_go_why', 'partner_left',
                    'let_go_at', pg_temp.written(ended),
                    'release', jsonb_build_array(pg_temp.written(ended), 'platform', 16, NULL,
                        NULL)))
            ELSE jsonb_build_array(
                jsonb_build_object('id', call || '/caller/1', 'role', 'caller',
                    'rung_at', pg_temp.written(began), 'ringing_at', pg_temp.written(began),
                    'release', jsonb_build_array(pg_temp.written(ended), 'party', 17, NULL, NULL)))
            END), 15, began, ended
        FROM plan, LATERAL (SELECT began + interval '12 seconds' AS answered,
            began + make_interval(secs => talked + 12) AS ended) AS times ORDER BY call""",
    "lines of calls": """
        INSERT INTO call_grades (tenant, call, order_id, program, counselor, ended_at, from_grade,
            to_grade, talked_seconds, at, entry)
        SELECT 'default', call, order_id, program, counselor, ended, 'none',
            CASE WHEN dropped THEN 'resumed' WHEN talked < 60 THEN 'short' ELSE 'effective' END,
            talked, ended, 2
        FROM plan, LATERAL (SELECT began + make_interval(secs => talked + 12) AS ended) AS times
        WHERE connected ORDER BY began""",
    "ledger": """
        INSERT INTO ledger_entries (tenant, book, number, from_account, to_account, units, reason,
            order_id, recurs, at, hash)
        SELECT 'default', book, number, giver, taker, units, reason, order_id, number > 6,
            at, sha256((book || number)::bytea)
        FROM plan, LATERAL (
            SELECT 'voucher/' || voucher AS book, * FROM (VALUES
                (1, 'issuer', 'pending', 1, 'prepared', began),
                (2, 'pending', 'issued', 1, 'issued', began),
                (3, 'issued', 'held', 1, 'held', began),
                (4, 'held', CASE WHEN connected THEN 'consumed' ELSE 'returned' END, 1,
                    'connected', began + interval '12 seconds'),
                (5, CASE WHEN given THEN 'consumed' END, 'reissued', 1, 'reissued',
                    began + interval '1 hour')
            ) AS moves (number, giver, taker, units, reason, at) WHERE voucher IS NOT NULL
            UNION ALL
            SELECT 'talk/' || order_id, * FROM (VALUES
                (1, 'issuer', 'remaining', 1500, 'granted', began),
                (2, 'remaining', 'talked', talked, 'talked',
                    began + make_interval(secs => talked + 12)),
                (3, 'remaining', 'lapsed', 1500 - talked, 'lapsed',
                    began + make_interval(secs => talked + 12))
            ) AS moves (number, giver, taker, units, reason, at)
        ) AS entries
        WHERE giver IS NOT NULL AND units > 0 ORDER BY began""",
    "claims": """
        INSERT INTO claims (tenant, id, order_id, call, opened_at, state, filed_at, low_rating,
            due_at, escalate_at, decision, decided_by, decided_at, version)
        SELECT 'default', pg_temp.named('claim', n), order_id, call, began, 'decided', began, false,
            began, began, 'reissue', 'staff_1', began + interval '1 hour', 1
        FROM plan WHERE given""",
    "carrier records": """
        INSERT INTO carrier_records (tenant, carrier, leg, started_at, billed_seconds, unit_seconds,
            imported_at)
        SELECT 'default', 'simulated', call || '/' || role || '/1', began,
            talked + CASE WHEN n % 1000 = 77 THEN 60 ELSE 0 END, 1, began
        FROM plan, (VALUES ('caller'), ('counselor')) AS roles (role)
        WHERE connected ORDER BY 3""",
    "carrier": """
        INSERT INTO carriers_in_use (tenant, since, carrier)
        SELECT 'default', min(began), 'simulated' FROM plan""",
}
