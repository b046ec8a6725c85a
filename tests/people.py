"""People and things, put straight into the database: callers, counselors, vouchers, orders."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from billing import voucher as vouchers
from billing.opening import open_order
from billing.order import Order
from billing.store.orders import insert_order, load_order, lock_order_with_payment
from billing.store.program_texts import keep_program_text
from billing.store.vouchers import insert_vouchers, load_voucher, save_voucher
from billing.voucher import Voucher
from dialer.call import Call
from dialer.store.calls import calls_of
from routing.counselor import Counselor, Presence, set_presence
from routing.store.callers import get_or_create_caller
from routing.store.counselors import add_counselor, load_counselor
from routing.store.devices import add_device
from routing.verification import Device
from terms.ids import (
    CallerId,
    CallId,
    CounselorId,
    DeviceId,
    OrderId,
    ProgramId,
    TenantId,
    VoucherId,
)
from terms.phone import PhoneNumber
from warmline.clock import Clock
from warmline.ledger.verifying import verify
from warmline.people.tokens import token_hash
from warmline.programs import Program
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from warmline.desk.store import Connection

TENANT = TenantId("default")
LISTENING = ProgramId("psych-listening")
DOCTOR = ProgramId("family-doctor")

CALLER = "+8613800000001"
COUNSELOR = "+8613900000001"


def device_token(number: str) -> str:
    """The token that `People.caller` gives the device of `number`."""
    return f"wd_{number.removeprefix('+')}".ljust(46, "x")


@dataclass(frozen=True, slots=True)
class People:
    """Whoever a test needs, and how they fare."""

    pool: "Pool[Record]"
    seal: AesSeal
    clock: Clock
    programs: Mapping[ProgramId, Program]
    new_id: Callable[[str], str]

    async def counselor(
        self,
        number: str = COUNSELOR,
        *,
        program: ProgramId = LISTENING,
        available: bool = True,
    ) -> CounselorId:
        """A qualified counselor, at work."""
        id_ = CounselorId(self.new_id("counselor"))
        now = self.clock.now()
        routing = self.programs[program].routing
        counselor = Counselor(
            id=id_,
            name="Chen Xin",
            programs=frozenset({program}),
            roles=frozenset({routing.role}),
            idle_since=now,
            credential="licensed",
            credential_verified_at=now - timedelta(days=1),
            credential_valid_until=now + timedelta(days=365),
            grade=routing.least_grade,
            hospital=routing.least_hospital,
        )
        if available:
            counselor = set_presence(counselor, Presence.AVAILABLE, now, 12 * 3600)
        async with self.pool.acquire() as connection:
            await add_counselor(connection, self.seal, TENANT, counselor, PhoneNumber(number))
        return id_

    async def caller(self, number: str = CALLER, *, verified: bool = True) -> CallerId:
        """A caller, with a verified device unless told otherwise."""
        async with self.pool.acquire() as connection, connection.transaction():
            caller = await get_or_create_caller(
                connection,
                self.seal,
                TENANT,
                PhoneNumber(number),
                lambda: CallerId(self.new_id("caller")),
                self.clock.now(),
            )
            if verified:
                device = Device(
                    id=DeviceId(self.new_id("device")),
                    caller=caller.id,
                    verified_at=self.clock.now(),
                )
                await add_device(connection, TENANT, device, token_hash(device_token(number)))
        return caller.id

    async def order(
        self,
        caller: CallerId,
        counselor: CounselorId | None = None,
        *,
        program: ProgramId = LISTENING,
        voucher_seconds: int = 365 * 86400,
        voucher: VoucherId | None = None,
        starts_at: datetime | None = None,
    ) -> OrderId:
        """An open order; where the program wants one, with a voucher good for `voucher_seconds`.

        `voucher` is one that came back and is used again.
        """
        sheet = self.programs[program]
        now = self.clock.now()
        id_ = OrderId(self.new_id("order"))
        async with self.pool.acquire() as connection, connection.transaction():
            await keep_program_text(
                connection,
                TENANT,
                program=program,
                version=sheet.version,
                digest=sheet.digest,
                body=sheet.body,
                now=now,
            )
            if voucher is not None:
                found = await load_voucher(connection, TENANT, voucher)
                assert found is not None
                held = vouchers.hold(found, order=id_, caller=caller, program=program, now=now)
                await save_voucher(connection, TENANT, *held)
            elif sheet.billing.voucher == "required":
                until = now + timedelta(seconds=voucher_seconds)
                voucher = await self._voucher(connection, caller, id_, program, until)
            settlement = open_order(
                id=id_,
                caller=caller,
                program=program,
                program_version=sheet.version,
                program_digest=sheet.digest,
                counselor=counselor,
                voucher=voucher,
                granted_seconds=sheet.granted_seconds,
                policy=sheet.billing,
                now=now,
                starts_at=starts_at,
            )
            await insert_order(connection, TENANT, settlement.order)
        return id_

    async def _voucher(
        self,
        connection: "Connection",
        caller: CallerId,
        order: OrderId,
        program: ProgramId,
        valid_until: datetime,
    ) -> VoucherId:
        now = self.clock.now()
        id_ = VoucherId(self.new_id("voucher"))
        prepared = vouchers.prepare(
            id=id_,
            program=program,
            code_hash=id_.encode().ljust(32)[:32],
            code_ending=id_[-4:],
            valid_until=valid_until,
            now=now,
        )
        issued = vouchers.issue(prepared[0], now)
        await insert_vouchers(connection, TENANT, [[prepared, issued]])
        held = vouchers.hold(issued[0], order=order, caller=caller, program=program, now=now)
        await save_voucher(connection, TENANT, *held)
        return id_

    # -- how they fare -----------------------------------------------------------------------

    async def see_order(self, order: OrderId) -> Order:
        """The order as it is."""
        async with self.pool.acquire() as connection:
            found = await load_order(connection, TENANT, order)
        assert found is not None
        return found

    async def see_voucher(self, order: OrderId) -> Voucher:
        """The voucher the order was opened with."""
        async with self.pool.acquire() as connection, connection.transaction():
            locked = await lock_order_with_payment(connection, TENANT, order)
            assert locked is not None
            assert locked.order.voucher is not None
            found = await load_voucher(connection, TENANT, locked.order.voucher)
        assert found is not None
        return found

    async def see_call(self, order: OrderId) -> Call:
        """The order's newest call."""
        async with self.pool.acquire() as connection:
            return (await calls_of(connection, TENANT, order))[-1]

    async def see_counselor(self, counselor: CounselorId) -> tuple[Counselor, CallId | None]:
        """The counselor and the call that claims them."""
        async with self.pool.acquire() as connection:
            found = await load_counselor(connection, TENANT, counselor)
        assert found is not None
        return found

    async def timeline(self, order: OrderId) -> list[str]:
        """The kinds of the order's timeline, in order."""
        rows = await self.pool.fetch(
            "SELECT kind FROM timeline WHERE order_id = $1 ORDER BY seq", order
        )
        return [row["kind"] for row in rows]

    async def notices(self, order: OrderId) -> list[str]:
        """Templates of the notices about the order."""
        rows = await self.pool.fetch(
            "SELECT template FROM notices WHERE order_id = $1 ORDER BY id", order
        )
        return [row["template"] for row in rows]


async def see_that_the_books_agree(pool: "Pool[Record]", seal: AesSeal) -> None:
    """Verify all of the ledger, as it is at the end of a story."""
    async with pool.acquire() as connection:
        for found in await verify(connection, seal):
            assert found.faults == []
