"""Sending one order to the carrier: looked at once more before it goes, and never rung twice."""

import asyncio
from typing import TYPE_CHECKING, Literal, Protocol

import structlog

from dialer.call import Call
from dialer.carriers import Carrier, CarrierRefused, CarrierUnknown
from dialer.carriers.last_look import only_while
from dialer.leg import Leg
from dialer.orders import Answer, Bridge, HangUp, Limit, Part, Ring, Say
from dialer.phone_check import is_check
from dialer.store.calls import load_call
from dialer.store.due import DueOrder, is_limited_anew
from dialer.store.phone_checks import lock_check
from terms.ids import CounselorId, LegId, TenantId
from terms.phone import PhoneNumber
from warmline.workers.asking_again import still_stands
from warmline.workers.hearing import HEARING_SECONDS
from warmline.workers.hold import SHARED, Hold
from warmline.workers.leases import Leases, TakenOver

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Connection, Record

_log = structlog.get_logger()

LANGUAGE = "zh-CN"
"""What callers hear."""


class Numbers(Protocol):
    """Where a leg's number is looked up, at the last moment."""

    async def of_leg(
        self, connection: "Connection", tenant: TenantId, call: Call, leg: Leg
    ) -> tuple[PhoneNumber, str] | None:
        """Whom to ring, and the number to show them; None when there is no such person."""
        ...

    async def of_counselor(
        self, connection: "Connection", tenant: TenantId, counselor: CounselorId
    ) -> tuple[PhoneNumber, str] | None:
        """A counselor's own phone outside any call, and the number to show them."""
        ...


class Sender:
    """Knows the carrier's verbs, and whether an order still has something to act on."""

    def __init__(
        self,
        pool: "Pool[Record]",
        carrier: Carrier,
        numbers: Numbers,
        leases: Leases,
        hold: Hold = SHARED,
    ) -> None:
        self._pool = pool
        self._carrier = carrier
        self._numbers = numbers
        self._leases = leases
        self._hold = hold

    async def send(
        self, due: DueOrder, may_have_been_sent: bool, *, is_repeated: bool
    ) -> Literal[True] | None:
        """Send it once. None: it is not wanted any more.

        Raises CarrierRefused, CarrierUnknown, and TakenOver.
        """
        if not self._hold.may_obey:
            raise TakenOver
        if isinstance(due.order, Ring):
            return await self._ring(due, due.order, may_have_been_sent)
        if (is_repeated or due.tries) and not await self._still_stands(due):
            return None
        await self._leases.keep(due)
        with only_while(self._leases.holds(due)):
            await self._give(due)
        return True

    async def _give(self, due: DueOrder) -> None:
        carrier = self._carrier
        match due.order:
            case Ring():
                raise AssertionError("a ring needs a number")
            case Answer(leg):
                await carrier.answer(leg)
            case Bridge(legs, limit_seconds):
                await carrier.bridge(due.call, legs, limit_seconds=limit_seconds)
            case Part(leg):
                await carrier.part(leg)
            case Say(leg, prompt):
                await carrier.say(leg, prompt, language=LANGUAGE)
            case Limit(leg, limit_seconds):
                await carrier.limit(leg, limit_seconds=limit_seconds)
            case HangUp(leg):
                await carrier.hang_up(leg)

    async def _ring(
        self, due: DueOrder, order: Ring, may_have_been_sent: bool
    ) -> Literal[True] | None:
        if may_have_been_sent:
            if await self._is_there(order.leg):
                return True
            # It may have been there and be gone: then the news of that is on its way. Or whoever
            # had the order before us is sending it just now.
            await asyncio.sleep(HEARING_SECONDS)
            if await self._is_there(order.leg):
                return True
        async with self._pool.acquire() as connection:
            wanted = self._wanted_by_check if is_check(due.call) else self._wanted_by_call
            found = await wanted(connection, due, order)
        if found is None:
            return None
        number, shows = found
        await self._leases.keep(due)
        with only_while(self._leases.holds(due)):
            await self._carrier.ring(
                order.leg, number, shows=shows, ring_seconds=order.ring_seconds
            )
        return True

    async def _wanted_by_call(
        self, connection: "Connection", due: DueOrder, order: Ring
    ) -> tuple[PhoneNumber, str] | None:
        """Whom to ring; None where the call wants it no more. Raises CarrierRefused."""
        stored = await load_call(connection, due.tenant, due.call)
        leg = None if stored is None else stored.call.leg(order.leg)
        if stored is None or leg is None or leg.is_over:
            return None
        return _known(await self._numbers.of_leg(connection, due.tenant, stored.call, leg))

    async def _wanted_by_check(
        self, connection: "Connection", due: DueOrder, order: Ring
    ) -> tuple[PhoneNumber, str] | None:
        """Whose phone to check; None once another check took its place. Raises CarrierRefused."""
        found = await lock_check(connection, due.call)
        if found is None or found[1].leg.is_over:
            return None
        party = CounselorId(found[1].party)
        return _known(await self._numbers.of_counselor(connection, due.tenant, party))

    async def let_go(self, leg: LegId) -> None:
        """A phone that may ring yet, for a ring that we gave up: nobody waits for it any more."""
        try:
            await self._carrier.hang_up(leg)
        except (CarrierRefused, CarrierUnknown) as fault:
            _log.warning("ring_not_let_go", leg=leg, fault=str(fault))

    async def _still_stands(self, due: DueOrder) -> bool:
        """Whether an order that is tried again still has a leg to act on."""
        if isinstance(due.order, HangUp | Part):
            return True  # without a look
        async with self._pool.acquire() as connection:
            stored = await load_call(connection, due.tenant, due.call)
            if isinstance(due.order, Limit) and await is_limited_anew(
                connection, due, due.order.leg
            ):
                return False
        return still_stands(due.order, None if stored is None else stored.call)

    async def _is_there(self, leg: LegId) -> bool:
        """Whether the carrier knows the leg. Raises CarrierUnknown."""
        return any(live.leg == leg for live in await self._carrier.live_legs())


def _known(found: tuple[PhoneNumber, str] | None) -> tuple[PhoneNumber, str]:
    if found is None:
        raise CarrierRefused("no_number", q850=1)
    return found
