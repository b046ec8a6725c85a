"""Twilio's REST API over real HTTP: who may, what is wrong with the request, what it comes to."""

import asyncio
import base64
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web

from tests.twilio_standin.exchange import Account, Impossible
from tests.twilio_standin.faults import Failure, Failures
from tests.twilio_standin.mouth import Mouth
from tests.twilio_standin.operations import Asked, Operation, Operations, answer_faults

Body = dict[str, object]
Handle = Callable[[Asked], tuple[int, Body | None]]
Handles = Mapping[tuple[str, str], Handle]
"""By method and path, as the document writes them."""

_HTML = "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
_DOCS = "https://www.twilio.com/docs/errors/"


@dataclass(slots=True, kw_only=True, eq=False)
class Rest:
    """The API's door."""

    account: Account
    operations: Operations
    handles: Handles
    mouth: Mouth
    failures: Failures = field(default_factory=Failures)
    before_answering: Callable[[], Awaitable[None]] | None = None
    """Waited for between the deed and its answer: what the deed tells overtakes the answer."""

    asked: list[tuple[str, Asked, int]] = field(default_factory=list)
    """Every request of a known operation, with the status it got."""

    underway: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        self.underway += 1
        try:
            return await self._answer(request)
        finally:
            self.underway -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not self._may(request.headers.get("Authorization", "")):
            return _error(401, 20003, "Authenticate")
        body = await request.text()
        asked = self.operations.ask(
            request.method, request.rel_url.raw_path, request.rel_url.raw_query_string, body
        )
        operation = asked.operation
        if operation is None or asked.faults:
            told = f"{request.method} {request.path}: {'; '.join(asked.faults)}"
            self.mouth.faults.append(told)
            return _error(404 if operation is None else 400, 20001, told)
        failure = self.failures.next(operation.id)
        status = 0
        try:
            if failure in _NOT_DONE:
                return _failed(failure, request)
            status, answer = self._done(operation, asked)
            if self.before_answering is not None:
                await self.before_answering()
            if failure is not None:
                return _failed(failure, request)
            self.mouth.faults += [
                f"the stand-in itself: {fault}"
                for fault in answer_faults(operation, status, answer)
            ]
            return web.json_response(answer, status=status) if answer else web.Response(status=204)
        except Impossible as impossible:
            status = impossible.status
            return _error(status, impossible.code, str(impossible))
        finally:
            self.asked.append((operation.id, asked, status))

    def _done(self, operation: Operation, asked: Asked) -> tuple[int, Body | None]:
        if asked.path.get("AccountSid", self.account.sid) != self.account.sid:
            raise Impossible(404, 20404, "The requested resource was not found")
        handle = self.handles.get((operation.method, operation.template))
        if handle is None:
            self.mouth.faults.append(f"the stand-in does not do {operation.id}")
            raise Impossible(501, 20001, f"the stand-in does not do {operation.id}")
        return handle(asked)

    def _may(self, header: str) -> bool:
        """Account SID with either token, or the API key with its secret."""
        account = self.account
        pairs = (
            (account.sid, account.token),
            (account.sid, account.secondary_token),
            (account.key, account.key_secret),
        )
        good = (base64.b64encode(f"{user}:{word}".encode()).decode() for user, word in pairs)
        return any(hmac.compare_digest(header, f"Basic {one}") for one in good)


_NOT_DONE = frozenset(
    {
        Failure.TOO_MANY,
        Failure.SERVER_ERROR,
        Failure.BAD_GATEWAY,
        Failure.DISCONNECT_BEFORE,
    }
)


def _failed(failure: Failure | None, request: web.Request) -> web.StreamResponse:
    match failure:
        case Failure.TOO_MANY:
            response = _error(429, 20429, "Too Many Requests")
            response.headers["Retry-After"] = "1"
            return response
        case Failure.SERVER_ERROR:
            return _error(500, 20500, "Internal Server Error")
        case Failure.BAD_GATEWAY | Failure.BAD_GATEWAY_AFTER:
            return web.Response(status=502, text=_HTML, content_type="text/html")
        case Failure.EMPTY:
            return web.json_response({}, status=201)
        case _:
            transport = request.transport
            assert isinstance(transport, asyncio.Transport)
            transport.abort()
            return web.Response()


def _error(status: int, code: int, message: str) -> web.Response:
    body = {"code": code, "message": message, "more_info": f"{_DOCS}{code}", "status": status}
    return web.json_response(body, status=status)
