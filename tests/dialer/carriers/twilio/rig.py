"""The conformance rig for Twilio: the real SDK, real HTTP to the stand-in, and webhooks back."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from urllib.parse import urldefrag

import aiohttp
from aiohttp import web

from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.book import Book
from dialer.carriers.twilio.budget import unlimited
from dialer.carriers.twilio.carrier import Presence, TwilioCarrier
from dialer.carriers.twilio.webhooks import Signatures, routes
from terms.phone import PhoneNumber
from tests.dialer.carriers.rig import Behaviour, Rig
from tests.twilio_standin.calls import Address, Call
from tests.twilio_standin.operations import Asked, Operations
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

    def __init__(self, twilio: Twilio, carrier: TwilioCarrier, book: Book, door: "Door") -> None:
        super().__init__()
        self.twilio = twilio
        self.carrier = self.twilio_carrier = carrier
        self.book = book
        self.door = door
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

    async def ask_again(self, asked: Asked, **changed: str) -> None:
        """Ask Twilio what it was asked before, as a proxy on the way might."""
        account = self.twilio.account
        assert asked.operation is not None
        path = asked.operation.template.format(**asked.path)
        given = {**asked.params, **{name: [text] for name, text in changed.items()}}
        pairs = [(name, text) for name, texts in given.items() for text in texts]
        login = aiohttp.encode_basic_auth(account.sid, account.token)
        async with (
            aiohttp.ClientSession(headers={"Authorization": login}) as session,
            session.post(self.twilio.url + path, data=pairs) as response,
        ):
            assert response.status < 300, await response.text()

    async def send(self, url: str, params: Mapping[str, str], signature: str | None) -> "Told":
        """Send a webhook that the stand-in did not."""
        headers = {} if signature is None else {"X-Twilio-Signature": signature}
        address = self.door.address + urldefrag(url).url.removeprefix(PUBLIC)
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.post(address, data=dict(params)) as response,
        ):
            return Told(response.status, await response.text())

    def _live(self) -> list[Call]:
        return self.twilio.live_calls()


@dataclass(frozen=True, slots=True)
class Told:
    """What a webhook was answered."""

    status: int
    text: str


@dataclass(slots=True)
class Door:
    """Where webhooks come in; the next `to_fail` of them find us in trouble."""

    address: str = ""
    to_fail: int = 0

    @web.middleware
    async def trouble(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Answer, or do not."""
        if self.to_fail > 0:
            self.to_fail -= 1
            return web.Response(status=503)
        return await handler(request)


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
        async with _served(carrier, (account.token, account.secondary_token)) as door:
            services[PUBLIC] = door.address
            rig = TwilioRig(twilio, carrier, book, door)
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
async def _served(carrier: TwilioCarrier, tokens: tuple[str, ...]) -> AsyncIterator[Door]:
    door = Door()
    app = web.Application(middlewares=[door.trouble])
    app.add_routes(routes(carrier.ear, Signatures(PUBLIC, tokens), carrier.backlog))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        door.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield door
    finally:
        await runner.cleanup()
