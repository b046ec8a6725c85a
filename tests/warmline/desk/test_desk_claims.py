"""Decisions at the desk: what is refused leaves everything as it was, and what stands, stands."""

import pytest

from billing.claim import Claim, Remedy
from billing.order import State as OrderState
from dialer.events import CounselorHungUp, CounselorMarkedCutOff
from terms.ids import ClaimId, OrderId, StaffId
from terms.refusals import RefusalCode, Refused
from terms.verdict import VerdictKind
from tests.house import House, hangs_up
from tests.people import DOCTOR, TENANT
from tests.warmline.api.dump import changes, dump
from warmline.desk.claims import ClaimDesk, Decider

SUPPORT = Decider(staff=StaffId("staff_1"), is_supervisor=False)
ASKED = {"reason": "it was cut off", "text": None}


async def filed(house: House, order: OrderId) -> Claim:
    """The caller asks."""
    async with house.pool.acquire() as connection, connection.transaction():
        desk = ClaimDesk(house.desk, house.seal)
        claim, _ = await desk.file(connection, TENANT, order, ASKED)
    return claim


async def decide(house: House, claim: ClaimId, remedy: Remedy) -> Claim:
    """Support decides."""
    async with house.pool.acquire() as connection, connection.transaction():
        desk = ClaimDesk(house.desk, house.seal)
        decided, committed = await desk.decide(
            connection, TENANT, claim, remedy, "because", SUPPORT
        )
    house.desk.tell(committed)
    return decided


async def listened(house: House) -> OrderId:
    """A talk that the counselor ended after three minutes."""
    counselor = await house.counselor()
    order = await house.order(await house.caller(), counselor)
    await house.call(order)
    await house.pass_time(180)
    await house.command(order, CounselorHungUp())
    return order


@pytest.mark.rule("X34")
async def test_a_talk_is_not_resumed_while_its_caller_has_another_open_order(house: House) -> None:
    await house.counselor(program=DOCTOR)
    caller = await house.caller(script=hangs_up(100))
    first = await house.order(caller, program=DOCTOR)
    await house.call(first)
    await house.pass_time(300)
    assert (await house.see_order(first)).state is OrderState.COMPLETED
    claim = await filed(house, first)
    await house.order(caller, program=DOCTOR)
    before = await dump(house.pool)

    with pytest.raises(Refused) as refused:
        await decide(house, claim.id, Remedy.RESUME)

    assert refused.value.code is RefusalCode.CALL_IN_PROGRESS
    assert changes(before, await dump(house.pool)) == {}


async def test_an_order_without_a_voucher_gets_no_new_one(house: House) -> None:
    await house.counselor(program=DOCTOR)
    order = await house.order(await house.caller(script=hangs_up(30)), program=DOCTOR)
    await house.call(order)
    await house.pass_time(300)
    claim = await filed(house, order)

    with pytest.raises(Refused) as refused:
        await decide(house, claim.id, Remedy.REISSUE)
    assert refused.value.code is RefusalCode.VOUCHER_INVALID
    await decide(house, claim.id, Remedy.RESUME)

    assert (await house.see_order(order)).state is OrderState.INTERRUPTED


@pytest.mark.rule("A28", "X07")
@pytest.mark.parametrize("remedy", Remedy)
async def test_evidence_that_comes_after_a_decision_changes_the_verdict_and_nothing_else(
    house: House, remedy: Remedy
) -> None:
    counselor = await house.counselor()
    order = await house.order(await house.caller(script=hangs_up(30)), counselor)
    await house.call(order)
    await house.pass_time(60)
    claim = await filed(house, order)
    await decide(house, claim.id, remedy)
    decided = await house.see_order(order)

    await house.command(order, CounselorMarkedCutOff(True))

    verdict = (await house.see_call(order)).verdict
    assert verdict is not None
    assert verdict.kind is VerdictKind.SUSPECTED_DROP
    after = await house.see_order(order)
    assert (after.state, after.remaining_seconds, after.settled) == (
        decided.state,
        decided.remaining_seconds,
        decided.settled,
    )
    assert await house.pool.fetchval("SELECT count(*) FROM claims WHERE state = 'open'") == 0


async def test_a_decision_is_counted_once_it_is_kept(house: House) -> None:
    order = await listened(house)
    claim = await house.pool.fetchval("SELECT id FROM claims WHERE order_id = $1", order)

    await decide(house, ClaimId(claim), Remedy.REISSUE)

    value = house.desk.metrics.registry.get_sample_value(
        "warmline_claim_decisions_total", {"stage": "claim", "decision": "reissue"}
    )
    assert value == 1
