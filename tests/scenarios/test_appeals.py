"""A rejection goes to the insurer, who has the last word and learns no more than it takes."""

import asyncio
import json
from collections import Counter

import pytest

from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from terms.ids import OrderId
from tests.people import CALLER, TENANT
from tests.scenarios.claiming import Told, ask, claimed, decided, messages, one_claim, queue, talked
from tests.serving import Service
from tests.warmline.api.everybody import quiet

WEEK = 7 * 86_400


async def rejected(service: Service, **claim: str) -> tuple[OrderId, str]:
    """An order, and its claim that support rejected."""
    order = await talked(service, 300)
    _, told = await claimed(service, order, **claim)
    support = await service.sign_in("support")
    status, _ = await decided(service, told["id"], "reject", support, reason="the caller hung up")
    assert status == 200
    return order, told["id"]


async def appealed(service: Service, claim: str) -> tuple[int, Told]:
    """The caller goes on."""
    return await ask(service, "POST", f"/v1/claims/{claim}/appeal", service.device(CALLER))


@pytest.mark.rule("B18", "B20", "B65")
async def test_the_insurer_overrides_a_rejection_with_a_reason_and_on_record(
    service: Service,
) -> None:
    order, claim = await rejected(service)
    insurer = await service.sign_in("insurer")

    status, seen = await appealed(service, claim)
    assert (status, seen["state"]) == (201, "appealed")
    status, after = await decided(
        service, claim, "resume", insurer, path="appeals", reason="doubt favours the caller"
    )
    await quiet(service)

    assert status == 200
    assert after["appeal_decision"]["reason"] == "doubt favours the caller"
    found = await service.people.see_order(order)
    assert found.state is OrderState.INTERRUPTED
    _, page = await ask(service, "GET", f"/v1/orders/{order}/claims", service.device(CALLER))
    (own,) = page["items"]
    assert own["state"] == "closed"
    assert (own["decision"]["decision"], own["appeal_decision"]["decision"]) == ("reject", "resume")
    deed = await service.house.pool.fetchrow(
        "SELECT action, before, after, reason_sealed FROM staff_deeds ORDER BY id DESC LIMIT 1"
    )
    assert deed is not None
    assert deed["action"] == "appeal.decided"
    assert json.loads(deed["before"])["order"] == "completed"
    assert json.loads(deed["after"])["order"] == "interrupted"
    assert deed["reason_sealed"] is not None
    sent = [one["template"] for one in await messages(service, "sms")]
    assert sent[-1] == "claim_resumed"


@pytest.mark.rule("B65")
async def test_the_insurer_may_give_a_new_voucher_or_let_the_rejection_stand(
    service: Service,
) -> None:
    order, claim = await rejected(service)
    await appealed(service, claim)

    status, _ = await decided(
        service, claim, "reissue", await service.sign_in("insurer"), path="appeals"
    )

    assert status == 200
    voucher = await service.people.see_voucher(order)
    assert voucher.state is VoucherState.REISSUED


@pytest.mark.rule("B65")
async def test_there_is_one_appeal_and_nothing_after_it(service: Service) -> None:
    _, claim = await rejected(service)
    insurer = await service.sign_in("insurer")
    support = await service.sign_in("support")

    answers = await asyncio.gather(*(appealed(service, claim) for _ in range(5)))
    assert Counter(status for status, _ in answers) == {201: 1, 409: 4}
    status, problem = await decided(service, claim, "resume", support)
    assert (status, problem["code"]) == (409, "not_now")
    words = await asyncio.gather(
        *(decided(service, claim, "reject", insurer, path="appeals") for _ in range(5))
    )
    assert Counter(status for status, _ in words) == {200: 1, 409: 4}
    status, _ = await appealed(service, claim)
    await quiet(service)

    assert status == 409
    assert [one["template"] for one in await messages(service, "sms")][-1] == "appeal_rejected"
    assert (await ask(service, "GET", "/v1/appeals", insurer))[1]["items"] == []


@pytest.mark.rule("B18", "B20")
async def test_only_what_support_rejected_can_be_appealed(service: Service) -> None:
    order = await talked(service, 300)
    _, claim = await claimed(service, order)

    status, problem = await appealed(service, claim["id"])
    assert (status, problem["code"]) == (409, "not_now")
    await decided(service, claim["id"], "resume", await service.sign_in("support"))
    status, problem = await appealed(service, claim["id"])

    assert (status, problem["code"]) == (409, "not_now")


async def test_an_appeal_that_comes_after_a_week_is_too_late(service: Service) -> None:
    _, claim = await rejected(service)
    await service.let_pass(WEEK)

    status, problem = await appealed(service, claim)

    assert (status, problem["code"]) == (422, "claim_too_late")


@pytest.mark.rule("B09", "B11")
async def test_the_insurer_learns_how_it_ended_and_neither_who_called_nor_what_was_said(
    service: Service,
) -> None:
    secret = "I told them of my illness"
    order, claim = await rejected(service, reason=secret, text=secret)
    await appealed(service, claim)
    insurer = await service.sign_in("insurer")

    status, page = await ask(service, "GET", "/v1/appeals", insurer)

    assert status == 200
    (seen,) = page["items"]
    assert seen["ended"] == "party_ended"
    assert seen["ended_by"] == "caller"
    assert seen["talked_seconds"] in (299, 300)
    assert seen["decision"]["reason"] == "the caller hung up"
    told = json.dumps(page)
    call = await service.people.see_call(order)
    found = await service.people.see_order(order)
    legs = [leg.id for leg in call.legs]
    assert found.counselor is not None
    for hidden in (secret, order, call.id, found.caller, found.counselor, "0001", *legs):
        assert hidden not in told, hidden


@pytest.mark.rule("B09")
async def test_another_sponsors_insurer_sees_and_decides_nothing(service: Service) -> None:
    _, claim = await rejected(service)
    await appealed(service, claim)
    other = await service.sign_in("insurer", sponsor="another")

    _, page = await ask(service, "GET", "/v1/appeals", other)
    status, problem = await decided(service, claim, "resume", other, path="appeals")

    assert page["items"] == []
    assert (status, problem["code"]) == (404, "not_found")
    state = await service.house.pool.fetchval(
        "SELECT state FROM claims WHERE tenant = $1 AND id = $2", TENANT, claim
    )
    assert state == "appealed"


async def test_the_queue_of_support_does_not_hold_what_lies_with_the_insurer(
    service: Service,
) -> None:
    _, claim = await rejected(service)
    await appealed(service, claim)
    support = await service.sign_in("support")

    assert await queue(service, support) == []
    assert [one["id"] for one in await queue(service, support, "?state=appealed")] == [claim]


@pytest.mark.rule("B65")
async def test_a_bad_rating_opens_no_second_way_to_be_heard_about_the_same_call(
    service: Service,
) -> None:
    order, claim = await rejected(service)
    me, support = service.device(CALLER), await service.sign_in("support")
    bad = {"timeliness": 1, "quality": 1, "attitude": 1}
    status, _ = await ask(service, "POST", f"/v1/orders/{order}/rating", me, bad)
    assert status == 201
    rating = await one_claim(service, support)

    status, problem = await claimed(service, order)
    assert (status, problem["code"]) == (409, "not_now")
    assert (await one_claim(service, support))["grounds"] == ["low_rating"]
    await decided(service, rating["id"], "reject", support)
    status, _ = await appealed(service, claim)
    assert status == 201
    status, problem = await appealed(service, rating["id"])

    assert (status, problem["code"]) == (409, "not_now")
