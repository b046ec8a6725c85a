"""Callers who dial the service number: let in by caller ID, or told why not (A11, A23)."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from billing.order import Order
from billing.order import State as OrderState
from billing.store.orders import list_orders, live_orders
from dialer.call import State
from dialer.carriers import CallIn, Report
from dialer.events import CallerDialledIn, CounselorUnavailable
from dialer.orders import Answer, CarrierOrder, HangUp, Say
from dialer.store.calls import Stored, bind_dial_in, live_call_of, load_call
from dialer.store.due import insert_orders
from dialer.store.news import keep_call_in
from routing.admission import SpokenRefusal, dial_in_refusal
from routing.store.callers import add_nameless_caller, find_caller, get_or_create_caller
from routing.store.devices import verified_number
from terms.ids import CallerId, CallId, OrderId, ProgramId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from warmline.desk import fold
from warmline.desk.desk import Desk
from warmline.desk.hearer import Hearer
from warmline.desk.opening import COUNSELOR_ABSENT
from warmline.desk.slice import Slice
from warmline.desk.writing import Committed
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.desk.store import Connection

_log = structlog.get_logger()

_ORDERS_LOOKED_AT = 20

NOT_IN_SERVICE = "not_in_service"
NO_OPEN_ORDER = "no_open_order"

_TOLD = frozenset(
    {
        RefusalCode.COUNSELOR_BUSY,
        RefusalCode.COUNSELOR_OFFLINE,
        RefusalCode.ORDER_EXPIRED,
        RefusalCode.RATE_LIMITED,
    }
)
"""Refusals with a prompt of their own: those that tell a caller what to do."""


_CALLS_IN_AT_ONCE = 5
"""However many dial in at once, everybody else finds a connection free."""


@dataclass(slots=True)
class Switchboard:
    """Takes what the carrier reports: news to the desk, callers who dial in to their order."""

    desk: Desk
    programs: Mapping[ProgramId, Program]
    _hearer: Hearer = field(init=False)
    _room: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._hearer = Hearer(self.desk)
        self._room = asyncio.Semaphore(_CALLS_IN_AT_ONCE)

    async def receive(self, report: Report) -> None:
        """Returns once the report is stored; raises when the carrier must tell it again."""
        if not isinstance(report.news, CallIn):
            await self._hearer.hear(report.id, report.news)
            return
        async with self._room:
            await self._take_call_in(report.id, report.news)

    async def _take_call_in(self, id_: str, call_in: CallIn) -> None:
        desk = self.desk
        now = desk.clock.now()
        try:
            async with desk.pool.acquire() as connection, connection.transaction():
                if not await keep_call_in(connection, desk.tenant, id_, call_in.leg, now):
                    return
                committed = await self._let_in(connection, call_in, now)
        except _TurnedAway as why:
            committed = await self._turn_away(id_, call_in, why.prompt, now, why)
        except Refused as refusal:
            committed = await self._turn_away(id_, call_in, told(refusal.code), now)
        for one in committed:
            desk.tell(one)

    async def _let_in(
        self, connection: "Connection", call_in: CallIn, now: datetime
    ) -> list[Committed]:
        """Into the caller's one open order. Raises _TurnedAway and Refused."""
        program = self._program(call_in.dialled, now)
        caller = await self._admit(connection, call_in, program, now)
        if caller is None:
            return [await self._forward(connection, call_in, program, now)]
        order_id = await self._order_of(connection, caller, program)
        slice_, in_force = await self.desk.lock(connection, self.desk.tenant, order_id)
        live = await live_call_of(connection, self.desk.tenant, order_id)
        try:
            if live is None:
                return [await self._begin(connection, slice_, call_in, in_force, now)]
            return await self._join(connection, slice_, live, call_in, in_force, now)
        except Refused as refusal:
            absent = order_id if refusal.code in COUNSELOR_ABSENT else None
            raise _TurnedAway(told(refusal.code), let_down=absent) from refusal

    def _program(self, dialled: str, now: datetime) -> Program:
        number = PhoneNumber(dialled)
        for program in self.programs.values():
            if program.routing.answers(number, now):
                return program
        raise _TurnedAway(NOT_IN_SERVICE)

    async def _admit(
        self, connection: "Connection", call_in: CallIn, program: Program, now: datetime
    ) -> CallerId | None:
        """Who is let in; None for a caller who is brought elsewhere, as nobody is there (X39)."""
        desk = self.desk
        caller = verified = None
        if call_in.caller is not None:
            caller = await find_caller(connection, desk.seal, desk.tenant, call_in.caller)
        if caller is not None:
            verified = await verified_number(connection, desk.seal, desk.tenant, caller.id, now)
        refusal = dial_in_refusal(
            program.routing,
            shown=call_in.caller,
            is_verified=verified is not None,
            now=now,
            workdays=await desk.calendar.workdays(connection, desk.tenant),
        )
        if refusal is SpokenRefusal.OUTSIDE_HOURS and program.routing.forward_when_closed:
            return None
        if refusal is not None:
            raise _TurnedAway(refusal)
        if caller is not None:
            return caller.id
        if not program.billing.opens_on_dial_in:
            raise _TurnedAway(NO_OPEN_ORDER)
        return await self._account_of(connection, call_in, now)

    async def _account_of(
        self, connection: "Connection", call_in: CallIn, now: datetime
    ) -> CallerId:
        """The account of whoever dials, with or without a number (D02)."""
        desk, new = self.desk, CallerId(self.desk.new_id("caller"))
        if call_in.caller is None:
            await add_nameless_caller(connection, desk.tenant, new, now)
            return new
        known = await get_or_create_caller(
            connection, desk.seal, desk.tenant, call_in.caller, lambda: new, now
        )
        return known.id

    async def _order_of(
        self, connection: "Connection", caller: CallerId, program: Program
    ) -> OrderId:
        orders = await live_orders(connection, self.desk.tenant, caller, program.id)
        if not orders and program.billing.opens_on_dial_in:
            return await self.desk.open_for_one_call(
                connection, self.desk.tenant, program, caller, program.granted_seconds
            )
        if not orders:
            raise _TurnedAway(NO_OPEN_ORDER, await self._just_ended(connection, caller, program))
        now = self.desk.clock.now()
        return min(orders, key=lambda order: _readiness(order, now)).id

    async def _just_ended(
        self, connection: "Connection", caller: CallerId, program: Program
    ) -> OrderId | None:
        """The order of the caller's last call: dialling now tells something about how it ended."""
        recent, _ = await list_orders(
            connection, self.desk.tenant, caller, limit=_ORDERS_LOOKED_AT, cursor=None
        )
        ended = [
            (order.settled.ended_at, order.id)
            for order in recent
            if order.settled is not None and order.program == program.id
        ]
        return max(ended)[1] if ended else None

    async def _begin(
        self,
        connection: "Connection",
        slice_: Slice,
        call_in: CallIn,
        program: Program,
        now: datetime,
    ) -> Committed:
        desk = self.desk
        dial = await desk.dial(connection, desk.tenant, slice_, program, now)
        dial = replace(dial, dialled_in=call_in.leg)
        await bind_dial_in(connection, desk.tenant, call_in.leg, dial.call)
        outcome = fold.place(slice_, dial, program, now)
        _, committed = await desk.start(connection, desk.tenant, slice_, outcome, program, now)
        return committed

    async def _forward(
        self, connection: "Connection", call_in: CallIn, program: Program, now: datetime
    ) -> Committed:
        """Say that the line is closed, and bring the caller to one that is not (X39)."""
        desk = self.desk
        caller = await self._account_of(connection, call_in, now)
        order = await desk.open_for_one_call(connection, desk.tenant, program, caller, None)
        slice_, in_force = await desk.lock(connection, desk.tenant, order)
        dial = fold.Dial(
            call=CallId(desk.new_id("call")),
            counselor=None,
            dialled_in=call_in.leg,
            forwarded=True,
        )
        await bind_dial_in(connection, desk.tenant, call_in.leg, dial.call)
        outcome = fold.place(slice_, dial, in_force, now)
        _, committed = await desk.start(connection, desk.tenant, slice_, outcome, in_force, now)
        return committed

    async def _join(
        self,
        connection: "Connection",
        slice_: Slice,
        live: Stored,
        call_in: CallIn,
        program: Program,
        now: datetime,
    ) -> list[Committed]:
        """A call is on already: it takes the leg, and a waiting one goes on at once."""
        desk = self.desk
        offered = None
        if live.call.state is State.WAITING:
            offered = await desk.offer(
                connection, desk.tenant, slice_.order, program, now, call=live.call
            )
            if isinstance(offered, CounselorUnavailable) and not live.call.pooled:
                raise _TurnedAway(offered.why, let_down=slice_.order.id)
            await desk.count_dial(connection, desk.tenant, slice_.order.id, now)
        await bind_dial_in(connection, desk.tenant, call_in.leg, live.call.id)
        events = [CallerDialledIn(call_in.leg, call_in.at), *([offered] if offered else [])]
        committed = []
        for event in events:
            stored = await load_call(connection, desk.tenant, live.call.id)
            assert stored is not None
            outcome = fold.carry(replace(slice_, call=stored.call), event, program, now)
            committed.append(
                await desk.writer.write(
                    connection, desk.tenant, slice_, stored, outcome, program, now
                )
            )
            slice_ = outcome.slice
        return committed

    async def _turn_away(
        self,
        id_: str,
        call_in: CallIn,
        prompt: str,
        now: datetime,
        why: "_TurnedAway | None" = None,
    ) -> list[Committed]:
        """Answer, say why, and close the line; the caller's own order goes on as it was."""
        desk = self.desk
        _log.info("dial_in_turned_away", why=prompt)
        orders: list[tuple[CarrierOrder, datetime]] = [
            (Answer(call_in.leg), now),
            (Say(call_in.leg, prompt), now),
            (HangUp(call_in.leg), now + fold.FAREWELL),
        ]
        noted = None
        async with desk.pool.acquire() as connection, connection.transaction():
            if await keep_call_in(connection, desk.tenant, id_, call_in.leg, now):
                call = CallId(call_in.leg)
                await insert_orders(connection, desk.tenant, call, orders, now)
                if why is not None and why.ended is not None:
                    noted = await desk.note_called_back(connection, desk.tenant, why.ended)
                elif why is not None and why.let_down is not None:
                    noted = await desk.note_let_down(connection, desk.tenant, why.let_down)
        turned = Committed(tenant=desk.tenant, unhanded=True)
        return [turned] if noted is None else [turned, noted]


class _TurnedAway(Exception):
    """Why somebody who dialled in is not let in: the prompt they hear.

    `ended` is the order of their last call, when none is open; `let_down` the one whose counselor
    was not there.
    """

    def __init__(
        self, prompt: str, ended: OrderId | None = None, *, let_down: OrderId | None = None
    ) -> None:
        super().__init__(prompt)
        self.prompt = prompt
        self.ended = ended
        self.let_down = let_down


def told(code: RefusalCode) -> str:
    """The prompt for a refusal: whatever it is, nobody is turned away in silence."""
    return code if code in _TOLD else RefusalCode.NOT_NOW


def _readiness(order: Order, now: datetime) -> tuple[bool, bool, bool, str]:
    """Of several open orders the one that is being called, or was cut off, goes first; one whose
    appointed time has not come goes last.
    """
    return (
        order.starts_at is not None and now < order.starts_at,
        order.state is not OrderState.IN_CALL,
        order.state is not OrderState.INTERRUPTED,
        order.id,
    )
