"""Claims over a real PostgreSQL: what the desk's statement opens, joins, withdraws, and leaves."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import asyncpg
import pytest

from billing import store
from billing.claim import Claim, Remedy, State, decide, file, of_review, review_id
from billing.order import Order, Review, ReviewReason
from billing.store.claims import (
    ClaimMoved,
    Place,
    list_claims,
    load_claim,
    lock_newest_claim,
    read_saved_claim,
    saving_claim,
)
from billing.store.connection import carry_out
from billing.store.reviews import opening_review, withdrawing_review
from terms.ids import ClaimId, OrderId, TenantId
from tests.billing.stories import DAY, FIRST, MANY_AT_A_TIME, MINUTE, NOON, POLICY, an_order

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from billing.store.connection import Connection

HOUSE, ELSEWHERE = TenantId("house"), TenantId("elsewhere")
ID = review_id(FIRST)


async def an_order_in(connection: "Connection", name: str = "order-1") -> Order:
    """An order that needs no voucher."""
    order = an_order(name, voucher=None, policy=MANY_AT_A_TIME)
    await store.insert_order(connection, HOUSE, order)
    return order


def review(reason: ReviewReason = ReviewReason.SHORT_CALL, minutes: int = 0) -> Review:
    """The desk wants somebody to look."""
    at = NOON + minutes * MINUTE
    return Review(
        order=OrderId("order-1"),
        call=FIRST,
        reason=reason,
        opened_at=at,
        due_at=at + DAY,
        escalate_at=at + DAY - timedelta(hours=4),
    )


def filed(newest: Claim | None = None, name: str = "claim-1") -> Claim:
    """The caller asks."""
    return file(
        newest,
        id=ClaimId(name),
        order=OrderId("order-1"),
        call=FIRST,
        policy=POLICY,
        now=NOON + 5 * MINUTE,
    )


async def save(connection: "Connection", claim: Claim) -> Claim:
    return read_saved_claim(await carry_out(connection, saving_claim(HOUSE, claim)), claim)


async def seen(connection: "Connection", id: ClaimId = ID) -> Claim:
    claim = await load_claim(connection, HOUSE, id)
    assert claim is not None
    return claim


@pytest.mark.rule("A35", "X10", "X11")
async def test_a_review_opens_one_claim_and_a_better_verdict_withdraws_it(
    database: "Pool[Record]",
) -> None:
    async with database.acquire() as connection:
        await an_order_in(connection)
        for _ in range(2):
            await carry_out(connection, opening_review(HOUSE, review()))
        opened = await seen(connection)
        await carry_out(connection, withdrawing_review(HOUSE, FIRST))
        withdrawn = await seen(connection)
        await carry_out(
            connection, opening_review(HOUSE, review(ReviewReason.SUSPECTED_DROP, minutes=9))
        )
        again = await seen(connection)

    assert replace(opened, version=0) == of_review(review())
    assert (withdrawn.state, withdrawn.alarm_at) == (State.WITHDRAWN, None)
    assert (again.state, again.review) == (State.OPEN, ReviewReason.SUSPECTED_DROP)
    assert again.due_at == NOON + 9 * MINUTE + DAY


async def test_what_a_caller_asks_outlives_the_review_it_joined(database: "Pool[Record]") -> None:
    async with database.acquire() as connection:
        await an_order_in(connection)
        await carry_out(connection, opening_review(HOUSE, review()))
        await save(connection, filed(await seen(connection)))
        await carry_out(connection, withdrawing_review(HOUSE, FIRST))
        left = await seen(connection)

    assert (left.state, left.review) == (State.OPEN, None)
    assert left.filed_at is not None


async def test_a_review_joins_what_the_caller_asked_before(database: "Pool[Record]") -> None:
    async with database.acquire() as connection:
        await an_order_in(connection)
        await save(connection, filed())
        await carry_out(connection, opening_review(HOUSE, review()))
        joined = await seen(connection, ClaimId("claim-1"))
        newest = await lock_newest_claim(connection, HOUSE, OrderId("order-1"), FIRST)

    assert joined.review is ReviewReason.SHORT_CALL
    assert newest == joined


async def test_what_somebody_decided_is_not_opened_again(database: "Pool[Record]") -> None:
    async with database.acquire() as connection:
        await an_order_in(connection)
        await carry_out(connection, opening_review(HOUSE, review()))
        decided = decide(await seen(connection), Remedy.REJECT, "staff_1", POLICY, NOON)
        await save(connection, decided)
        for change in (opening_review(HOUSE, review()), withdrawing_review(HOUSE, FIRST)):
            await carry_out(connection, change)
        after = await seen(connection)
        open_ones = await connection.fetchval("SELECT count(*) FROM claims WHERE state = 'open'")

    assert replace(after, version=0) == replace(decided, version=0)
    assert open_ones == 0


async def test_the_database_refuses_a_second_open_claim_about_one_call(
    database: "Pool[Record]",
) -> None:
    async with database.acquire() as connection:
        await an_order_in(connection)
        await save(connection, filed())
        with pytest.raises(asyncpg.UniqueViolationError):
            await save(connection, filed(name="claim-2"))


async def test_a_claim_that_somebody_else_wrote_meanwhile_is_found_out(
    database: "Pool[Record]",
) -> None:
    async with database.acquire() as connection:
        await an_order_in(connection)
        first = await save(connection, filed())
        await save(connection, first)
        with pytest.raises(ClaimMoved):
            await save(connection, first)


async def test_the_queue_is_read_by_deadline_in_pages_and_by_its_own_tenant(
    database: "Pool[Record]",
) -> None:
    async with database.acquire() as connection:
        for number in (3, 1, 2):
            name = f"order-{number}"
            await an_order_in(connection, name)
            claim = replace(
                filed(name=f"claim-{number}"),
                order=OrderId(name),
                due_at=NOON + DAY + number * MINUTE,
            )
            await save(connection, claim)
        found: list[str] = []
        after = None
        while True:
            page = await list_claims(
                connection, HOUSE, state=State.OPEN, escalated_first=False, limit=1, after=after
            )
            if not page:
                break
            found += [claim.id for claim in page]
            after = Place(escalated=False, due_at=page[-1].due_at, claim=page[-1].id)
        elsewhere = await list_claims(
            connection, ELSEWHERE, state=None, escalated_first=False, limit=9, after=None
        )

    assert found == ["claim-1", "claim-2", "claim-3"]
    assert elsewhere == []
