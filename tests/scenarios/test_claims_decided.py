"""Claims decided once, over real HTTP: what each decision gives, and when none may be made."""

import asyncio
from collections import Counter

import pytest

from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from tests.people import CALLER, COUNSELOR
from tests.scenarios.claiming import (
    ask,
    claimed,
    decided,
    deeds,
    faults_in_the_books,
    messages,
    one_claim,
    talk_reasons,
    talked,
)
from tests.serving import Service
from tests.warmline.api.everybody import quiet

DAY = 86_400


@pytest.mark.rule("A35", "A36", "X10", "X13")
async def test_a_short_call_is_claimed_and_a_new_voucher_takes_the_place_of_the_used_one(
    service: Service,
) -> None:
    order = await talked(service, 30)
    before = await service.people.see_voucher(order)
    assert before.state is VoucherState.CONSUMED
    support = await service.sign_in("support")

    status, claim = await claimed(service, order)
    assert (status, claim["state"]) == (201, "open")
    status, case = await ask(service, "GET", f"/v1/claims/{claim['id']}", support)
    assert status == 200
    assert case["proposal"] == {"decision": "reissue", "reasons": ["short_call"]}
    status, after = await decided(service, claim["id"], "reissue", support)
    await quiet(service)

    assert (status, after["state"], after["decision"]["decision"]) == (200, "decided", "reissue")
    _, page = await ask(service, "GET", "/v1/vouchers", service.device(CALLER))
    new, old = page["items"]
    assert (old["id"], old["state"], old["replaced_by"]) == (before.id, "reissued", new["id"])
    assert (new["state"], new["valid_until"]) == ("issued", old["valid_until"])
    (sms,) = [
        one for one in await messages(service, "sms") if one["template"] == "voucher_reissued"
    ]
    assert new["code_ending"] in sms["text"].replace("-", "")
    assert ("claim_reissue", 0) in await talk_reasons(service, order)


@pytest.mark.rule("A28", "X07")
async def test_a_resumed_order_is_called_again_with_the_rest_of_its_talk_and_the_same_voucher(
    service: Service,
) -> None:
    order = await talked(service, 300, counselor_ends=True)
    support = await service.sign_in("support")
    _, claim = await claimed(service, order)

    status, _ = await decided(service, claim["id"], "resume", support)
    await quiet(service)

    assert status == 200
    _, seen = await ask(service, "GET", f"/v1/orders/{order}", service.device(CALLER))
    assert seen["state"] == "interrupted"
    assert seen["remaining_seconds"] in (1200, 1201)
    booked = dict(await talk_reasons(service, order))
    assert booked["claim_resume"] == seen["remaining_seconds"]
    (sms,) = [one for one in await messages(service, "sms") if one["template"] == "claim_resumed"]
    assert "20分钟" in sms["text"]
    pushes = [one["template"] for one in await messages(service, "status")]
    assert pushes[-3:].count("claim.decided") == 1
    assert "claim.opened" in pushes
    assert pushes.count("order.interrupted") == 1

    await service.script(CALLER, answers="yes", after_seconds=1, talks_for_seconds=60)
    await service.let_pass(120)
    status, call = await service.place_call(order, CALLER)
    assert status == 202, call
    await service.let_pass(200)
    assert (await service.people.see_order(order)).state is OrderState.COMPLETED
    voucher = await service.people.see_voucher(order)
    assert (voucher.state, voucher.order) == (VoucherState.CONSUMED, order)
    assert await faults_in_the_books(service) == []


@pytest.mark.rule("X07")
async def test_a_resumed_order_has_five_minutes_at_least_for_a_day_and_then_closes(
    service: Service,
) -> None:
    order = await talked(service, 1400, counselor_ends=True)
    support = await service.sign_in("support")
    claim = await one_claim(service, support)

    await decided(service, claim["id"], "resume", support)

    assert (await service.people.see_order(order)).remaining_seconds == 300
    await service.let_pass(DAY - 60)
    assert (await service.people.see_order(order)).state is OrderState.INTERRUPTED
    await service.let_pass(61)
    assert (await service.people.see_order(order)).state is OrderState.CLOSED


@pytest.mark.rule("X16")
async def test_the_time_of_filing_counts_and_a_claim_is_decided_after_its_window_closed(
    service: Service,
) -> None:
    order = await talked(service, 300)
    await claimed(service, order)
    support = await service.sign_in("support")
    await service.let_pass(3 * DAY)
    support = await service.sign_in("support")

    status, _ = await decided(service, (await one_claim(service, support))["id"], "resume", support)

    assert status == 200
    assert (await service.people.see_order(order)).state is OrderState.INTERRUPTED


async def test_of_two_decisions_at_once_one_counts_and_the_other_hears_which(
    service: Service,
) -> None:
    order = await talked(service, 30)
    support, other = await service.sign_in("support"), await service.sign_in("supervisor")
    claim = (await one_claim(service, support))["id"]

    answers = await asyncio.gather(
        *(
            decided(service, claim, decision, who)
            for decision in ("resume", "reissue")
            for who in (support, other)
            for _ in range(5)
        )
    )

    assert Counter(status for status, _ in answers) == {200: 1, 409: 19}
    won = next(answer["decision"]["decision"] for status, answer in answers if status == 200)
    refused = [answer for status, answer in answers if status == 409]
    assert {answer["code"] for answer in refused} == {"not_now"}
    assert all(won in answer["detail"] for answer in refused)
    vouchers = await service.house.pool.fetchval("SELECT count(*) FROM vouchers")
    assert vouchers == (2 if won == "reissue" else 1)
    assert len([one for one in await deeds(service, claim) if one[0] == "claim.decided"]) == 1
    assert await faults_in_the_books(service) == []
    assert (await service.people.see_order(order)).settled is not None


@pytest.mark.rule("X10")
async def test_a_voucher_is_replaced_a_second_time_by_a_supervisor_alone(service: Service) -> None:
    support, supervisor = await service.sign_in("support"), await service.sign_in("supervisor")
    await talked(service, 30)
    await decided(service, (await one_claim(service, support))["id"], "reissue", support)
    _, page = await ask(service, "GET", "/v1/vouchers", service.device(CALLER))
    new = page["items"][0]["id"]
    order = await talked(service, 30, counselor="+8613900000002", voucher=new, again=True)
    claim = (await one_claim(service, support))["id"]

    status, problem = await decided(service, claim, "reissue", support)
    assert (status, problem["code"]) == (422, "quota_used")
    assert (await service.people.see_voucher(order)).state is VoucherState.CONSUMED
    assert (await one_claim(service, support))["state"] == "open"
    status, _ = await decided(service, claim, "reissue", supervisor)

    assert status == 200
    assert (await service.people.see_voucher(order)).state is VoucherState.REISSUED


async def test_nothing_is_decided_while_a_call_works_for_the_order(service: Service) -> None:
    order = await talked(service, 300, ends_by="drop")
    _, claim = await claimed(service, order)
    support = await service.sign_in("support")
    await service.script(CALLER, answers="yes", after_seconds=1)
    status, _ = await service.place_call(order, CALLER)
    assert status == 202
    await service.let_pass(5)

    for decision in ("resume", "reissue"):
        status, problem = await decided(service, claim["id"], decision, support)
        assert (status, problem["code"]) == (409, "call_in_progress")
    assert (await one_claim(service, support))["id"] == claim["id"]


async def test_a_claim_is_not_rejected_before_the_call_it_is_about_has_ended(
    service: Service,
) -> None:
    people = service.people
    chosen = await people.counselor(COUNSELOR)
    order = await people.order(await people.caller(CALLER), chosen)
    await service.script(CALLER, answers="yes", after_seconds=1)
    await service.script(
        COUNSELOR, answers="yes", after_seconds=1, presses="1", talks_for_seconds=30
    )
    status, _ = await service.place_call(order, CALLER)
    assert status == 202
    await service.let_pass(10)
    support = await service.sign_in("support")
    status, claim = await claimed(service, order)
    assert status == 201

    status, problem = await decided(service, claim["id"], "reject", support)

    assert (status, problem["code"]) == (409, "call_in_progress")
    await service.let_pass(300)
    waiting = await one_claim(service, support)
    assert waiting["id"] == claim["id"]
    assert set(waiting["grounds"]) == {"filed", "review"}
    status, _ = await decided(service, claim["id"], "reject", support)
    assert status == 200
