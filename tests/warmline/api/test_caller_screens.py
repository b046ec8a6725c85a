"""What the caller's pages rebuild a screen from: the phone, the order, its last call."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.people import CALLER, COUNSELOR
from tests.serving import Service
from tests.warmline.api.everybody import api_key

Headers = dict[str, str]


async def ask(
    service: Service, method: str, path: str, who: Headers, **request: Any
) -> tuple[int, Any]:
    async with service.client.request(method, path, headers=who, **request) as response:
        return response.status, await response.json() if response.status != 204 else None


@pytest.mark.rule("A11")
async def test_a_device_need_not_say_the_number_it_was_verified_for(service: Service) -> None:
    order = await service.people.order(
        await service.people.caller(), await service.people.counselor()
    )

    status, call = await ask(
        service, "POST", f"/v1/orders/{order}/calls", service.device(CALLER), json={}
    )

    assert (status, call["state"]) == (202, "ringing_first")
    await service.let_pass(1)
    shown = await (await service.client.get("/sim/handsets")).json()
    assert {phone["number"] for phone in shown if phone["state"] == "ringing"} == {CALLER}


async def test_an_app_has_to_name_its_customers_number(service: Service) -> None:
    order = await service.people.order(
        await service.people.caller(), await service.people.counselor()
    )
    key = {"Authorization": f"Bearer {await api_key(service)}"}

    status, told = await ask(service, "POST", f"/v1/orders/{order}/calls", key, json={})

    assert (status, told["errors"][0]["pointer"]) == (422, "/phone")


async def test_a_forgotten_device_may_do_nothing_until_its_number_is_verified_again(
    service: Service,
) -> None:
    await service.people.caller()
    mine = service.device(CALLER)
    status, device = await ask(service, "GET", "/v1/devices/current", mine)
    assert (status, device["phone"]) == (200, "+86138****0001")
    lives = _instant(device["expires_at"]) - _instant(device["verified_at"])
    assert lives == timedelta(days=180)

    assert (await ask(service, "DELETE", "/v1/devices/current", mine))[0] == 204

    assert (await ask(service, "GET", "/v1/orders", mine))[0] == 401


async def test_an_order_tells_whom_it_is_for_what_was_talked_and_until_when_to_complain(
    service: Service,
) -> None:
    order = await service.people.order(
        await service.people.caller(), await service.people.counselor()
    )
    path, mine = f"/v1/orders/{order}", service.device(CALLER)
    _, before = await ask(service, "GET", path, mine)
    assert (before["counselor_name"], before["last_call"]) == ("Chen Xin", None)
    assert before["counselor_credential"] != ""
    assert (before["granted_seconds"], before["talked_seconds"]) == (1500, 0)
    await service.script(CALLER, answers="yes", talks_for_seconds=90)
    await service.script(COUNSELOR, answers="yes", presses="1")
    _, call = await service.place_call(order, CALLER)
    await service.let_pass(150)

    _, after = await ask(service, "GET", path, mine)

    last = after["last_call"]
    assert (last["id"], last["talked_seconds"], last["verdict"]) == (call["id"], 90, "party_ended")
    assert _instant(last["claim_until"]) - _instant(last["ended_at"]) == timedelta(hours=24)
    assert (after["talked_seconds"], after["state"]) == (90, "completed")
    (listed,) = (await ask(service, "GET", "/v1/orders", mine))[1]["items"]
    assert listed == {**after, "release_offered": False}


@pytest.mark.rule("C09", "A36")
async def test_an_order_shows_the_rating_and_the_claim_that_its_caller_gave(
    service: Service,
) -> None:
    path, mine = await _talked(service), service.device(CALLER)
    _, before = await ask(service, "GET", path, mine)
    scores = {"timeliness": 5, "quality": 4, "attitude": 5}
    _, rating = await ask(service, "POST", f"{path}/rating", mine, json=scores | {"text": "谢谢"})
    _, filed = await ask(service, "POST", f"{path}/claims", mine, json={"reason": "cut_off"})

    _, after = await ask(service, "GET", path, mine)

    assert (before["rating"], before["claim"]) == (None, None)
    assert (after["rating"], after["claim"]) == (rating, filed)
    given = {name: after["rating"][name] for name in scores}
    assert given == scores
    change = _instant(rating["change_until"]) - _instant(rating["rated_at"])
    assert change == timedelta(hours=24)
    assert (filed["state"], filed["decision"]) == ("open", None)
    (listed,) = (await ask(service, "GET", "/v1/orders", mine))[1]["items"]
    assert listed == after


async def test_a_rejected_claim_shows_in_the_order_why_and_until_when_it_may_be_appealed(
    service: Service,
) -> None:
    path, mine = await _talked(service), service.device(CALLER)
    _, filed = await ask(service, "POST", f"{path}/claims", mine, json={"reason": "bad_line"})
    support = await service.sign_in("support")
    decision = {"decision": "reject", "reason": "线路记录完整"}
    await ask(service, "POST", f"/v1/claims/{filed['id']}/decision", support, json=decision)

    _, rejected = await ask(service, "GET", path, mine)
    await ask(service, "POST", f"/v1/claims/{filed['id']}/appeal", mine)
    _, appealed = await ask(service, "GET", path, mine)

    told = rejected["claim"]["decision"]
    assert (told["decision"], told["reason"]) == ("reject", "线路记录完整")
    assert rejected["claim"]["appeal_until"] is not None
    assert (appealed["claim"]["state"], appealed["claim"]["decision"]) == ("appealed", told)


async def _talked(service: Service) -> str:
    """The path of an order whose two people have talked."""
    order = await service.people.order(
        await service.people.caller(), await service.people.counselor()
    )
    await service.script(CALLER, answers="yes", talks_for_seconds=90)
    await service.script(COUNSELOR, answers="yes", presses="1")
    await service.place_call(order, CALLER)
    await service.let_pass(150)
    return f"/v1/orders/{order}"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
