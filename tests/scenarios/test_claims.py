"""Claims as callers file them, over real HTTP: in time, joined, their own alone."""

import asyncio
from datetime import timedelta

import pytest

from tests.scenarios.claiming import (
    ask,
    claimed,
    decided,
    queue,
    talked,
)
from tests.serving import Service

OTHER = "+8613800000002"


@pytest.mark.rule("A28", "X16")
async def test_a_claim_is_taken_for_24_hours_and_not_a_second_longer(service: Service) -> None:
    order = await talked(service, 300)
    ended_at = (await service.people.see_call(order)).ended_at
    assert ended_at is not None
    late = await talked(service, 300, number=OTHER, counselor="+8613900000002")
    last = (await service.people.see_call(late)).ended_at
    assert last is not None
    now = service.house.clock.now()

    await service.let_pass((last + timedelta(days=1) - now).total_seconds() - 5)
    in_time, _ = await claimed(service, late, number=OTHER)
    status, problem = await claimed(service, order)

    assert in_time == 201
    assert (status, problem["code"]) == (422, "claim_too_late")
    assert "24 hours" in problem["detail"]
    assert (
        await service.house.pool.fetchval("SELECT count(*) FROM claims WHERE order_id = $1", order)
        == 0
    )


async def test_a_second_claim_joins_the_first_and_both_are_read(service: Service) -> None:
    order = await talked(service, 300)
    support = await service.sign_in("support")

    answers = [await claimed(service, order, reason=f"reason {n}") for n in range(3)]

    assert {status for status, _ in answers} == {201}
    assert len({claim["id"] for _, claim in answers}) == 1
    _, case = await ask(service, "GET", f"/v1/claims/{answers[0][1]['id']}", support)
    assert [one["reason"] for one in case["written"]] == ["reason 0", "reason 1", "reason 2"]
    opened = [one for one in await service.people.timeline(order) if one == "claim.opened"]
    assert len(opened) == 1


async def test_of_twenty_claims_at_once_there_is_one(service: Service) -> None:
    order = await talked(service, 300)

    answers = await asyncio.gather(*(claimed(service, order) for _ in range(20)))

    assert {status for status, _ in answers} == {201}
    assert len({claim["id"] for _, claim in answers}) == 1
    assert await service.house.pool.fetchval("SELECT count(*) FROM claims") == 1


async def test_nobody_adds_to_a_claim_without_end(service: Service) -> None:
    order = await talked(service, 300)
    for _ in range(20):
        assert (await claimed(service, order))[0] == 201

    status, problem = await claimed(service, order)

    assert (status, problem["code"]) == (429, "rate_limited")


@pytest.mark.rule("A41")
async def test_whatever_else_goes_wrong_becomes_a_claim_tied_to_order_and_call(
    service: Service,
) -> None:
    people = service.people
    never = await people.order(await people.caller(OTHER), await people.counselor("+8613900000002"))
    order = await talked(service, 300)
    support = await service.sign_in("support")

    _, with_call = await claimed(service, order, reason="the page froze", text="and then nothing")
    _, without = await claimed(service, never, number=OTHER, reason="the button does nothing")

    call = await people.see_call(order)
    assert (with_call["order"], with_call["call"]) == (order, call.id)
    assert (without["order"], without["call"]) == (never, None)
    assert {one["id"] for one in await queue(service, support)} == {with_call["id"], without["id"]}
    _, case = await ask(service, "GET", f"/v1/claims/{with_call['id']}", support)
    assert (case["written"][0]["reason"], case["written"][0]["text"]) == (
        "the page froze",
        "and then nothing",
    )
    assert case["evidence"]["id"] == call.id


async def test_other_peoples_orders_and_claims_are_not_there(service: Service) -> None:
    order = await talked(service, 300)
    await service.people.caller(OTHER)
    _, claim = await claimed(service, order)
    stranger = service.device(OTHER)
    await decided(service, claim["id"], "reject", await service.sign_in("support"))
    scores = {"timeliness": 1, "quality": 1, "attitude": 1}

    for method, path, body in (
        ("POST", f"/v1/orders/{order}/claims", {"reason": "mine"}),
        ("GET", f"/v1/orders/{order}/claims", None),
        ("POST", f"/v1/claims/{claim['id']}/appeal", None),
        ("POST", f"/v1/orders/{order}/rating", scores),
    ):
        status, problem = await ask(service, method, path, stranger, body)
        assert (status, problem["code"]) == (404, "not_found"), path
    assert await service.house.pool.fetchval("SELECT count(*) FROM ratings") == 0
