"""Claims and what was written to them, ratings. Claims are locked after order and voucher."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.claim import Claim, Decision, Remedy, State
from billing.order import ReviewReason
from terms.change import Change
from terms.ids import CallId, ClaimId, OrderId, TenantId
from terms.values import replace

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

_COLUMNS = """id, order_id, call, opened_at, state, filed_at, review, low_rating, due_at,
    escalate_at, escalated_at, breached_at, alarm_at, decision, decided_by, decided_at,
    appeal_until, appealed_at, sponsor, appeal_decision, appeal_decided_by, appeal_decided_at,
    version"""
_CALLER_KNOWS = "(filed_at IS NOT NULL OR low_rating OR decided_at IS NOT NULL)"


class ClaimMoved(Exception):
    """Somebody else wrote the claim since it was read: read again and decide anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Something a person wrote to a claim, under seal. `kind`: filed, rated, decided .."""

    kind: str
    at: datetime
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page of the queue starts: behind this one."""

    escalated: bool
    due_at: datetime
    claim: ClaimId


_SAVING = """
    claim_saved AS (
        INSERT INTO claims AS kept (tenant, id, order_id, call, opened_at, state, filed_at, review,
            low_rating, due_at, escalate_at, escalated_at, breached_at, alarm_at, decision,
            decided_by, decided_at, appeal_until, appealed_at, sponsor, appeal_decision,
            appeal_decided_by, appeal_decided_at, version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20, $21, $22, $23, $24 + 1)
        ON CONFLICT (tenant, id) DO UPDATE SET state = excluded.state,
            filed_at = excluded.filed_at, review = excluded.review,
            low_rating = excluded.low_rating, due_at = excluded.due_at,
            escalate_at = excluded.escalate_at, escalated_at = excluded.escalated_at,
            breached_at = excluded.breached_at, alarm_at = excluded.alarm_at,
            decision = excluded.decision, decided_by = excluded.decided_by,
            decided_at = excluded.decided_at, appeal_until = excluded.appeal_until,
            appealed_at = excluded.appealed_at, appeal_decision = excluded.appeal_decision,
            appeal_decided_by = excluded.appeal_decided_by,
            appeal_decided_at = excluded.appeal_decided_at, sponsor = excluded.sponsor,
            version = excluded.version
        WHERE kept.version = $24
        RETURNING version
    )"""


def saving_claim(tenant: TenantId, claim: Claim) -> Change:
    """The claim, new or changed; `read_saved_claim` reads the answer."""
    ours, last = claim.decision, claim.appeal_decision
    arguments = (
        *(tenant, claim.id, claim.order, claim.call, claim.opened_at, claim.state),
        *(claim.filed_at, claim.review, claim.low_rating, claim.due_at, claim.escalate_at),
        *(claim.escalated_at, claim.breached_at, claim.alarm_at, *_decided(ours)),
        *(claim.appeal_until, claim.appealed_at, claim.sponsor, *_decided(last), claim.version),
    )
    return Change(_SAVING, "(SELECT version FROM claim_saved) AS claim_version", arguments)


def read_saved_claim(row: "Record", claim: Claim) -> Claim:
    """The claim with its new version. Raises ClaimMoved."""
    if row["claim_version"] is None:
        raise ClaimMoved(claim.id)
    return replace(claim, version=row["claim_version"])


def adding_words(tenant: TenantId, claim: ClaimId, words: Words) -> Change:
    """What somebody wrote, added to what was written before. Hold the claim's or order's lock."""
    added = """
        words_added AS (
            INSERT INTO claim_words (tenant, claim, number, kind, at, words_sealed)
            SELECT $1, $2, 1 + count(*), $3, $4, $5 FROM claim_words
            WHERE tenant = $1 AND claim = $2
        )"""
    arguments = (tenant, claim, words.kind, words.at, words.sealed)
    return Change(added, "true AS words_added", arguments)


async def load_claim(connection: "Connection", tenant: TenantId, claim: ClaimId) -> Claim | None:
    """The claim as it is, unlocked."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM claims WHERE tenant = $1 AND id = $2", tenant, claim
    )
    return None if row is None else _claim(row)


async def lock_claim(connection: "Connection", tenant: TenantId, claim: ClaimId) -> Claim | None:
    """The claim, nobody else's until the transaction ends; its order is locked before."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM claims WHERE tenant = $1 AND id = $2 FOR UPDATE", tenant, claim
    )
    return None if row is None else _claim(row)


async def lock_newest_claim(
    connection: "Connection", tenant: TenantId, order: OrderId, call: CallId | None
) -> Claim | None:
    """The last claim about the call, or about an order that had none; locked."""
    row = await connection.fetchrow(
        f"""SELECT {_COLUMNS} FROM claims
            WHERE tenant = $1 AND order_id = $2 AND call IS NOT DISTINCT FROM $3
            ORDER BY opened_at DESC, id DESC LIMIT 1 FOR UPDATE""",
        *(tenant, order, call),
    )
    return None if row is None else _claim(row)


async def lock_heard_claim(
    connection: "Connection", tenant: TenantId, order: OrderId, call: CallId | None
) -> Claim | None:
    """The claim in which the caller was heard about the call, an appealed one first; locked."""
    row = await connection.fetchrow(
        f"""SELECT {_COLUMNS} FROM claims
            WHERE tenant = $1 AND order_id = $2 AND call IS NOT DISTINCT FROM $3
                AND (filed_at IS NOT NULL OR appealed_at IS NOT NULL)
                AND state NOT IN ('open', 'withdrawn')
            ORDER BY appealed_at, opened_at, id LIMIT 1 FOR UPDATE""",
        *(tenant, order, call),
    )
    return None if row is None else _claim(row)


async def lock_alarming_claim(
    connection: "Connection", now: datetime
) -> tuple[TenantId, Claim] | None:
    """One claim whose clock has something to say, of any tenant; none that another process has."""
    row = await connection.fetchrow(
        f"""SELECT tenant, {_COLUMNS} FROM claims WHERE alarm_at <= $1
            ORDER BY alarm_at LIMIT 1 FOR UPDATE SKIP LOCKED""",
        now,
    )
    return None if row is None else (TenantId(row["tenant"]), _claim(row))


async def next_alarm_at(connection: "Connection") -> datetime | None:
    """When `lock_alarming_claim` will next find something."""
    at: datetime | None = await connection.fetchval(
        "SELECT min(alarm_at) FROM claims WHERE alarm_at IS NOT NULL"
    )
    return at


async def list_claims(
    connection: "Connection",
    tenant: TenantId,
    *,
    state: State | None,
    escalated_first: bool,
    limit: int,
    after: Place | None,
) -> list[Claim]:
    """The queue by deadline; for supervisors, what was escalated comes first."""
    start: tuple[object, ...] = (None, None, None)
    if after is not None:
        start = (after.escalated, after.due_at, after.claim)
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM claims
            WHERE tenant = $1 AND ($2::text IS NULL OR state = $2)
              AND ($5::boolean IS NULL OR
                ($3 AND escalated_at IS NULL, due_at, id) > ($3 AND NOT $5, $6, $7))
            ORDER BY ($3 AND escalated_at IS NULL), due_at, id LIMIT $4""",
        *(tenant, state, escalated_first, limit, *start),
    )
    return [_claim(row) for row in rows]


async def list_appeals(
    connection: "Connection",
    tenant: TenantId,
    sponsor: str,
    *,
    limit: int,
    after: tuple[datetime, ClaimId] | None,
) -> list[Claim]:
    """The appeals that wait for the sponsor's insurer, by deadline."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM claims
            WHERE tenant = $1 AND sponsor = $2 AND state = 'appealed'
              AND ($4::timestamptz IS NULL OR (due_at, id) > ($4, $5))
            ORDER BY due_at, id LIMIT $3""",
        *(tenant, sponsor, limit, *(after or (None, None))),
    )
    return [_claim(row) for row in rows]


async def claims_of_order(
    connection: "Connection",
    tenant: TenantId,
    order: OrderId,
    *,
    limit: int,
    after: ClaimId | None = None,
) -> list[Claim]:
    """The order's claims that its caller knows of, newest first: filed, rated or decided."""
    rows = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM claims
            WHERE tenant = $1 AND order_id = $2 AND ($3::text IS NULL OR id < $3)
              AND {_CALLER_KNOWS} ORDER BY id DESC LIMIT $4""",
        *(tenant, order, after, limit),
    )
    return [_claim(row) for row in rows]


async def newest_claims(
    connection: "Connection", tenant: TenantId, orders: Collection[OrderId]
) -> dict[OrderId, Claim]:
    """Of each of the orders the newest claim that its caller knows of, where there is one."""
    rows = await connection.fetch(
        f"""SELECT DISTINCT ON (order_id) {_COLUMNS} FROM claims
            WHERE tenant = $1 AND order_id = ANY ($2) AND {_CALLER_KNOWS}
            ORDER BY order_id, id DESC""",
        *(tenant, list(orders)),
    )
    return {claim.order: claim for claim in map(_claim, rows)}


async def words_of(
    connection: "Connection", tenant: TenantId, claims: Sequence[ClaimId]
) -> dict[ClaimId, list[Words]]:
    """What was written to each of the claims, in order."""
    rows = await connection.fetch(
        """SELECT claim, kind, at, words_sealed FROM claim_words
           WHERE tenant = $1 AND claim = ANY ($2) ORDER BY claim, number""",
        *(tenant, list(claims)),
    )
    found: dict[ClaimId, list[Words]] = {claim: [] for claim in claims}
    for row in rows:
        words = Words(kind=row["kind"], at=row["at"], sealed=row["words_sealed"])
        found[ClaimId(row["claim"])].append(words)
    return found


def _decided(decision: Decision | None) -> tuple[object, object, object]:
    if decision is None:
        return None, None, None
    return decision.remedy, decision.by, decision.at


def _decision(row: "Record", remedy: str, by: str, at: str) -> Decision | None:
    if row[remedy] is None:
        return None
    return Decision(remedy=Remedy(row[remedy]), by=row[by], at=row[at])


def _claim(row: "Record") -> Claim:
    call, review = row["call"], row["review"]
    return Claim(
        id=ClaimId(row["id"]),
        order=OrderId(row["order_id"]),
        call=None if call is None else CallId(call),
        state=State(row["state"]),
        opened_at=row["opened_at"],
        due_at=row["due_at"],
        escalate_at=row["escalate_at"],
        filed_at=row["filed_at"],
        review=None if review is None else ReviewReason(review),
        low_rating=row["low_rating"],
        escalated_at=row["escalated_at"],
        breached_at=row["breached_at"],
        decision=_decision(row, "decision", "decided_by", "decided_at"),
        appeal_until=row["appeal_until"],
        appealed_at=row["appealed_at"],
        sponsor=row["sponsor"],
        appeal_decision=_decision(row, "appeal_decision", "appeal_decided_by", "appeal_decided_at"),
        version=row["version"],
    )
