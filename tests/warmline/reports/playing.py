"""A month and a half, played through the real desk: what a settlement has to tell apart."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from billing.claim import Remedy, review_id
from billing.order import ClosedBy
from billing.store.vouchers import lock_voucher, save_voucher
from billing.voucher import void
from terms.ids import ClaimId, CounselorId, OrderId, StaffId
from tests.house import NO_ANSWER, House, drops, hangs_up
from tests.people import DOCTOR, LISTENING, TENANT
from warmline.desk.claims import ClaimDesk, Decider
from warmline.reissuing import replace_voucher

if TYPE_CHECKING:
    from warmline.database import Connection

SUPERVISOR = Decider(staff=StaffId("staff_1"), is_supervisor=True)
FEBRUARY_IN_SHANGHAI = datetime(2030, 1, 31, 16, tzinfo=UTC)


async def january(house: House) -> dict[str, OrderId]:
    """Noon on 1 January to the first minutes of February; every order by what became of it."""
    ana = await house.counselor("+8613900000001")
    orders = {
        "effective": await talk(house, ana, 1, 600),
        "short": await talk(house, ana, 2, 30),
        "dropped": await dropped_and_resumed(house, ana),
        "another": await talk(house, ana, 4, 500),
        "never_reached": await never_reached(house, ana),
        "voided": await cancelled(house, ana),
    }
    await house.counselor("+8613900000002", program=DOCTOR)
    orders["doctor"] = await talk(house, None, 7, 120)
    await reissue_by_claim(house, orders["short"])
    await void_voucher(house, orders["voided"])
    await pass_until(house, FEBRUARY_IN_SHANGHAI, less_seconds=200)
    ben = await house.counselor("+8613900000003")
    orders["over_midnight"] = await talk(house, ben, 8, 400)
    return orders


async def february(house: House, orders: dict[str, OrderId]) -> None:
    """Corrections of January, and a talk of its own."""
    await reissue_without_a_claim(house, orders["dropped"])
    await house.pass_time(86_400)
    cho = await house.counselor("+8613900000004")
    await talk(house, cho, 9, 61)


async def talk(house: House, counselor: CounselorId | None, person: int, seconds: int) -> OrderId:
    """A person talks with a counselor, or with whom the pool gives, and hangs up."""
    number = f"+86138000000{person:02}"
    caller = await house.caller(number, script=hangs_up(seconds + 3))
    program = DOCTOR if counselor is None else LISTENING
    order = await house.order(caller, counselor, program=program)
    await house.call(order, number)
    await house.pass_time(seconds + 200)
    return order


async def dropped_and_resumed(house: House, counselor: CounselorId) -> OrderId:
    """The line is lost; the rest is used."""
    number = "+8613800000003"
    order = await house.order(await house.caller(number, script=drops(400)), counselor)
    await house.call(order, number)
    await house.pass_time(400)
    house.world.script(number, NO_ANSWER)
    await house.pass_time(600)
    house.world.script(number, hangs_up(200))
    await house.call(order, number)
    await house.pass_time(400)
    return order


async def never_reached(house: House, counselor: CounselorId) -> OrderId:
    """Nobody answers, and the order's time goes by."""
    number = "+8613800000005"
    order = await house.order(await house.caller(number, script=NO_ANSWER), counselor)
    await house.call(order, number)
    await house.pass_time(900)
    return order


async def cancelled(house: House, counselor: CounselorId) -> OrderId:
    """The caller gives the order up before a call."""
    order = await house.order(await house.caller("+8613800000006"), counselor)
    async with house.pool.acquire() as connection, connection.transaction():
        await house.desk.cancel_order(connection, TENANT, order, ClosedBy.CALLER, "changed_mind")
    return order


async def void_voucher(house: House, order: OrderId) -> None:
    """The policy behind the voucher ended."""
    found = await house.see_order(order)
    assert found.voucher is not None
    async with house.pool.acquire() as connection, connection.transaction():
        voucher = await lock_voucher(connection, TENANT, found.voucher)
        assert voucher is not None
        voided, entry = void(voucher, reason="policy_ended", now=house.clock.now())
        assert entry is not None
        await save_voucher(connection, TENANT, voided, entry)


async def reissue_by_claim(house: House, order: OrderId) -> None:
    """Support decides the review of the order's call."""
    call = await house.see_call(order)
    desk = ClaimDesk(house.desk, house.seal)
    async with house.pool.acquire() as connection, connection.transaction():
        claim = ClaimId(review_id(call.id))
        await desk.decide(connection, TENANT, claim, Remedy.REISSUE, "short", SUPERVISOR)


async def reissue_without_a_claim(house: House, order: OrderId) -> None:
    """An operator replaces a voucher that was used."""
    found = await house.see_order(order)
    assert found.voucher is not None
    async with house.pool.acquire() as connection, connection.transaction():
        voucher = await lock_voucher(connection, TENANT, found.voucher)
        assert voucher is not None
        await _replace(house, connection, voucher)


async def _replace(house: House, connection: "Connection", voucher: object) -> None:
    from billing.voucher import Voucher

    assert isinstance(voucher, Voucher)
    await replace_voucher(
        connection,
        house.seal,
        TENANT,
        voucher,
        by_supervisor=True,
        now=house.clock.now(),
        new_id=house.new_id,
    )


async def pass_until(house: House, instant: datetime, *, less_seconds: int = 0) -> None:
    """Let time go by until shortly before `instant`."""
    await house.pass_time((instant - house.clock.now()).total_seconds() - less_seconds)
