"""Support finds a case by whatever is known of it, and sees a number for a reason on record."""

from typing import Any

import pytest

from tests.people import CALLER
from tests.serving import Service
from tests.warmline.api.everybody import STRANGER, Everybody, everybody


@pytest.fixture
async def there(service: Service) -> Everybody:
    return await everybody(service, talking=True)


async def found(there: Everybody, text: str) -> list[dict[str, Any]]:
    told = await asked(there, "support", "POST", "/v1/staff/orders/search", json={"text": text})
    items: list[dict[str, Any]] = told["items"]
    return items


async def asked(
    there: Everybody, who: str, method: str, path: str, **request: Any
) -> dict[str, Any]:
    """The answer to what must go well."""
    status, told = await there.ask(who, method, path, **request)
    assert status == 200, told
    return told


async def test_an_order_is_found_by_every_id_and_number_that_belongs_to_it(
    there: Everybody,
) -> None:
    known = (there.order, there.call, there.claim, there.voucher, there.caller)
    for text in (*known, CALLER, CALLER.removeprefix("+86"), "+86138****0001", f" {CALLER} "):
        (order,) = await found(there, text)
        assert (order["id"], order["phone"]) == (there.order, "+86138****0001"), text


async def test_what_fits_nothing_finds_nothing(there: Everybody) -> None:
    for text in ("order_none", STRANGER, "+86138****0009", "hello", "110", "%%%", "***"):
        assert await found(there, text) == []


async def test_a_case_shows_order_calls_claims_and_who_looked(there: Everybody) -> None:
    path = "/v1/staff/orders/{order}"
    await asked(there, "supervisor", "GET", path)

    case = await asked(there, "support", "GET", path)

    assert case["phone"] == "+86138****0001"
    (call,) = case["calls"]
    assert (call["id"], call["verdict"]) == (there.call, None)
    assert [claim["id"] for claim in case["claims"]] == [there.claim]
    assert [deed["action"] for deed in case["deeds"]] == ["order.read"] * 2
    assert CALLER not in str(case)


async def test_the_trail_names_who_did_it_and_keeps_the_id_of_an_account_that_is_gone(
    there: Everybody,
) -> None:
    pool, path = there.service.house.pool, "/v1/staff/orders/{order}"
    before = await asked(there, "support", "GET", path)
    await asked(there, "supervisor", "GET", path)
    mail = await pool.fetchval("SELECT email FROM staff WHERE id = $1", before["deeds"][0]["staff"])

    (support, supervisor) = (await asked(there, "supervisor", "GET", path))["deeds"][:2]
    assert support["name"] == mail
    assert supervisor["name"] not in (None, mail)

    await pool.execute("DELETE FROM staff WHERE id = $1", support["staff"])
    gone = (await asked(there, "supervisor", "GET", path))["deeds"][0]
    assert (gone["staff"], gone["name"]) == (support["staff"], None)


async def test_a_number_is_shown_for_a_reason_that_is_kept(there: Everybody) -> None:
    path = "/v1/staff/callers/{caller}/reveal"
    assert (await there.ask("support", "POST", path, json={}))[0] == 422
    why = {"reason": "the line was cut, calling back"}

    status, told = await there.ask("support", "POST", path, json=why)

    assert (status, told) == (200, {"phone": CALLER})
    pool = there.service.house.pool
    deed = await pool.fetchrow("SELECT * FROM staff_deeds WHERE action = 'number.revealed'")
    assert deed is not None
    assert deed["subject"] == there.caller
    assert CALLER not in str(dict(deed))
    assert b"cut" not in deed["reason_sealed"]


async def test_nobody_reveals_the_whole_list(there: Everybody) -> None:
    path, why = "/v1/staff/callers/{caller}/reveal", {"reason": "curious"}
    answers = [(await there.ask("support", "POST", path, json=why))[0] for _ in range(21)]

    assert answers == [200] * 20 + [429]
    assert (await there.ask("supervisor", "POST", path, json=why))[0] == 200
