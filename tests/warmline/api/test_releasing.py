"""An order is let go from a counselor who cannot be reached, and another is chosen (X04)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from terms.ids import CounselorId, OrderId, ProgramId
from tests.people import CALLER, LISTENING, TENANT
from tests.serving import Service, a_service
from warmline.audit import deeds_about
from warmline.programs import load_shipped

OTHER = "+8613900000002"
LENIENT = ProgramId("lenient-listening")
REASON = "she is ill and will not be back today"


@pytest.fixture
async def lenient(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service with a program that offers the release by itself."""
    body = load_shipped()[LISTENING].body
    for old, new in (
        ('id = "psych-listening"', f'id = "{LENIENT}"'),
        ('matching = "named"', 'matching = "named"\nrelease_when_offline = true'),
        ("+862100000025", "95002"),
    ):
        assert old in body
        body = body.replace(old, new)
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    (sheets / "lenient.toml").write_text(body, encoding="utf-8")
    async with a_service(database_url, tmp_path / "data", programs=sheets) as one:
        yield one


async def an_order(
    service: Service, program: ProgramId = LISTENING
) -> tuple[OrderId, CounselorId, CounselorId]:
    """An order with its counselor, and another who could talk."""
    mine = await service.people.counselor(program=program)
    other = await service.people.counselor(OTHER, program=program)
    order = await service.people.order(await service.people.caller(), mine, program=program)
    return order, mine, other


async def ask(
    service: Service, headers: dict[str, str], method: str, path: str, body: object = None
) -> tuple[int, dict[str, object]]:
    async with service.client.request(method, path, headers=headers, json=body) as response:
        return response.status, await response.json()


async def sign_off(service: Service, counselor: CounselorId) -> None:
    await service.house.pool.execute(
        "UPDATE counselors SET presence = 'offline', lease_until = NULL WHERE id = $1", counselor
    )


@pytest.mark.rule("X04", "A37")
async def test_support_releases_an_order_with_a_reason_and_only_then_another_may_be_chosen(
    service: Service,
) -> None:
    order, mine, other = await an_order(service)
    caller, support = service.device(CALLER), await service.sign_in("support")
    choice = {"counselor": other}
    status, refusal = await ask(service, caller, "PUT", f"/v1/orders/{order}/counselor", choice)
    assert (status, refusal["code"]) == (409, "order_not_open")

    path = f"/v1/orders/{order}/release"
    assert (await ask(service, support, "POST", path, {}))[0] == 422
    status, released = await ask(service, support, "POST", path, {"reason": REASON})
    assert (status, released["counselor"]) == (200, None)

    status, chosen = await ask(service, caller, "PUT", f"/v1/orders/{order}/counselor", choice)
    assert (status, chosen["counselor"]) == (200, other)
    assert (await service.people.see_voucher(order)).state == "held"
    assert await service.people.timeline(order) == ["order.released", "order.matched"]
    async with service.house.pool.acquire() as connection:
        deeds = await deeds_about(connection, service.house.seal, TENANT, order)
    assert [(one.deed.action, one.deed.reason) for one in deeds] == [("order.released", REASON)]
    assert mine != other


@pytest.mark.rule("X04")
async def test_nobody_but_support_releases_and_a_caller_only_where_it_is_offered(
    service: Service,
) -> None:
    order, mine, _ = await an_order(service)
    path = f"/v1/orders/{order}/release"
    await sign_off(service, mine)
    await service.let_pass(11 * 3600)  # after closing

    for role in ("steward", "supervisor", "operator"):
        headers = await service.sign_in(role)
        assert (await ask(service, headers, "POST", path, {"reason": REASON}))[0] == 403
    caller = service.device(CALLER)
    status, refusal = await ask(service, caller, "POST", path, {"reason": REASON})
    assert (status, refusal["code"]) == (409, "order_not_open")
    _, shown = await ask(service, caller, "GET", f"/v1/orders/{order}")
    assert (shown["release_offered"], shown["counselor"]) == (False, mine)


async def test_an_order_that_is_being_called_is_not_released(service: Service) -> None:
    order, mine, _ = await an_order(service)
    await service.place_call(order, CALLER)
    support = await service.sign_in("support")

    path = f"/v1/orders/{order}/release"
    status, refusal = await ask(service, support, "POST", path, {"reason": REASON})

    assert (status, refusal["code"]) == (409, "call_in_progress")
    assert (await service.people.see_order(order)).counselor == mine


@pytest.mark.rule("X04")
async def test_a_program_may_offer_the_release_once_the_counselor_is_gone_for_the_day(
    lenient: Service,
) -> None:
    order, mine, _ = await an_order(lenient, LENIENT)
    caller = lenient.device(CALLER)
    path = f"/v1/orders/{order}"

    async def offered() -> object:
        return (await ask(lenient, caller, "GET", path))[1]["release_offered"]

    await sign_off(lenient, mine)
    assert await offered() is False  # it is noon, and they may come back
    await lenient.let_pass(10 * 3600)
    assert await offered() is True
    status, released = await ask(
        lenient, caller, "POST", f"{path}/release", {"reason": "I need to talk now"}
    )

    assert (status, released["counselor"]) == (200, None)
    assert await offered() is False
