"""Supervisors and support step in: a call is ended, an order given up, and who did it is kept."""

import pytest

from tests.people import CALLER, TENANT
from tests.serving import Service
from tests.warmline.api.everybody import Everybody, everybody
from warmline.audit import Audited, deeds_about

OFF = {"answers": "off"}
REASON = "asked for by the family"


async def deeds(service: Service, subject: str) -> list[Audited]:
    async with service.house.pool.acquire() as connection:
        return await deeds_about(connection, service.house.seal, TENANT, subject)


async def end(all_: Everybody, who: str, **body: object) -> tuple[int, dict[str, object]]:
    return await all_.ask(who, "POST", "/v1/calls/{call}/end", json={"reason": REASON, **body})


@pytest.mark.parametrize("who", ["supervisor", "support"])
async def test_staff_end_a_talk_which_is_judged_so_reviewed_and_kept_with_its_reason(
    service: Service, who: str
) -> None:
    all_ = await everybody(service)

    status, call = await end(all_, who)

    assert (status, call["state"]) == (200, "ended")
    _, evidence = await all_.ask(who, "GET", "/v1/calls/{call}")
    verdict = evidence["verdict"]
    assert isinstance(verdict, dict)
    assert (verdict["kind"], verdict["by"]) == ("operator_ended", "staff")
    assert (await service.people.see_order(all_.order)).state == "completed"
    reviewed = await service.house.pool.fetchval("SELECT reason FROM reviews")
    assert reviewed == "operator_ended"
    (deed,) = await deeds(service, all_.call)
    assert (deed.deed.action, deed.deed.reason) == ("call.ended", REASON)
    kept = await service.house.pool.fetchval("SELECT reason_sealed FROM staff_deeds")
    assert REASON.encode() not in kept


async def test_ending_what_is_over_changes_nothing_and_is_no_second_deed(service: Service) -> None:
    all_ = await everybody(service)
    await end(all_, "support")
    await service.let_pass(1)
    before = await service.people.see_call(all_.order)

    assert (await end(all_, "support"))[0] == 200

    assert await service.people.see_call(all_.order) == before
    assert len(await deeds(service, all_.call)) == 1


@pytest.mark.rule("X55")
async def test_a_call_in_crisis_is_ended_by_a_supervisor_who_confirms_and_by_nobody_else(
    service: Service,
) -> None:
    all_ = await everybody(service)
    await all_.ask("counselor", "POST", "/v1/calls/{call}/crisis")
    before = await service.people.see_call(all_.order)

    for who, confirm in (("supervisor", False), ("support", False), ("support", True)):
        status, refusal = await end(all_, who, confirm=confirm)
        assert (status, refusal["code"]) == (409, "not_now"), (who, confirm)
    assert await service.people.see_call(all_.order) == before
    assert await deeds(service, all_.call) == []

    assert (await end(all_, "supervisor", confirm=True))[0] == 200
    assert (await service.people.see_call(all_.order)).state == "ended"
    assert len(await deeds(service, all_.call)) == 1


@pytest.mark.parametrize(
    "who", ["caller", "app", "counselor", "steward", "operator", "insurer", "anyone"]
)
async def test_nobody_else_ends_a_call_or_gives_up_an_order_for_another(
    service: Service, who: str
) -> None:
    all_ = await everybody(service)

    expected = 401 if who == "anyone" else 403
    assert (await end(all_, who))[0] == expected
    path, body = "/v1/orders/{order}/cancel", {"reason": REASON}
    assert (await all_.ask(who, "POST", path, json=body))[0] == expected
    assert (await service.people.see_call(all_.order)).state == "bridged"


async def trying(service: Service) -> Everybody:
    """The caller's phone is off: the call waits for its next attempt."""
    all_ = await everybody(service, talking=False)
    await service.script(CALLER, **OFF)
    status, _ = await service.place_call(all_.order, CALLER)
    assert status == 202
    await service.let_pass(3)
    assert (await service.people.see_call(all_.order)).state == "waiting"
    return all_


@pytest.mark.parametrize(
    ("who", "method", "path"),
    [
        ("support", "POST", "/v1/orders/{order}/cancel"),
        ("app", "DELETE", "/v1/orders/{order}"),
    ],
)
async def test_an_order_given_up_for_its_caller_ends_the_call_that_tries_and_frees_the_voucher(
    service: Service, who: str, method: str, path: str
) -> None:
    all_ = await trying(service)
    body = {"json": {"reason": REASON}} if who == "support" else {}
    caller = await all_.ask("caller", "DELETE", "/v1/orders/{order}")
    assert (caller[0], caller[1]["code"]) == (409, "call_in_progress")

    status, order = await all_.ask(who, method, path, **body)

    assert (status, order["state"]) == (200, "cancelled")
    assert order["closed_reason"] == f"cancelled_by_{who}"
    call = await service.people.see_call(all_.order)
    assert (call.state, call.end_reason) == ("ended", "order_over")
    assert (await service.people.see_voucher(all_.order)).state == "returned"
    assert [one.deed.action for one in await deeds(service, all_.order)] == (
        ["order.cancelled"] if who == "support" else []
    )
    await service.let_pass(3600)
    assert (await service.people.see_order(all_.order)).state == "cancelled"


@pytest.mark.parametrize("who", ["support", "app"])
async def test_a_talk_is_not_cut_by_giving_up_its_order(service: Service, who: str) -> None:
    all_ = await everybody(service)
    path, body = "/v1/orders/{order}/cancel", {"json": {"reason": REASON}}

    if who == "support":
        status, refusal = await all_.ask(who, "POST", path, **body)
    else:
        status, refusal = await all_.ask(who, "DELETE", "/v1/orders/{order}")

    assert (status, refusal["code"]) == (409, "call_in_progress")
    assert (await service.people.see_call(all_.order)).state == "bridged"
    assert (await service.people.see_voucher(all_.order)).state == "consumed"
    assert await deeds(service, all_.order) == []
