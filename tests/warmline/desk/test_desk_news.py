"""News is kept before it is believed: repeats, faults while folding, and trying again."""

import asyncio
from datetime import datetime

import pytest

from billing.order import State as OrderState
from billing.voucher import State as VoucherState
from dialer.call import Call, State
from dialer.carriers import KeyPressed, LegAnswered, LegEnded, ReleaseSide, Report
from dialer.events import Event
from terms.ids import LegId, OrderId
from tests.house import House, hangs_up
from tests.people import LISTENING
from tests.warmline.desk.database import CANCEL_WHO_WAITS, END_WHO_WAITS, contents, unchanged
from warmline.database.faults import OUT_OF_REACH
from warmline.desk import fold
from warmline.desk.slice import Outcome, Slice
from warmline.programs import Program


class Bug(Exception):
    """What a mistake of ours would raise."""


async def ringing(house: House) -> OrderId:
    """An order whose caller's phone rings, and is left to ring."""
    counselor = await house.counselor()
    order = await house.order(await house.caller(script=hangs_up(300)), counselor)
    await house.call(order)
    return order


async def answered(house: House, order: OrderId) -> Report:
    """The report that the caller took the call, before anybody was told."""
    call = await house.see_call(order)
    (leg,) = call.legs
    return Report(id="told-1", news=LegAnswered(leg=leg.id, at=house.clock.now()))


async def kept(house: House) -> tuple[bool, str | None, int]:
    """Whether the report is folded, its last fault, and how often that happened."""
    row = await house.pool.fetchrow("SELECT folded_at, fault, tries FROM news WHERE id = 'told-1'")
    assert row is not None
    return row["folded_at"] is not None, row["fault"], row["tries"]


def break_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fold that fails at the caller's answer, after it has decided all there is to decide."""
    sound = fold.carry

    def broken(slice_: Slice, event: Event, program: Program, now: datetime) -> Outcome:
        outcome = sound(slice_, event, program, now)
        if isinstance(event, LegAnswered):
            raise Bug
        return outcome

    monkeypatch.setattr(fold, "carry", broken)


async def test_news_that_cannot_be_folded_is_kept_tried_again_and_alarms(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await ringing(house)
    report = await answered(house, order)
    before = await contents(house.pool)
    with monkeypatch.context() as patch:
        break_fold(patch)
        await house.switchboard.receive(report)
        assert await kept(house) == (False, "Bug", 1)
        assert house.desk.metrics.news_faults._value.get() == 1
        after = await contents(house.pool)
        assert {table for table in after if after[table] != before[table]} == {"news"}

        house.clock.advance(2)
        await house.crew.refolder.look()
        assert await kept(house) == (False, "Bug", 2)
        assert house.desk.metrics.news_faults._value.get() == 2

    house.clock.advance(5)
    await house.crew.refolder.look()

    assert await kept(house) == (True, None, 2)
    assert (await house.see_call(order)).state is State.RINGING_SECOND
    await house.pass_time(600)
    assert (await house.see_order(order)).state is OrderState.COMPLETED


async def test_news_that_comes_while_the_database_goes_away_is_not_kept_and_must_be_told_again(
    house: House,
) -> None:
    order = await ringing(house)
    report = await answered(house, order)
    before = await contents(house.pool)
    async with house.pool.acquire() as holding, holding.transaction():
        await holding.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", order)
        receiving = asyncio.create_task(house.switchboard.receive(report))
        while not await house.pool.fetchval(END_WHO_WAITS):  # noqa: ASYNC110 - no event of ours tells
            await asyncio.sleep(0)
        with pytest.raises(OUT_OF_REACH):
            await receiving
    assert await contents(house.pool) == before

    await house.switchboard.receive(report)

    assert await kept(house) == (True, None, 0)
    assert (await house.see_call(order)).state is State.RINGING_SECOND


async def test_news_of_an_order_that_somebody_holds_up_for_ever_is_kept_and_tried_again(
    house: House,
) -> None:
    order = await ringing(house)
    report = await answered(house, order)
    async with house.pool.acquire() as holding, holding.transaction():
        await holding.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", order)
        receiving = asyncio.create_task(house.switchboard.receive(report))
        while not await house.pool.fetchval(CANCEL_WHO_WAITS):  # noqa: ASYNC110 - no event of ours
            await asyncio.sleep(0)
        await receiving
    assert await kept(house) == (False, "QueryCanceledError", 1)

    house.clock.advance(2)
    await house.crew.refolder.look()

    assert await kept(house) == (True, None, 1)
    assert (await house.see_call(order)).state is State.RINGING_SECOND


async def test_a_write_that_fails_half_way_leaves_only_the_news(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await ringing(house)
    report = await answered(house, order)
    before = await contents(house.pool)

    def fails(*_: object) -> None:
        raise Bug

    with monkeypatch.context() as patch:
        patch.setattr("warmline.desk.writing.read_written", fails)
        await house.switchboard.receive(report)

    after = await contents(house.pool)
    assert {table for table in after if after[table] != before[table]} == {"news"}
    house.clock.advance(2)
    await house.crew.refolder.look()
    assert (await house.see_call(order)).state is State.RINGING_SECOND


async def test_an_order_whose_program_cannot_be_read_any_more_waits_for_its_text(
    house: House,
) -> None:
    order = await ringing(house)
    report = await answered(house, order)
    house.desk.programs._by_digest.clear()  # type: ignore[attr-defined]
    body = house.programs[LISTENING].body
    await house.pool.execute("UPDATE program_versions SET body = 'no = [toml'")

    await house.switchboard.receive(report)
    assert (await kept(house))[:2] == (False, "TOMLDecodeError")
    await house.pool.execute("UPDATE program_versions SET body = $1", body)
    house.clock.advance(2)
    await house.crew.refolder.look()

    assert (await kept(house))[0]
    assert (await house.see_call(order)).state is State.RINGING_SECOND


async def test_folding_again_what_came_late_gives_the_same_call(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is folded after the hang-up that it was told before."""
    order = await ringing(house)
    report = await answered(house, order)
    with monkeypatch.context() as patch:
        break_fold(patch)
        await house.switchboard.receive(report)
    ended = LegEnded(leg=report.news.leg, at=house.clock.now(), by=ReleaseSide.PARTY, q850=16)
    await house.switchboard.receive(Report(id="told-2", news=ended))
    house.clock.advance(2)
    await house.crew.refolder.look()

    call = await house.see_call(order)
    assert call.legs[0].answered_at is not None
    assert (await house.see_voucher(order)).state is VoucherState.HELD


@pytest.mark.rule("X56", "A19")
async def test_every_report_of_a_talk_told_again_changes_not_one_row(house: House) -> None:
    told: list[Report] = []

    async def overhear(report: Report) -> None:
        told.append(report)
        await house.switchboard.receive(report)

    await house.carrier.open(overhear)
    order = await ringing(house)
    await house.pass_time(100)
    talking = await house.see_call(order)
    assert talking.state is State.BRIDGED
    assert len(told) >= 6
    async with unchanged(house.pool):
        for report in told:
            await house.switchboard.receive(report)

    await house.pass_time(600)
    assert (await house.see_order(order)).state is OrderState.COMPLETED
    async with unchanged(house.pool):
        for report in reversed(told):
            await house.switchboard.receive(report)


async def test_the_same_fact_under_another_id_is_kept_and_changes_nothing_else(
    house: House,
) -> None:
    order = await ringing(house)
    await house.pass_time(100)
    before = await contents(house.pool)
    call = await house.see_call(order)
    for number, leg in enumerate(call.legs):
        assert leg.answered_at is not None
        again = LegAnswered(leg=leg.id, at=leg.answered_at)
        await house.switchboard.receive(Report(id=f"again-{number}", news=again))

    after = await contents(house.pool)
    assert {table for table in after if after[table] != before[table]} == {"news"}
    assert await _same_call(house, order, call)


async def _same_call(house: House, order: OrderId, call: Call) -> bool:
    return await house.see_call(order) == call


async def test_news_of_a_leg_nobody_knows_is_kept_and_harms_nobody(house: House) -> None:
    await ringing(house)
    before = await contents(house.pool)
    stray = KeyPressed(leg=LegId("call_99/caller/1"), at=house.clock.now(), digit="1")

    await house.switchboard.receive(Report(id="stray", news=stray))
    await house.settle()

    after = await contents(house.pool)
    assert {table for table in after if after[table] != before[table]} == {"news"}
