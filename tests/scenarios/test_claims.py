"""Claims as people live them, over real HTTP: filed, looked at, and decided once."""

import asyncio
import json
from collections import Counter
from datetime import timedelta

import pytest

from billing.ledger import verify_chain
from billing.order import State as OrderState
from billing.store.ledger import entries_of
from billing.talk import book_of
from billing.voucher import State as VoucherState
from dialer.store.calls import calls_of
from terms.ids import OrderId
from tests.people import CALLER, COUNSELOR, TENANT
from tests.scenarios.claiming import (
    ask,
    claimed,
    decided,
    messages,
    one_claim,
    queue,
    talked,
)
from tests.serving import Service
from tests.warmline.api.everybody import quiet
from warmline.ledger.verifying import verify

OTHER = "+8613800000002"
DAY = 86_400


async def talk_reasons(service: Service, order: OrderId) -> list[tuple[str, int]]:
    """The book of the order's talk, which must be whole."""
    async with service.house.pool.acquire() as connection:
        entries = await entries_of(connection, TENANT, book_of(order))
    assert verify_chain(entries) == []
    return [(entry.reason, entry.units) for entry in entries]


async def faults_in_the_books(service: Service) -> list[str]:
    """What the ledger's own check finds wrong."""
    async with service.house.pool.acquire() as connection:
        (found,) = await verify(connection, service.house.seal, TENANT)
    return [fault.what for fault in found.faults]


async def deeds(service: Service, claim: str) -> list[tuple[str, object, object]]:
    """What staff did with the claim: action, and states before and after."""
    rows = await service.house.pool.fetch(
        "SELECT action, before, after FROM staff_deeds WHERE subject = $1 ORDER BY id", claim
    )
    return [
        (row["action"], json.loads(row["before"] or "null"), json.loads(row["after"] or "null"))
        for row in rows
    ]


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


@pytest.mark.rule("A35", "X10", "X11")
async def test_what_the_desk_wants_reviewed_stands_in_the_queue_and_the_callers_claim_joins_it(
    service: Service,
) -> None:
    order = await talked(service, 300, counselor_ends=True)
    support = await service.sign_in("support")
    review = await one_claim(service, support)
    assert review["grounds"] == ["review"]
    assert review["review"] == "counselor_ended_early"

    _, claim = await claimed(service, order)

    joined = await one_claim(service, support)
    assert joined["id"] == claim["id"] == review["id"]
    assert joined["grounds"] == ["filed", "review"]
    assert joined["due_at"] == review["due_at"]
    _, case = await ask(service, "GET", f"/v1/claims/{claim['id']}", support)
    assert case["proposal"] == {"decision": "reissue", "reasons": ["counselor_ended_early"]}


@pytest.mark.rule("X07")
async def test_a_counselors_word_that_it_was_cut_off_is_evidence_for_the_caller(
    service: Service,
) -> None:
    order = await talked(service, 300)
    counselor = (await service.people.see_order(order)).counselor
    call = await service.people.see_call(order)
    _, claim = await claimed(service, order)
    support = await service.sign_in("support")
    path = f"/v1/claims/{claim['id']}"
    _, before = await ask(service, "GET", path, support)

    status, _ = await ask(
        service,
        "POST",
        f"/v1/calls/{call.id}/wrap-up",
        await service.sign_in("counselor", counselor=counselor),
        {"summary": "the line went dead", "disposition": "invalid", "cut_off": True},
    )
    assert status == 200
    _, after = await ask(service, "GET", path, support)

    assert before["proposal"] == {"decision": "reject", "reasons": ["hung_up"]}
    assert after["evidence"]["counselor_mark"] is True
    assert after["evidence"]["verdict"]["kind"] == "suspected_drop"
    assert after["proposal"] == {
        "decision": "resume",
        "reasons": ["suspected_drop", "counselor_says_cut_off"],
    }
    assert after["grounds"] == ["filed", "review"]


@pytest.mark.rule("X10", "X11")
async def test_a_review_is_decided_without_anybody_having_asked(service: Service) -> None:
    order = await talked(service, 300, counselor_ends=True)
    support = await service.sign_in("support")

    status, _ = await decided(
        service, (await one_claim(service, support))["id"], "reissue", support
    )
    await quiet(service)

    assert status == 200
    assert (await service.people.see_voucher(order)).state is VoucherState.REISSUED
    _, page = await ask(service, "GET", f"/v1/orders/{order}/claims", service.device(CALLER))
    assert [claim["decision"]["decision"] for claim in page["items"]] == ["reissue"]


async def test_a_review_that_nobody_decided_is_none_of_the_callers_business(
    service: Service,
) -> None:
    order = await talked(service, 30)

    _, page = await ask(service, "GET", f"/v1/orders/{order}/claims", service.device(CALLER))

    assert page["items"] == []


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


async def test_support_sees_the_evidence_and_the_books_of_a_claim(service: Service) -> None:
    first = await talked(service, 300)
    order = await talked(service, 100, counselor="+8613900000002", again=True)
    _, claim = await claimed(service, order)
    support = await service.sign_in("support")

    _, case = await ask(service, "GET", f"/v1/claims/{claim['id']}", support)

    assert {leg["role"] for leg in case["evidence"]["legs"]} == {"caller", "counselor"}
    assert case["evidence"]["verdict"]["reasons"]
    assert "judged" in [line["kind"] for line in case["evidence"]["timeline"]]
    async with service.house.pool.acquire() as connection:
        (earlier,) = await calls_of(connection, TENANT, first)
    assert [one["id"] for one in case["earlier_calls"]] == [earlier.id]
    assert [entry["to_account"] for entry in case["voucher_ledger"]] == [
        *("pending", "issued", "held", "consumed"),
    ]
    assert case["talk_ledger"][0]["reason"] == "granted"
    assert case["order_now"]["id"] == order


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


@pytest.mark.rule("B21")
async def test_every_decision_leaves_who_when_why_and_what_it_changed(service: Service) -> None:
    order = await talked(service, 300)
    _, claim = await claimed(service, order)
    support = await service.sign_in("support")

    await decided(service, claim["id"], "reject", support, reason="they hung up themselves")
    await quiet(service)

    ((action, before, after),) = await deeds(service, claim["id"])
    assert action == "claim.decided"
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert (before["claim"], after["claim"]) == ("open", "decided")
    assert before["order"] == after["order"] == "completed"
    assert after["decision"] == "reject"
    assert ("claim_reject", 0) in await talk_reasons(service, order)
    (sms,) = [one for one in await messages(service, "sms") if one["template"] == "claim_rejected"]
    assert sms["to"] == "+86138****0001"
    pushed = [
        one for one in await messages(service, "status") if one["template"] == "claim.decided"
    ]
    assert len(pushed) == 1
    assert "hung up" not in str(pushed)
    _, page = await ask(service, "GET", f"/v1/orders/{order}/claims", service.device(CALLER))
    assert page["items"][0]["decision"]["reason"] == "they hung up themselves"


@pytest.mark.parametrize("table", ["staff_deeds", "claim_words"])
async def test_what_was_written_about_a_claim_cannot_be_changed(
    service: Service, table: str
) -> None:
    order = await talked(service, 300)
    _, claim = await claimed(service, order)
    await decided(service, claim["id"], "reject", await service.sign_in("support"))

    for statement in (f"UPDATE {table} SET at = now()", f"DELETE FROM {table}"):
        with pytest.raises(Exception, match="append-only"):
            await service.house.pool.execute(statement)


@pytest.mark.rule("B22")
async def test_what_a_person_wrote_is_sealed_and_reading_it_is_kept(service: Service) -> None:
    secret = "my sister was in the room"
    order = await talked(service, 300)
    _, claim = await claimed(service, order, reason=secret, text=secret)
    support = await service.sign_in("support")
    counselor = await service.sign_in("counselor")
    path = f"/v1/claims/{claim['id']}"

    status, _ = await ask(service, "GET", path, counselor)
    _, case = await ask(service, "GET", path, support)

    assert status == 403
    assert case["written"][0]["text"] == secret
    rows = await service.house.pool.fetch("SELECT words_sealed FROM claim_words")
    assert not any(secret.encode() in row["words_sealed"] for row in rows)
    everywhere = await service.house.pool.fetch(
        "SELECT data::text AS said FROM notices UNION ALL SELECT data::text FROM timeline"
    )
    assert not any(secret in row["said"] for row in everywhere)
    assert [action for action, _, _ in await deeds(service, claim["id"])] == ["claim.read"]


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
