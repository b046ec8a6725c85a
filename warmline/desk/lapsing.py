"""What nobody does: orders and vouchers whose time is over."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from billing.store.lapsing import forget_fault, lock_due_order, lock_due_voucher
from billing.store.vouchers import lock_voucher, save_voucher
from billing.voucher import State, Voucher, expire
from terms.ids import OrderId, TenantId, VoucherId
from warmline.database.faults import is_out_of_reach
from warmline.desk import fold
from warmline.desk.shell import Shell
from warmline.desk.slice import Notice, NoticeKind
from warmline.desk.store import adding_notices, carry_out
from warmline.desk.writing import Committed
from warmline.notices.texts import VOUCHER_EXPIRED

if TYPE_CHECKING:
    from warmline.desk.store import Connection


class CannotLapse(Exception):
    """This order or voucher could not be brought to rest; the cause says why."""

    def __init__(self, tenant: TenantId, id: OrderId | VoucherId) -> None:
        super().__init__(tenant, id)
        self.tenant = tenant
        self.id = id


@contextmanager
def _blaming(tenant: TenantId, id: OrderId | VoucherId) -> Iterator[None]:
    """Whatever goes wrong within is the fault of `id`, unless the database is out of reach."""
    try:
        yield
    except Exception as fault:
        if is_out_of_reach(fault):
            raise
        raise CannotLapse(tenant, id) from fault


class Lapsing(Shell):
    """Brings to rest, one at a time, each in a transaction of its own."""

    __slots__ = ()

    async def lapse_next(self) -> bool:
        """Bring one order to rest whose time is over; False when there is none.

        Raises CannotLapse: put that one off, or it comes first again.
        """
        now = self.clock.now()
        async with self.pool.acquire() as connection, connection.transaction():
            due = await lock_due_order(connection, now)
            if due is None:
                return False
            tenant, order = due
            with _blaming(tenant, order):
                committed = await self._lapse(connection, tenant, order, now)
        self.tell(committed)
        return True

    async def _lapse(
        self, connection: "Connection", tenant: TenantId, order: OrderId, now: datetime
    ) -> Committed:
        slice_, program = await self.lock(connection, tenant, order)
        outcome = fold.lapse(slice_, program, now)
        await forget_fault(connection, tenant, order)
        return await self.writer.write(connection, tenant, slice_, None, outcome, program, now)

    async def expire_next_voucher(self) -> bool:
        """Put away one unused voucher past its time (A20, X13); False when there is none.

        Raises CannotLapse, as `lapse_next` does.
        """
        now = self.clock.now()
        async with self.pool.acquire() as connection, connection.transaction():
            due = await lock_due_voucher(connection, now)
            if due is None:
                return False
            tenant, voucher = due
            with _blaming(tenant, voucher):
                committed = await self._expire(connection, tenant, voucher, now)
        self.tell(committed)
        return True

    async def _expire(
        self, connection: "Connection", tenant: TenantId, id: VoucherId, now: datetime
    ) -> Committed:
        voucher = await lock_voucher(connection, tenant, id)
        assert voucher is not None  # it is locked
        expired, entry = expire(voucher, now)
        assert entry is not None
        await save_voucher(connection, tenant, expired, entry)
        await forget_fault(connection, tenant, id)
        told = voucher.state is State.RETURNED
        if told:
            await self._tell_holder(connection, tenant, expired, now)
        return Committed(tenant=tenant, notices=told)

    async def _tell_holder(
        self, connection: "Connection", tenant: TenantId, expired: Voucher, now: datetime
    ) -> None:
        """A voucher that had come back to somebody is gone: they are told (X13)."""
        data = {"voucher": expired.id, "program": expired.program}
        notice = Notice(kind=NoticeKind.SMS, template=VOUCHER_EXPIRED, data=data)
        id_ = self.new_id("notice")
        change = adding_notices(
            tenant, [(id_, notice)], caller=expired.holder, order=None, call=None, now=now
        )
        await carry_out(connection, [change])
        await self.writer.outbox.enqueue(connection, tenant, [id_], now)
