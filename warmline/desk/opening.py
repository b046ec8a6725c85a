"""An order is opened, and somebody is matched to it: what happens before anybody is rung."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import billing.choosing
import billing.opening
import billing.order
from billing.cancelling import let_down
from billing.order import Order, Settlement
from billing.store.insured import note_entitlement
from billing.store.orders import insert_order, read_saved, saving_settlement
from billing.store.program_texts import keep_program_text
from billing.store.vouchers import lock_voucher, save_voucher
from billing.voucher import Voucher, hold
from routing.admission import require_open_then
from routing.counselor import CounselorState, lacks, state_of
from routing.matching import Match, release_offered
from routing.store.counselors import load_counselor, lock_counselor
from routing.store.matches import add_match
from terms.ids import (
    CallerId,
    CounselorId,
    OrderId,
    PersonId,
    StaffId,
    TenantId,
    VoucherId,
)
from terms.refusals import RefusalCode, Refused
from warmline.desk import fold
from warmline.desk.entitling import Backing, back_order
from warmline.desk.shell import Shell
from warmline.desk.store import Line, adding_lines, carry_out
from warmline.desk.timeline import APP, STAFF, caller_sees, counselor_sees
from warmline.desk.writing import Committed
from warmline.policies.behind import require_living_policy
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.desk.store import Connection


COUNSELOR_ABSENT = frozenset({RefusalCode.COUNSELOR_BUSY, RefusalCode.COUNSELOR_OFFLINE})
"""A dial is refused although the caller did all they could."""


class NotQualified(Exception):
    """The counselor who was named may not answer this program's calls, or is not known (A02)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants to talk about, and with whom.

    `voucher` is one in their account: whoever gave a code has redeemed it by now. `insured` says
    for whom, where a program asks for an insured person and the caller may act for several.
    `starts_at` is an appointed time, where the program takes appointments.
    """

    program: Program
    caller: CallerId
    counselor: CounselorId | None = None
    voucher: VoucherId | None = None
    insured: PersonId | None = None
    starts_at: datetime | None = None


class Opening(Shell):
    """Orders at rest: opened, matched, told about."""

    __slots__ = ()

    async def open_order(
        self, connection: "Connection", tenant: TenantId, wish: Wish
    ) -> tuple[Order, Committed]:
        """Open an order and hold its voucher, in the caller's transaction (A14, A31).

        Raises NotQualified, and Refused: voucher_invalid, voucher_in_use, call_in_progress,
        not_entitled, quota_used, not_now, outside_hours.
        """
        now, program = self.clock.now(), wish.program
        id_ = OrderId(self.new_id("order"))
        if wish.counselor is not None:
            await self._check_qualified(connection, tenant, wish.counselor, program)
        voucher = await self._held(connection, tenant, wish, id_)
        backing = await self._backed(connection, tenant, wish, id_)
        await _keep_text(connection, tenant, program, now)
        settlement = billing.opening.open_order(
            id=id_,
            caller=wish.caller,
            program=program.id,
            program_version=program.version,
            program_digest=program.digest,
            counselor=wish.counselor,
            voucher=None if voucher is None else voucher.id,
            quota=None if backing is None else backing.quota,
            granted_seconds=program.granted_seconds,
            policy=program.billing,
            now=now,
            starts_at=wish.starts_at,
        )
        if wish.starts_at is not None:
            workdays = await self.calendar.workdays(connection, tenant)
            require_open_then(program.routing, wish.starts_at, workdays)
        await insert_order(connection, tenant, settlement.order)
        if backing is not None:
            await note_entitlement(connection, tenant, id_, backing.entitled, now)
        committed = await self.tell_opened(connection, tenant, settlement, program)
        return settlement.order, committed

    async def _backed(
        self, connection: "Connection", tenant: TenantId, wish: Wish, order: OrderId
    ) -> Backing | None:
        """The insurance policy the new order rests on, and its quota."""
        return await back_order(
            connection,
            self.seal,
            tenant,
            wish.program,
            caller=wish.caller,
            insured=wish.insured,
            order=order,
            now=self.clock.now(),
        )

    async def open_for_one_call(
        self,
        connection: "Connection",
        tenant: TenantId,
        program: Program,
        caller: CallerId,
        granted_seconds: int | None,
    ) -> OrderId:
        """An order that nothing pays for and that is over with its call (D02, X39)."""
        now = self.clock.now()
        await _keep_text(connection, tenant, program, now)
        settlement = billing.opening.open_for_one_call(
            id=OrderId(self.new_id("order")),
            caller=caller,
            program=program.id,
            program_version=program.version,
            program_digest=program.digest,
            granted_seconds=granted_seconds,
            policy=program.billing,
            now=now,
        )
        await insert_order(connection, tenant, settlement.order)
        await self.tell_opened(connection, tenant, settlement, program)
        return settlement.order.id

    async def _held(
        self, connection: "Connection", tenant: TenantId, wish: Wish, order: OrderId
    ) -> Voucher | None:
        """The voucher, held by the new order."""
        if wish.voucher is None:
            return None
        found = await lock_voucher(connection, tenant, wish.voucher)
        if found is None or found.holder != wish.caller:
            raise Refused(RefusalCode.VOUCHER_INVALID, "This voucher is not in the account.")
        held, entry = hold(
            found,
            order=order,
            caller=wish.caller,
            program=wish.program.id,
            now=self.clock.now(),
        )
        await require_living_policy(connection, tenant, held.id, self.clock.now())
        await save_voucher(connection, tenant, held, entry)
        return held

    async def _check_qualified(
        self, connection: "Connection", tenant: TenantId, counselor: CounselorId, program: Program
    ) -> None:
        """Unlocked: whoever is chosen is looked at again when they are to be rung."""
        found = await load_counselor(connection, tenant, counselor)
        requirement = program.routing.requirement(program.id)
        if found is None or lacks(found[0], requirement, self.clock.now()):
            raise NotQualified(counselor)

    async def tell_opened(
        self,
        connection: "Connection",
        tenant: TenantId,
        settlement: Settlement,
        program: Program,
    ) -> Committed:
        """Note on the timeline that an order was opened, and tell those who want to know."""
        outcome = fold.opened(settlement)
        now = self.clock.now()
        return await self.writer.write(
            connection, tenant, outcome.slice, None, outcome, program, now
        )

    async def match(
        self,
        connection: "Connection",
        tenant: TenantId,
        order: OrderId,
        counselor: CounselorId,
        *,
        steward: StaffId,
        reason: str,
    ) -> tuple[Order, Committed]:
        """Give the order the counselor a steward chose, by the program it was opened under (C06).

        Raises NotThere, NotQualified, and Refused(order_not_open).
        """
        matched, committed = await self.choose(connection, tenant, order, counselor)
        choice = Match(
            order=order,
            counselor=counselor,
            steward=steward,
            matched_at=self.clock.now(),
            reason=reason,
        )
        await add_match(connection, tenant, choice)
        return matched, committed

    async def choose(
        self, connection: "Connection", tenant: TenantId, order: OrderId, counselor: CounselorId
    ) -> tuple[Order, Committed]:
        """Give an order without a counselor one. Raises NotThere, NotQualified, Refused."""
        now = self.clock.now()
        slice_, program = await self.lock(connection, tenant, order)
        found = await lock_counselor(connection, tenant, counselor)
        if found is None or lacks(found[0], program.routing.requirement(program.id), now):
            raise NotQualified(counselor)
        matched = billing.choosing.match(slice_.order, counselor, program.billing)
        return await self._rewrite(connection, tenant, matched, _matched_line(matched))

    async def release(
        self, connection: "Connection", tenant: TenantId, order: OrderId, *, asked_for: bool
    ) -> tuple[Order, Committed]:
        """Let an order go from a counselor who cannot be reached (X04).

        `asked_for`: support decided so; else the program must offer it just now. Raises NotThere,
        and Refused: call_in_progress, order_not_open.
        """
        slice_, program = await self.lock(connection, tenant, order)
        held = slice_.order.counselor
        if held is None:
            return slice_.order, Committed(tenant=tenant)
        if not asked_for and not await self.offers_release(
            connection, tenant, slice_.order, program
        ):
            detail = "This order keeps the counselor it was made for."
            raise Refused(RefusalCode.ORDER_NOT_OPEN, detail)
        released = billing.choosing.release(slice_.order)
        return await self._rewrite(connection, tenant, released, _released_line(released, held))

    async def offers_release(
        self, connection: "Connection", tenant: TenantId, order: Order, program: Program
    ) -> bool:
        """Whether the caller may choose anew by themselves: the counselor is gone for today."""
        now = self.clock.now()
        if not program.routing.release_when_offline or order.counselor is None:
            return False
        if order.state not in (billing.order.State.OPEN, billing.order.State.INTERRUPTED):
            return False
        found = await load_counselor(connection, tenant, order.counselor)
        state = CounselorState.OFFLINE if found is None else state_of(found[0], found[1], now)
        workdays = await self.calendar.workdays(connection, tenant)
        return release_offered(program.routing, state, now, workdays)

    async def note_let_down(
        self, connection: "Connection", tenant: TenantId, order: OrderId
    ) -> Committed | None:
        """The caller of an appointment came and was turned away, as the counselor was not there:
        it never counts as one that was not kept (B07).
        """
        now = self.clock.now()
        slice_, _ = await self.lock(connection, tenant, order)
        failed = let_down(slice_.order, now)
        if failed is slice_.order:
            return None
        _, committed = await self._rewrite(connection, tenant, failed, _LET_DOWN)
        return committed

    async def _rewrite(
        self, connection: "Connection", tenant: TenantId, order: Order, line: Line
    ) -> tuple[Order, Committed]:
        """Write who is to be talked with, and tell so on the timeline."""
        row = await carry_out(
            connection,
            [
                *saving_settlement(tenant, Settlement(order=order)),
                adding_lines(tenant, order.id, order.call, [line], self.clock.now()),
            ],
        )
        committed = Committed(tenant=tenant, order=order.id, seats=True, said=True)
        return read_saved(row, order), committed

    async def tell_summary(
        self, connection: "Connection", tenant: TenantId, order: OrderId
    ) -> Committed:
        """Tell the customer that the summary of their talk can be read. Raises NotThere."""
        slice_, program = await self.lock(connection, tenant, order)
        outcome = fold.summary_written(slice_.order)
        now = self.clock.now()
        return await self.writer.write(connection, tenant, slice_, None, outcome, program, now)


_LET_DOWN = Line(kind="order.let_down", role=None, data={}, visible=(STAFF,))


async def _keep_text(
    connection: "Connection", tenant: TenantId, program: Program, now: datetime
) -> None:
    """The text in force at opening stays with the order (X38)."""
    await keep_program_text(
        connection,
        tenant,
        program=program.id,
        version=program.version,
        digest=program.digest,
        body=program.body,
        now=now,
    )


def _matched_line(order: Order) -> Line:
    """Who was chosen; why is the steward's own note."""
    assert order.counselor is not None
    return Line(
        kind="order.matched",
        role=None,
        data={"counselor": order.counselor},
        visible=(STAFF, caller_sees(order.caller), APP, counselor_sees(order.counselor)),
    )


def _released_line(order: Order, counselor: CounselorId) -> Line:
    """From whom it was released; why is support's own note."""
    return Line(
        kind="order.released",
        role=None,
        data={"counselor": counselor},
        visible=(STAFF, caller_sees(order.caller), APP, counselor_sees(counselor)),
    )
