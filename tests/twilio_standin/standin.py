"""One loopback Twilio, put together, and the hands that work its phones and its clock."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiohttp import web

from tests.twilio_standin.calls import Call
from tests.twilio_standin.clock import Clock, VirtualClock
from tests.twilio_standin.exchange import Account, Exchange, OwnNumber, new_sid
from tests.twilio_standin.faults import Failures, Knobs, Misdelivery
from tests.twilio_standin.mouth import Mouth
from tests.twilio_standin.office import Office
from tests.twilio_standin.operations import Operations
from tests.twilio_standin.phones import Outcome, Phone, Script
from tests.twilio_standin.rest import Rest
from tests.twilio_standin.voice import Voice

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
_LOST = Outcome(status="completed", sip=503)


class NotAsDocumented(AssertionError):
    """We asked for, or answered, something that Twilio's documents do not know."""


@dataclass(slots=True, kw_only=True, eq=False)
class Twilio:
    """A Twilio that serves one account."""

    url: str
    account: Account
    clock: Clock
    mouth: Mouth
    exchange: Exchange
    office: Office
    rest: Rest

    @property
    def faults(self) -> list[str]:
        """Every way in which we were not as documented."""
        return self.mouth.faults

    @property
    def failures(self) -> Failures:
        """How the next requests fail."""
        return self.rest.failures

    @property
    def knobs(self) -> Knobs:
        """How this Twilio reads its own documents."""
        return self.exchange.knobs

    @property
    def misdelivery(self) -> Misdelivery:
        """What happens to callbacks on their way."""
        return self.mouth.misdelivery

    # -- phones ------------------------------------------------------------------------------

    def number(self, number: str) -> OwnNumber:
        """A number of the account, made if it has none such."""
        if number not in self.exchange.numbers:
            self.exchange.numbers[number] = OwnNumber(sid=new_sid("PN"), number=number)
        return self.exchange.numbers[number]

    def phone(self, number: str, script: Script | None = None) -> Phone:
        """A phone, taught a script if one is given."""
        phone = self.exchange.phones[number]
        if script is not None:
            phone.script = script
        return phone

    def pick_up(self, number: str) -> None:
        """Answer the call that rings."""
        self.exchange.pick_up(self.call_of(number))

    def hang_up(self, number: str) -> None:
        """Hang up as a person does; a phone that loses radio looks the same."""
        self.exchange.hang_up(self.call_of(number))

    def drop(self, number: str) -> None:
        """Let the network lose the leg, and say so by its SIP code."""
        self.exchange.finish(self.call_of(number), _LOST)

    def press(self, number: str, keys: str) -> None:
        """Press keys."""
        self.exchange.line.press(self.call_of(number), keys)

    def dial_in(
        self, number: str, to: str, *, withhold: bool = False, stir: str | None = None
    ) -> Call:
        """Let a phone dial one of the account's numbers."""
        return self.exchange.dial_in(number, to, withhold=withhold, stir=stir)

    def hears(self, number: str) -> set[str]:
        """Whose voices reach the phone."""
        return self.exchange.conferencing.hears(self.phone(number))

    def call_of(self, number: str) -> Call:
        """The call the phone is on, or rings for."""
        call = self.phone(number).call
        assert call is not None, f"the phone {number[-4:]} is on no call"
        return call

    def live_calls(self) -> list[Call]:
        """Every call that has not ended."""
        return [call for call in self.exchange.calls.values() if call.is_live]

    # -- time --------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Return when nothing is under way any more at this instant."""
        while self._is_busy():
            await self.mouth.quiet()
            await asyncio.sleep(0)

    async def pass_time(self, seconds: float) -> None:
        """Let time go by, stopping wherever something happens."""
        assert isinstance(self.clock, VirtualClock)
        until = self.clock.now() + timedelta(seconds=seconds)
        await self.settle()
        while self.clock.step(until):
            await self.settle()

    def _is_busy(self) -> bool:
        soon = self.clock.soon if isinstance(self.clock, VirtualClock) else 0
        return bool(self.mouth.outstanding or soon or self.rest.underway)

    @contextmanager
    def expecting_faults(self) -> Iterator[list[str]]:
        """What is not as documented within the block is meant, and given to the test."""
        before = len(self.faults)
        found: list[str] = []
        yield found
        found += self.faults[before:]
        del self.faults[before:]


@asynccontextmanager
async def a_twilio(
    operations: Operations,
    services: Mapping[str, str],
    *,
    clock: Clock | None = None,
    account: Account | None = None,
) -> AsyncIterator[Twilio]:
    """A Twilio on loopback; raises NotAsDocumented at its end for whatever was not.

    `services` tells which loopback address is behind a public one; it may be filled later.
    """
    clock, account = clock or VirtualClock(NOON), account or new_account()
    knobs = Knobs()
    mouth = Mouth(clock=clock, signing_token=account.token, services=services, knobs=knobs)
    exchange = Exchange(account=account, clock=clock, mouth=mouth, knobs=knobs)
    office = Office(exchange)
    handles = {**Voice(exchange).handles(), **office.handles()}
    rest = Rest(account=account, operations=operations, handles=handles, mouth=mouth)
    rest.before_answering = lambda: _all_told(mouth, clock)
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", rest.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield Twilio(
            url=url,
            account=account,
            clock=clock,
            mouth=mouth,
            exchange=exchange,
            office=office,
            rest=rest,
        )
    finally:
        await mouth.close()
        await runner.cleanup()
    if mouth.faults:
        raise NotAsDocumented("\n".join(mouth.faults))


async def _all_told(mouth: Mouth, clock: Clock) -> None:
    """With the knob turned, what a deed tells overtakes the deed's own answer."""
    while mouth.knobs.tells_before_answering and (
        mouth.outstanding or (isinstance(clock, VirtualClock) and clock.soon)
    ):
        await mouth.quiet()
        await asyncio.sleep(0)


def new_account() -> Account:
    """An account of its own."""
    return Account(
        sid=new_sid("AC"),
        token=secrets.token_hex(16),
        secondary_token=secrets.token_hex(16),
        key=new_sid("SK"),
        key_secret=secrets.token_urlsafe(24),
    )
