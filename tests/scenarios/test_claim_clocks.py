"""Nobody lets a claim lie: supervisors are told before it is late, once, and when it is (B19)."""

import asyncio
from datetime import timedelta

import pytest

from billing.store.claims import load_claim
from dialer.events import CounselorHungUp
from terms.ids import ClaimId, OrderId
from tests.house import House
from tests.people import TENANT
from tests.scenarios.claiming import ask, claimed, decided, queue, talked
from tests.serving import Service
from warmline.desk.claim_alarms import sound_next_alarm

HOUR = 3600


async def reviewed(house: House) -> tuple[OrderId, ClaimId]:
    """A call that the counselor left early."""
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await house.call(order)
    await house.pass_time(180)
    await house.command(order, CounselorHungUp())
    claim = await house.pool.fetchval("SELECT id FROM claims WHERE order_id = $1", order)
    return order, ClaimId(claim)


def counted(house: House, stage: str, alarm: str) -> float:
    """How often that alarm was told."""
    value = house.desk.metrics.registry.get_sample_value(
        "warmline_claim_alarms_total", {"stage": stage, "alarm": alarm}
    )
    return value or 0.0


@pytest.mark.rule("B19")
async def test_supervisors_are_told_once_before_a_claim_is_late_and_once_when_it_is(
    house: House,
) -> None:
    order, claim = await reviewed(house)

    house.clock.move_to(house.clock.now() + timedelta(hours=19, minutes=59))
    await house.crew.escalator.look()
    assert counted(house, "claim", "escalated") == 0
    house.clock.move_to(house.clock.now() + timedelta(minutes=1))
    for _ in range(3):
        due = await house.crew.escalator.look()
    assert counted(house, "claim", "escalated") == 1
    assert counted(house, "claim", "breached") == 0
    assert due is not None
    house.clock.move_to(due)
    for _ in range(3):
        assert await house.crew.escalator.look() is None

    assert counted(house, "claim", "breached") == 1
    kinds = [kind for kind in await house.timeline(order) if kind.startswith("claim.")]
    assert kinds == ["claim.escalated", "claim.breached"]
    async with house.pool.acquire() as connection:
        found = await load_claim(connection, TENANT, claim)
    assert found is not None
    assert found.escalated_at is not None
    assert found.breached_at == found.due_at


@pytest.mark.rule("B19")
async def test_several_processes_tell_each_alarm_once(house: House) -> None:
    await reviewed(house)
    house.clock.move_to(house.clock.now() + timedelta(hours=30))

    told = await asyncio.gather(*(sound_next_alarm(house.desk) for _ in range(8)))
    while await sound_next_alarm(house.desk):
        told.append(True)

    assert sum(told) == 2
    assert counted(house, "claim", "escalated") == 1
    assert counted(house, "claim", "breached") == 1


async def test_nobody_is_alarmed_by_what_is_decided(service: Service) -> None:
    order = await talked(service, 300)
    _, claim = await claimed(service, order)
    await decided(service, claim["id"], "reject", await service.sign_in("support"))

    await service.let_pass(30 * HOUR)

    assert "claim.escalated" not in await service.people.timeline(order)


@pytest.mark.rule("B19")
async def test_escalated_claims_come_first_for_a_supervisor_and_by_deadline_for_support(
    service: Service,
) -> None:
    for number in range(3):
        order = await talked(
            service, 300, number=f"+861380000000{number}", counselor=f"+861390000000{number}"
        )
        await claimed(service, order, number=f"+861380000000{number}")
        await service.let_pass(HOUR)
    support = await service.sign_in("support")
    by_deadline = [one["id"] for one in await queue(service, support)]
    # The last one runs out first from now on, but only the second was escalated.
    await service.house.pool.execute(
        "UPDATE claims SET due_at = due_at - interval '30 minutes', "
        "escalated_at = opened_at WHERE id = $1",
        by_deadline[1],
    )
    supervisor = await service.sign_in("supervisor")

    assert [one["id"] for one in await queue(service, supervisor)] == [
        *(by_deadline[1], by_deadline[0], by_deadline[2]),
    ]
    assert [one["id"] for one in await queue(service, support)] == by_deadline
    pages = []
    query = "?limit=1"
    while True:
        _, page = await ask(service, "GET", f"/v1/claims{query}", supervisor)
        pages += [one["id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"?limit=1&cursor={page['next_cursor']}"
    assert pages == [by_deadline[1], by_deadline[0], by_deadline[2]]


@pytest.mark.rule("B19")
async def test_the_insurers_stage_has_a_clock_of_its_own(service: Service) -> None:
    order = await talked(service, 300)
    _, claim = await claimed(service, order)
    await decided(service, claim["id"], "reject", await service.sign_in("support"))
    status, seen = await ask(
        service, "POST", f"/v1/claims/{claim['id']}/appeal", service.device("+8613800000001")
    )
    assert status == 201
    assert seen["due_at"] > claim["due_at"]

    await service.let_pass(20 * HOUR + 1)

    _, page = await ask(service, "GET", "/v1/appeals", await service.sign_in("insurer"))
    assert page["items"][0]["escalated_at"] is not None
    kinds = [one for one in await service.people.timeline(order) if one == "claim.escalated"]
    assert len(kinds) == 1
