"""What the stories about claims do again and again: talk, claim, decide, over real HTTP."""

import json
from collections.abc import Mapping
from typing import Any

from billing.ledger import verify_chain
from billing.store.ledger import entries_of
from billing.talk import book_of
from terms.ids import OrderId, VoucherId
from tests.people import CALLER, COUNSELOR, TENANT
from tests.serving import Service
from warmline.ledger.verifying import verify

Told = dict[str, Any]


async def ask(
    service: Service,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: Mapping[str, object] | None = None,
) -> tuple[int, Told]:
    """Status and answer."""
    async with service.client.request(method, path, headers=headers, json=body) as response:
        return response.status, await response.json(content_type=None)


async def talked(
    service: Service,
    seconds: float = 30,
    *,
    number: str = CALLER,
    counselor: str = COUNSELOR,
    ends_by: str = "hangup",
    voucher: VoucherId | None = None,
    counselor_ends: bool = False,
    again: bool = False,
) -> OrderId:
    """An order whose two talked for `seconds`; by default the caller then hung up.

    `again` when the caller has talked before: their phone is verified already.
    """
    people = service.people
    chosen = await people.counselor(counselor)
    order = await people.order(
        await people.caller(number, verified=not again), chosen, voucher=voucher
    )
    ends = {"talks_for_seconds": seconds, "ends_by": ends_by}
    stays = {"ends_by": "stays"}
    await service.script(
        number, answers="yes", after_seconds=1, **(stays if counselor_ends else ends)
    )
    await service.script(
        counselor,
        answers="yes",
        after_seconds=1,
        presses="1",
        **(ends if counselor_ends else stays),
    )
    status, call = await service.place_call(order, number)
    assert status == 202, call
    await service.let_pass(10)
    await service.script(number, answers="off")
    await service.let_pass(seconds + 200)
    return order


async def claimed(
    service: Service,
    order: OrderId,
    *,
    number: str = CALLER,
    reason: str = "it was cut off",
    text: str | None = None,
) -> tuple[int, Told]:
    """The caller asks."""
    body = {"reason": reason} if text is None else {"reason": reason, "text": text}
    return await ask(service, "POST", f"/v1/orders/{order}/claims", service.device(number), body)


async def decided(
    service: Service,
    claim: str,
    decision: str,
    who: Mapping[str, str],
    *,
    path: str = "claims",
    reason: str = "we looked at it",
) -> tuple[int, Told]:
    """Somebody decides."""
    body = {"decision": decision, "reason": reason}
    return await ask(service, "POST", f"/v1/{path}/{claim}/decision", who, body)


async def queue(service: Service, who: Mapping[str, str], query: str = "") -> list[Told]:
    """What waits for a decision."""
    status, page = await ask(service, "GET", f"/v1/claims{query}", who)
    assert status == 200, page
    items: list[Told] = page["items"]
    return items


async def one_claim(service: Service, who: Mapping[str, str]) -> Told:
    """The only claim that waits."""
    (claim,) = await queue(service, who)
    return claim


async def messages(service: Service, kind: str) -> list[Told]:
    """What was sent, oldest first."""
    async with service.client.get("/sim/messages") as response:
        told: list[Told] = await response.json()
    return sorted((one for one in told if one["kind"] == kind), key=lambda one: str(one["at"]))


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
