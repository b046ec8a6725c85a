"""Whoever calls and answers in a run: put straight into the database, which is not measured."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from billing import voucher as vouchers
from billing.opening import open_order
from billing.store.orders import insert_order
from billing.store.program_texts import keep_program_text
from billing.store.vouchers import insert_vouchers, save_voucher
from routing.counselor import Counselor, Presence, set_presence
from routing.policy import SHIFT_SECONDS
from routing.store.callers import get_or_create_caller
from routing.store.counselors import add_counselor
from routing.store.devices import add_device
from routing.verification import Device
from terms.ids import CallerId, CounselorId, DeviceId, OrderId, ProgramId, TenantId, VoucherId
from terms.phone import PhoneNumber
from warmline.ids import new_id
from warmline.people.tokens import token_hash
from warmline.programs import Program, load_shipped
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.database import Connection

LISTENING = ProgramId("psych-listening")
DOCTOR = ProgramId("family-doctor")

_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """An open order, and what its caller's device shows and says to have it called."""

    order: OrderId
    token: str
    number: str


@dataclass(slots=True)
class People:
    """Makes people and their orders, in the service's own tables."""

    connection: "Connection"
    seal: AesSeal
    tenant: TenantId
    clock: Callable[[], datetime]
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))
    programs: Mapping[ProgramId, Program] = field(default_factory=lambda: dict(load_shipped()))

    async def counselors(
        self, how_many: int, program: ProgramId, *, available: bool = True
    ) -> list[CounselorId]:
        """Qualified counselors, at work or at home."""
        now = self.clock()
        made = [self._counselor(program, available, now) for _ in range(how_many)]
        async with self.connection.transaction():
            for counselor in made:
                await add_counselor(
                    self.connection, self.seal, self.tenant, counselor, self._number("139")
                )
        return [counselor.id for counselor in made]

    async def customers(
        self, how_many: int, program: ProgramId, counselors: list[CounselorId] | None = None
    ) -> list[Customer]:
        """Callers with a verified device and an open order; the n-th for the n-th counselor."""
        sheet, now = self.programs[program], self.clock()
        async with self.connection.transaction():
            await keep_program_text(
                self.connection,
                self.tenant,
                program=program,
                version=sheet.version,
                digest=sheet.digest,
                body=sheet.body,
                now=now,
            )
            return [
                await self._customer(sheet, None if counselors is None else counselors[n], now)
                for n in range(how_many)
            ]

    def _counselor(self, program: ProgramId, available: bool, now: datetime) -> Counselor:
        routing = self.programs[program].routing
        counselor = Counselor(
            id=CounselorId(new_id("counselor")),
            name="Chen Xin",
            programs=frozenset({program}),
            roles=frozenset({routing.role}),
            idle_since=now,
            credential="licensed",
            credential_verified_at=now - timedelta(days=1),
            credential_valid_until=now + _YEAR,
            grade=routing.least_grade,
            hospital=routing.least_hospital,
        )
        if not available:
            return counselor
        return set_presence(counselor, Presence.AVAILABLE, now, SHIFT_SECONDS)

    async def _customer(
        self, sheet: Program, counselor: CounselorId | None, now: datetime
    ) -> Customer:
        tenant, number = self.tenant, self._number("138")
        caller = await get_or_create_caller(
            self.connection, self.seal, tenant, number, lambda: CallerId(new_id("caller")), now
        )
        token = new_id("wd").ljust(46, "x")
        device = Device(id=DeviceId(new_id("device")), caller=caller.id, verified_at=now)
        await add_device(self.connection, tenant, device, token_hash(token))
        order = OrderId(new_id("order"))
        voucher = None
        if sheet.billing.voucher == "required":
            voucher = await self._voucher(caller.id, order, sheet.id, now)
        settlement = open_order(
            id=order,
            caller=caller.id,
            program=sheet.id,
            program_version=sheet.version,
            program_digest=sheet.digest,
            counselor=counselor,
            voucher=voucher,
            granted_seconds=sheet.granted_seconds,
            policy=sheet.billing,
            now=now,
        )
        await insert_order(self.connection, tenant, settlement.order)
        return Customer(order=order, token=token, number=number.digits)

    async def _voucher(
        self, caller: CallerId, order: OrderId, program: ProgramId, now: datetime
    ) -> VoucherId:
        id_ = VoucherId(new_id("voucher"))
        prepared = vouchers.prepare(
            id=id_,
            program=program,
            code_hash=id_.encode()[-32:],
            code_ending=id_[-4:],
            valid_until=now + _YEAR,
            now=now,
        )
        issued = vouchers.issue(prepared[0], now)
        await insert_vouchers(self.connection, self.tenant, [[prepared, issued]])
        held = vouchers.hold(issued[0], order=order, caller=caller, program=program, now=now)
        await save_voucher(self.connection, self.tenant, *held)
        return id_

    def _number(self, prefix: str) -> PhoneNumber:
        return PhoneNumber(f"+86{prefix}{next(self._numbers):08}")
