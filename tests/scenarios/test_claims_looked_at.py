"""What support sees of a claim, and what the desk brings before it without being asked."""

import pytest

from billing.voucher import State as VoucherState
from dialer.store.calls import calls_of
from tests.people import CALLER, TENANT
from tests.scenarios.claiming import (
    ask,
    claimed,
    decided,
    one_claim,
    talked,
)
from tests.serving import Service
from tests.warmline.api.everybody import quiet


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
