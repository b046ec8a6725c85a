"""The conformance rig for Twilio: the real SDK, real HTTP to the stand-in, and webhooks back."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

from aiohttp import web

from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.book import Book
from dialer.carriers.twilio.budget import unlimited
from dialer.carriers.twilio.carrier import Presence, TwilioCarrier
from dialer.carriers.twilio.webhooks import Signatures, routes
from terms.phone import PhoneNumber
from tests.dialer.carriers.rig import Behaviour, Rig
from tests.twilio_standin.calls import Address, Call
from tests.twilio_standin.operations import Operations
from tests.twilio_standin.phones import Reply, Script
from tests.twilio_standin.standin import Twilio, a_twilio, new_account

PUBLIC = "https://warmline.example"
OURS = "+862155500100"

_SCRIPTS = {
    Behaviour.BY_HAND: Script(),
    Behaviour.ANSWERS: Script(reply=Reply.ANSWERS),
    Behaviour.ACCEPTS: Script(reply=Reply.ANSWERS, presses="1"),
    Behaviour.VOICEMAIL: Script(reply=Reply.ANSWERS, answered_by="machine_start"),
    Behaviour.BUSY: Script(reply=Reply.BUSY),
    Behaviour.NO_ANSWER: Script(reply=Reply.NO_ANSWER),
    Behaviour.REJECTS: Script(reply=Reply.REJECTS),
    Behaviour.OFF: Script(reply=Reply.OFF),
    Behaviour.UNKNOWN: Script(reply=Reply.UNKNOWN),
}
_ASKS_WHETHER_TAKEN_SECONDS = 1


class TwilioRig(Rig):
    """Phones of the stand-in."""

    shows = OURS
    service_number = OURS

    def __init__(self, twilio: Twilio, carrier: TwilioCarrier) -> None:
        super().__init__()
        self.twilio = twilio
        self.carrier = self.twilio_carrier = carrier
        self._numbers = count(1)

    async def phone(self, behaviour: Behaviour) -> PhoneNumber:
        number = PhoneNumber(f"+86138{next(self._numbers):08}")
        self.twilio.phone(number.digits, _SCRIPTS[behaviour])
        return number

    async def pick_up(self, phone: PhoneNumber) -> None:
        self.twilio.pick_up(phone.digits)

    async def put_down(self, phone: PhoneNumber) -> None:
        self.twilio.hang_up(phone.digits)
        await self.twilio.settle()

    async def press(self, phone: PhoneNumber, digits: str) -> None:
        self.twilio.press(phone.digits, digits)
        await self.settle()

    async def drop(self, phone: PhoneNumber) -> None:
        self.twilio.drop(phone.digits)
        await self.twilio.settle()

    async def kill(self, phone: PhoneNumber) -> None:
        self.twilio.phone(phone.digits).dead = True

    async def fall_silent(self, phone: PhoneNumber) -> None:
        self.twilio.phone(phone.digits).silent = True

    async def speak(self, phone: PhoneNumber) -> None:
        self.twilio.phone(phone.digits).silent = False

    async def dial_in(self, phone: PhoneNumber, *, withhold: bool = False) -> None:
        self.twilio.dial_in(phone.digits, OURS, withhold=withhold, stir="No-TN-Validation")
        await self.twilio.settle()

    async def hears(self, phone: PhoneNumber) -> set[PhoneNumber]:
        await self.settle()
        return {PhoneNumber(number) for number in self.twilio.hears(phone.digits)}

    async def heard(self, phone: PhoneNumber) -> list[str]:
        return list(self.twilio.phone(phone.digits).heard)

    async def shown(self, phone: PhoneNumber) -> list[str]:
        return list(self.twilio.phone(phone.digits).shown)

    async def pass_time(self, seconds: float) -> None:
        await self.settle()
        await self.twilio.pass_time(seconds)
        await self.settle()

    async def pump(self) -> None:
        """A leg that dialled in asks once a second whether it is taken."""
        await self.twilio.settle()
        if any(call.status == "ringing" and call.direction == "inbound" for call in self._live()):
            await self.twilio.pass_time(_ASKS_WHETHER_TAKEN_SECONDS)

    async def settle(self) -> None:
        await self.twilio.settle()
        async with asyncio.timeout(10):
            while self.twilio_carrier.is_open and self.twilio_carrier.untold:  # noqa: ASYNC110
                await asyncio.sleep(0.005)  # told by tasks of the carrier
        await self.twilio.settle()

    def _live(self) -> list[Call]:
        return self.twilio.live_calls()


@asynccontextmanager
async def a_rig(operations: Operations, book: Book) -> AsyncIterator[TwilioRig]:
    """A stand-in, a carrier with that book, and the carrier's webhooks behind the public address.

    Ends with every leg let go. Raises NotAsDocumented for whatever Twilio's documents do not know.
    """
    services: dict[str, str] = {}
    account = new_account()
    async with a_twilio(operations, services, account=account) as twilio:
        number = twilio.number(OURS)
        number.voice = Address(url=f"{PUBLIC}/carrier/twilio/inbound")
        number.status = Address(url=f"{PUBLIC}/carrier/twilio/calls")
        carrier = TwilioCarrier(
            Access(account_sid=account.sid, auth_token=account.token, api_url=twilio.url),
            book,
            Presence(public_url=PUBLIC, numbers=(OURS,), words=_words),
            unlimited(),
            now=twilio.clock.now,
            new_secret=lambda: secrets.token_hex(8),
        )
        async with _served(carrier, (account.token, account.secondary_token)) as address:
            services[PUBLIC] = address
            rig = TwilioRig(twilio, carrier)
            await carrier.open(rig.receive)
            yield rig
            for call in twilio.live_calls():
                twilio.exchange.end_by_api(call, "completed")
            await rig.settle()
            await carrier.close()


def _words(prompt: str, language: str) -> str:
    """The stand-in's phones hear a prompt by its key."""
    assert language in ("zh-CN", "en")
    return prompt


@asynccontextmanager
async def _served(carrier: TwilioCarrier, tokens: tuple[str, ...]) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes(routes(carrier.ear, Signatures(PUBLIC, tokens)))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
