"""Asterisk in use: of all processes one at a time listens to it and gives it orders."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog
from aiohttp import web

from dialer.carriers import CarrierUnreachable, Receive
from dialer.carriers.asterisk.carrier import Address, AsteriskCarrier
from dialer.carriers.asterisk.standing import Believed
from dialer.store.calls import live_calls
from terms.ids import CallId
from warmline.carriers.fenced import FencedCarrier
from warmline.carriers.in_use import Place
from warmline.carriers.lease import Lease
from warmline.carriers.store import ring_bell
from warmline.database.faults import OUT_OF_REACH
from warmline.exits import Unusable
from warmline.ids import new_id
from warmline.prompts.standing import folder_of
from warmline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from warmline.carriers.store import Line

_log = structlog.get_logger()

_HEARING_SECONDS = 0.5
"""After it listens again: what it found is stored by then."""

_GIVEN_UP_AFTER_SECONDS = 15.0
"""An Asterisk away for longer holds no ringing phone: from then on silence means what it says."""

_MOST_RETURNS = 3
"""So often we take our application back from somebody who takes it while the turn is ours."""


def check_asterisk(settings: Settings) -> None:
    """Whether it can be spoken to at all. Raises Unusable."""
    if settings.asterisk_password is None:
        raise Unusable(
            "WARMLINE_CARRIER=asterisk needs WARMLINE_ASTERISK_PASSWORD: the password of the user "
            "in Asterisk's ari.conf."
        )


def address_of(settings: Settings) -> Address:
    """Where Asterisk is, by the settings. Raises Unusable."""
    check_asterisk(settings)
    assert settings.asterisk_password is not None
    return Address(
        url=settings.asterisk_url.rstrip("/"),
        user=settings.asterisk_user,
        password=settings.asterisk_password.get_secret_value(),
        prompts=str(settings.asterisk_prompts or folder_of(settings).absolute()),
        app=settings.asterisk_app,
        trunk=settings.asterisk_trunk,
    )


@dataclass(slots=True)
class AsteriskHold:
    """Our turn, while the lease says so."""

    lease: Lease
    asterisk: AsteriskCarrier
    wakes: "list[Callable[[], None]]" = field(default_factory=list)

    @property
    def may_obey(self) -> bool:
        """Whether orders may go out."""
        return self.lease.is_held

    is_behind = False

    def awaits(self, call: CallId) -> bool:
        """What it tells is believed as it comes."""
        return False

    @property
    def hears(self) -> bool:
        """Only who listens may conclude anything from silence."""
        if not self.lease.is_held:
            return False
        since, now = self.asterisk.listening_since, time.monotonic()
        if since is not None:
            return now - since >= _HEARING_SECONDS
        deaf_since = self.asterisk.deaf_since
        return deaf_since is not None and now - deaf_since >= _GIVEN_UP_AFTER_SECONDS

    def rings(self, wake: "Callable[[], None]") -> None:
        """Who is to look then."""
        self.wakes.append(wake)

    async def pass_on(self, connection: "Line") -> None:
        """Tell whoever holds it."""
        await ring_bell(connection)


class AsteriskInUse:
    """Its news comes in by a connection that we make; there are no routes."""

    routes: Sequence[web.RouteDef] = ()
    hands = None
    carrier: FencedCarrier

    def __init__(self, place: Place) -> None:
        self._pool = place.pool
        self._asterisk = AsteriskCarrier(
            address_of(place.settings), believe=self._believe, may_connect=self._is_ours
        )
        self._lease = Lease(
            place.pool,
            place.settings.tenant,
            place.clock,
            carrier="asterisk",
            holder=new_id("process"),
            follows=self,
        )
        self.hold = AsteriskHold(self._lease, self._asterisk)
        self.carrier = FencedCarrier(self._asterisk, self.hold)
        self._receive: Receive | None = None
        self._turn = asyncio.Lock()
        self._moves: set[asyncio.Task[None]] = set()
        self._returns = 0

    async def check(self) -> str | None:
        """Whether it is listened to, by us or by another process of ours."""
        if not self._lease.is_held:
            return None if self._lease.is_others else "no process holds Asterisk"
        if self._asterisk.is_replaced:
            return "somebody else uses our application at Asterisk"
        return None if self._asterisk.is_listening else "Asterisk does not answer"

    async def open(self, receive: Receive) -> None:
        """Begin to hear it as soon as it is our turn."""
        self._receive = receive
        self._lease.start()

    async def close(self) -> None:
        """Hear it no more, then let another have it."""
        self._receive = None
        await asyncio.gather(*self._moves, return_exceptions=True)
        await self._asterisk.close()
        await self._lease.stop()

    # --- what follows the lease ----------------------------------------------------------------

    def taken(self, fencing: int) -> None:
        """Listen: whoever listened before us hears nothing from then on."""
        self._returns = 0
        self._go_on(listens=True)

    def lost(self) -> None:
        """Stop listening: another process does by now."""
        self._go_on(listens=False)

    def kept(self) -> None:
        """Take our application back, should somebody have it: one that woke up late, perhaps."""
        if self._asterisk.is_replaced and self._returns < _MOST_RETURNS:
            self._returns += 1
            _log.warning("application_taken_back", times=self._returns)
            self._go_on(listens=True)

    def called(self) -> None:
        """Orders wait."""
        for wake in self.hold.wakes:
            wake()

    def _go_on(self, *, listens: bool) -> None:
        task = asyncio.create_task(self._move(listens=listens))
        self._moves.add(task)
        task.add_done_callback(self._moves.discard)

    async def _move(self, *, listens: bool) -> None:
        """One after the other, in the order in which the turn came and went."""
        async with self._turn:
            await self._asterisk.close()
            if listens and (receive := self._receive) is not None:
                with suppress(CarrierUnreachable):  # it goes on trying
                    await self._asterisk.open(receive)
                self.called()

    # --- what the carrier asks of us -----------------------------------------------------------

    def _is_ours(self) -> bool:
        return self._lease.is_held

    async def _believe(self) -> Sequence[Believed]:
        """Every leg that our calls hold for standing."""
        try:
            async with self._pool.acquire() as connection:
                calls = [call for _, call in await live_calls(connection)]
        except OUT_OF_REACH as fault:  # deaf is worse than not knowing what was missed
            _log.warning("calls_not_known", fault=type(fault).__name__)
            return ()
        return [
            Believed(leg=leg.id, rang_at=leg.ringing_at, answered_at=leg.answered_at)
            for call in calls
            for leg in call.legs
            if not leg.is_over
        ]
