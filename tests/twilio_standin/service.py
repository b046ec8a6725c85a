"""A service as Twilio sees one: answers with the TwiML it was told to, and keeps what it hears."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from twilio.request_validator import RequestValidator

PUBLIC = "https://warmline.example"
_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response>{}</Response>'


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One request that came, and whether the SDK's own validator takes its signature."""

    path: str
    params: dict[str, str]
    headers: dict[str, str]
    is_signed: bool

    @property
    def event(self) -> str:
        """What it tells, in Twilio's word."""
        return self.params.get("StatusCallbackEvent") or self.params.get("CallStatus", "")


@dataclass(slots=True, kw_only=True)
class Service:
    """What to say where, with which status; `said` may be changed at any time."""

    token: str
    said: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, list[int]] = field(default_factory=dict)
    """Path -> the statuses of its next answers; then 200, or 204 where nothing is said."""

    redirects: set[str] = field(default_factory=set)
    heard: list[Heard] = field(default_factory=list)

    def twiml(self, path: str, verbs: str) -> str:
        """Say this at the path; gives its public address."""
        self.said[path] = _TWIML.format(verbs)
        return PUBLIC + path

    def events(self, path: str) -> list[str]:
        """What was told at the path, in the order in which it came."""
        return [heard.event for heard in self.heard if heard.path.partition("?")[0] == path]

    def at(self, path: str) -> list[Heard]:
        """What came to the path."""
        return [heard for heard in self.heard if heard.path.partition("?")[0] == path]

    async def handle(self, request: web.Request) -> web.Response:
        """Take one request."""
        form = await request.post()
        params = {name: str(value) for name, value in form.items()}
        asked = request.rel_url.raw_path_qs
        signature = request.headers.get("X-Twilio-Signature", "")
        is_signed = RequestValidator(self.token).validate(PUBLIC + asked, params, signature)
        headers = dict(request.headers)
        self.heard.append(Heard(path=asked, params=params, headers=headers, is_signed=is_signed))
        if request.path in self.redirects:
            return web.Response(status=302, headers={"Location": f"{PUBLIC}/elsewhere"})
        planned = self.statuses.get(request.path)
        status = planned.pop(0) if planned else 0
        if status >= 400:
            return web.Response(status=status)
        if request.path not in self.said:
            return web.Response(status=204)
        return web.Response(text=self.said[request.path], content_type="text/xml")


@asynccontextmanager
async def a_service(token: str) -> AsyncIterator[tuple[Service, str]]:
    """A service and its loopback address."""
    service = Service(token=token)
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", service.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield service, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
