"""Where the trials are made: a carrier, two phones, and everything Twilio says while they ring."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import TypeVar

from aiohttp import web

from dialer.carriers import CallIn, News, Report
from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.api import Api
from dialer.carriers.twilio.book import MemoryBook
from dialer.carriers.twilio.budget import unlimited
from dialer.carriers.twilio.carrier import Presence, TwilioCarrier
from dialer.carriers.twilio.events import kept_fields
from dialer.carriers.twilio.names import BASE
from dialer.carriers.twilio.webhooks import Form, Signatures, routes
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber

FAILS, FALLBACK = f"{BASE}/smoke/fails", f"{BASE}/smoke/fallback"
_HANG_UP = '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>'
_TOKEN_HEADER = "I-Twilio-Idempotency-Token"
_LOOK_SECONDS = 0.25
_FORGED = 403

Piece = TypeVar("Piece", bound=News | CallIn)


class NotSeen(Exception):
    """What a trial waited for did not come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One webhook that Twilio signed, without numbers and places."""

    at: datetime
    path: str
    fields: dict[str, str]
    has_token: bool

    @property
    def word(self) -> str:
        """What it tells, in Twilio's word."""
        return self.fields.get("StatusCallbackEvent") or self.fields.get("CallStatus", "")


@dataclass(slots=True, kw_only=True)
class Stage:
    """What a trial works with. `nap` lets time go by; `ask` asks the operator."""

    carrier: TwilioCarrier
    api: Api
    phones: tuple[PhoneNumber, PhoneNumber]
    own_number: str
    public_url: str
    ask: Callable[[str], Awaitable[str]]
    nap: Callable[[float], Awaitable[None]]
    now: Callable[[], datetime]
    seen: list[Seen] = field(default_factory=list)
    told: list[Report] = field(default_factory=list)
    calls: Iterator[int] = field(default_factory=lambda: count(1))

    def new_call(self) -> CallId:
        """A call of its own name."""
        return CallId(f"smoke{next(self.calls)}")

    async def ring(self, call: CallId, role: str, phone: PhoneNumber) -> LegId:
        """Ring a phone until it is answered."""
        leg = LegId(f"{call}/{role}/1")
        await self.carrier.ring(leg, phone, shows=self.own_number, ring_seconds=40)
        return leg

    async def news(
        self, kind: type[Piece], leg: LegId | None = None, *, within_seconds: float = 60
    ) -> Piece:
        """The first news of that kind about that leg. Raises NotSeen."""
        waited = 0.0
        while True:
            for report in self.told:
                if isinstance(report.news, kind) and leg in (None, report.news.leg):
                    return report.news
            if waited >= within_seconds:
                raise NotSeen(f"no {kind.__name__} within {within_seconds:.0f} s")
            await self.nap(_LOOK_SECONDS)
            waited += _LOOK_SECONDS

    async def receive(self, report: Report) -> None:
        """Keep what the carrier tells."""
        self.told.append(report)


@asynccontextmanager
async def a_stage(
    access: Access,
    signatures: Signatures,
    presence: Presence,
    *,
    phones: tuple[PhoneNumber, PhoneNumber],
    host: str,
    port: int,
    ask: Callable[[str], Awaitable[str]],
    nap: Callable[[float], Awaitable[None]] = asyncio.sleep,
    now: Callable[[], datetime],
    new_secret: Callable[[], str],
    listens: Callable[[int], None] = lambda port: None,
) -> AsyncIterator[Stage]:
    """A carrier that is open, and a door for Twilio's webhooks. Raises OSError: no such port."""
    carrier = TwilioCarrier(
        access, MemoryBook(), presence, unlimited(), now=now, new_secret=new_secret
    )
    api = Api(access)
    stage = Stage(
        carrier=carrier,
        api=api,
        phones=phones,
        own_number=presence.numbers[0],
        public_url=presence.public_url,
        ask=ask,
        nap=nap,
        now=now,
    )
    runner = web.AppRunner(_door(stage, signatures), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        listens(int(runner.addresses[0][1]))
        await carrier.open(stage.receive)
        yield stage
    finally:
        await carrier.close()
        await api.close()
        await runner.cleanup()


def _door(stage: Stage, signatures: Signatures) -> web.Application:
    @web.middleware
    async def note(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        answer = await handler(request)
        if answer.status == _FORGED:
            return answer
        form = {name: str(value) for name, value in (await request.post()).items()}
        stage.seen.append(
            Seen(
                at=stage.now(),
                path=request.path,
                fields=kept_fields(form),
                has_token=_TOKEN_HEADER in request.headers,
            )
        )
        return answer

    async def fails(_request: web.Request, _form: Form) -> web.Response:
        return web.Response(status=500)

    async def fallback(_request: web.Request, _form: Form) -> web.Response:
        return web.Response(text=_HANG_UP, content_type="text/xml")

    app = web.Application(middlewares=[note])
    app.add_routes(routes(stage.carrier.ear, signatures, stage.carrier.backlog))
    app.add_routes(
        [
            web.post(FAILS, signatures.checked(fails)),
            web.post(FALLBACK, signatures.checked(fallback)),
        ]
    )
    return app
