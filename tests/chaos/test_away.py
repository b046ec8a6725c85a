"""What happened while nobody of ours was there is heard before anything is concluded from silence.

Time passes for the phones alone here, so that an absence is exactly as long as it has to be.
"""

from dataclasses import replace

import aiohttp
import pytest

from billing.voucher import State as VoucherState
from dialer.carriers.simulated.script import Answers, Script
from dialer.carriers.simulated.wire import JsonObject
from terms.ids import OrderId, ProgramId
from terms.phone import PhoneNumber
from terms.verdict import EndedBy, VerdictKind
from tests.chaos.programs import SHORT, TALK
from tests.chaos.reckoning import rings
from tests.chaos.stories import ACCEPTS, STAYS, does, leaves
from tests.chaos.world import World
from tests.people import CALLER, COUNSELOR

CALLERS = PhoneNumber(CALLER)
COUNSELORS = PhoneNumber(COUNSELOR)


async def begin(
    world: World, caller: Script, counselor: Script, program: ProgramId = TALK
) -> OrderId:
    """A service, two phones, and a pressed button."""
    await world.server.start()
    await world.hands.script(CALLERS, caller)
    await world.hands.script(COUNSELORS, counselor)
    counselor_id = await world.people.counselor(program=program)
    order = await world.people.order(await world.people.caller(), counselor_id, program=program)
    status, _ = await world.press(order, CALLER)
    assert status == 202
    return order


async def timer_is_set(world: World, kind: str) -> None:
    """Wait until the call waits for that."""

    async def holds() -> bool:
        return bool(await world.pool.fetchval("SELECT 1 FROM timers WHERE kind = $1", kind))

    await world.until(holds)


async def phone_is(world: World, number: PhoneNumber, state: str) -> None:
    """Wait until the phone rings, or is taken."""

    async def holds() -> bool:
        return (await world.hands.handset(number)).state == state

    await world.until(holds)


@pytest.mark.rule("A30")
async def test_a_caller_who_answered_while_nobody_was_there_has_answered(world: World) -> None:
    order = await begin(world, replace(STAYS, after_seconds=20), ACCEPTS)
    await phone_is(world, CALLERS, "ringing")

    world.server.kill()
    await world.let_pass_alone(40)
    await world.server.start()

    await world.call_is(order, "bridged")
    assert (await world.people.see_call(order)).counted == 0


async def test_a_key_pressed_while_nobody_was_there_was_pressed(world: World) -> None:
    order = await begin(world, STAYS, Script(answers=Answers.YES, after_seconds=0.5))
    await timer_is_set(world, "accept")

    world.server.kill()
    await world.hands.press(COUNSELORS, "1")
    await world.let_pass_alone(40)
    await world.server.start()

    await world.call_is(order, "bridged")
    assert (await world.people.see_call(order)).counselor_misses == 0


@pytest.mark.rule("A29")
async def test_who_hung_up_while_nobody_was_there_has_hung_up(world: World) -> None:
    order = await begin(world, leaves(100), ACCEPTS)
    await world.call_is(order, "bridged")

    world.server.kill()
    await world.let_pass_alone(2000)
    await world.server.start()

    await world.call_is(order, "ended")
    await world.all_at_rest()
    verdict = (await world.people.see_call(order)).verdict
    assert verdict is not None
    assert (verdict.kind, verdict.by) == (VerdictKind.PARTY_ENDED, EndedBy.CALLER)
    assert (await world.people.see_order(order)).talked_seconds in (99, 100, 101)


@pytest.mark.rule("A25", "X06")
async def test_the_carrier_keeps_the_cap_while_nobody_is_there(world: World) -> None:
    order = await begin(world, STAYS, ACCEPTS, SHORT)
    await world.call_is(order, "bridged")

    world.server.kill()
    await world.let_pass_alone(600)
    assert (await world.hands.handset(CALLERS)).state == "idle"
    await world.server.start()

    await world.call_is(order, "ended")
    await world.all_at_rest()
    call = await world.people.see_call(order)
    assert call.verdict is not None
    assert call.verdict.kind is VerdictKind.CAP_REACHED
    assert call.talked(world.now()).total_seconds() < 11
    assert (await world.people.see_voucher(order)).state is VoucherState.CONSUMED


async def test_a_phone_that_was_busy_meanwhile_is_not_rung_for_the_same_leg_again(
    world: World,
) -> None:
    await world.bad(delay_ms=2900)
    order = await begin(world, does(Answers.BUSY), ACCEPTS)

    async def was_rung() -> bool:
        return any(event.get("order") == "ring" for event in await world.read_events())

    await world.until(was_rung)
    world.server.kill()
    await world.server.start()
    await world.call_is(order, "waiting")
    await world.all_obeyed()

    first = [event for event in await world.read_events() if _is_ring(event)]
    assert len(first) == 1
    assert rings(world.events) == []


def _is_ring(event: JsonObject) -> bool:
    return event.get("order") == "ring" and str(event["leg"]).endswith("/caller/1")


async def test_nothing_is_answered_before_the_service_knows_what_time_it_is(world: World) -> None:
    await world.server.start()
    await world.let_pass(3600)
    world.server.kill()

    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE sim_clock")
        world.server.begin()
        await world.until(lambda: _somebody_waits_for_the_clock(world))
        with pytest.raises(aiohttp.ClientConnectorError):
            await world.client.get(f"{world.server.url}/livez")

    await world.server.ready()


async def _somebody_waits_for_the_clock(world: World) -> bool:
    waiting = "SELECT 1 FROM pg_locks WHERE relation = 'sim_clock'::regclass AND NOT granted"
    return await world.pool.fetchval(waiting) is not None
