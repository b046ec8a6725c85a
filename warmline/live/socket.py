"""GET /v1/live: the feed over a WebSocket, each line only to those who may see it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated, Literal

import structlog
from aiohttp import WSMsgType, web
from pydantic import Field, ValidationError

from warmline.http import door
from warmline.http.api import Operations
from warmline.http.asked import Asked, borrowed
from warmline.http.cookies import Whose
from warmline.http.model import Model, Query, Whole
from warmline.http.problems import Problem, ProblemCode, Unauthenticated
from warmline.http.who import Principal, Staff
from warmline.live import Audience, Entry, store
from warmline.live.feed import Closing, Feed, Listener, TooSlow
from warmline.live.own_state import OwnStates
from warmline.live.sign_ins import OPEN_CONSOLES, OpenConsoles

live_operations = Operations("Live")

FEED = web.AppKey("feed", Feed)
AUDIENCE: web.AppKey[Audience] = web.AppKey("audience", Audience)
OWN_STATES = web.AppKey("own_states", OwnStates)

HELLO_SECONDS = 5.0
HEARTBEAT_SECONDS = 15.0
MISSED_MOST = 1_000
"""Who missed more lines than this is given the snapshot alone."""

_START_SECONDS = 10.0
_CLOSE_SECONDS = 2.0
_MESSAGE_BYTES = 4_096


_log = structlog.get_logger(__name__)


class CloseCode(IntEnum):
    """Why we close. 44xx mirrors the HTTP status that says the same."""

    GOING_AWAY = 1001
    INTERNAL_ERROR = 1011
    TRY_AGAIN_LATER = 1013
    BAD_MESSAGE = 4400
    UNAUTHENTICATED = 4401
    TOO_SLOW = 4429


class Resume(Query):
    """Where a client was when it lost the connection."""

    after: Annotated[Whole, Field(ge=0, le=2**63 - 1)] | None = None
    """`seq` of the last event that was seen."""

    cookie: Literal["staff", "device", "none"] = "staff"
    """Whose cookie signs in a page of ours; with `none` the first message does."""


class Hello(Model):
    """A browser's first message: it cannot send a header."""

    type: Annotated[str, Field(pattern="^hello$")]
    token: Annotated[str, Field(min_length=1, max_length=512)]


@live_operations(
    "GET",
    "/v1/live",
    returns={101: None},
    upgrades=True,
    problems=(ProblemCode.UNAUTHENTICATED, ProblemCode.FORBIDDEN),
)
async def live(asked: Asked, query: Resume) -> web.StreamResponse:
    """Follow what happens, over a WebSocket.

    Sign in by the Authorization header, by the cookie of a page of ours (`?cookie=` says whose),
    or by a first message `{"type":"hello","token"}` within 5 seconds. Then comes
    `{"type":"snapshot","seq",...}`, which says what is true now, and `{"type":"event","seq",...}`
    for everything after it. `seq` only ever grows; reconnect with `?after=` the last one. Missed
    events come right after the snapshot; when they are too many, the snapshot says
    `"resumed": false` and stands for them. Every 15 seconds comes `{"type":"beat","now"}`: without
    it the line is dead. A counselor's console is told `{"type":"me","now"}` when their own state
    changed: read `GET /v1/me` again.
    """
    request = asked.request
    socket = web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS, timeout=_CLOSE_SECONDS, max_msg_size=_MESSAGE_BYTES
    )
    token = door.bearer_token(request) or _cookie(request, query)
    who = None if token is None else await door.holder(request, token)
    if not socket.can_prepare(request):
        raise Problem(ProblemCode.UPGRADE_REQUIRED, headers={"Upgrade": "websocket"})
    await socket.prepare(request)
    try:
        if who is None:
            token, who = await _hello(request, socket)
        await _serve(asked, query, socket, token or "", who)
    except _Close as close:
        await _close(request, socket, close.code)
    except Exception:  # too late for a problem: the head was sent long ago
        _log.exception("live_failed")
        await _close(request, socket, CloseCode.INTERNAL_ERROR)
    return socket


def add_live(
    app: web.Application,
    feed: Feed,
    audience: Audience,
    own_states: OwnStates,
    open_consoles: OpenConsoles,
) -> None:
    """Give the endpoint what it needs; at shutdown every client is told to come back."""

    async def close(_app: web.Application) -> None:
        feed.close()

    app[FEED] = feed
    app[AUDIENCE] = audience
    app[OWN_STATES] = own_states
    app[OPEN_CONSOLES] = open_consoles
    app.on_shutdown.append(close)


class _Close(Exception):
    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


def _cookie(request: web.Request, query: Resume) -> str | None:
    if query.cookie == "none":
        return None
    return door.cookie_token(request, Whose(query.cookie), writes=True)


async def _hello(request: web.Request, socket: web.WebSocketResponse) -> tuple[str, Principal]:
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            message = await socket.receive()
        if message.type is not WSMsgType.TEXT:
            raise _Close(CloseCode.BAD_MESSAGE)
        token = Hello.model_validate_json(message.data).token
        return token, await door.holder(request, token)
    except (Unauthenticated, TimeoutError):
        raise _Close(CloseCode.UNAUTHENTICATED) from None
    except ValidationError:
        raise _Close(CloseCode.BAD_MESSAGE) from None
    except Problem:
        raise _Close(CloseCode.TRY_AGAIN_LATER) from None


async def _serve(
    asked: Asked, query: Resume, socket: web.WebSocketResponse, token: str, who: Principal
) -> None:
    feed = asked.part(FEED)
    try:
        async with (
            asyncio.timeout(_START_SECONDS) as starting,
            feed.listen() as listener,
            _own_changes(asked, who) as changed,
        ):
            starting.reschedule(None)
            begun = asyncio.Event()
            await _until_first_ends(
                _send(asked, query, socket, who, listener, begun),
                _send_changes(asked, socket, changed, begun),
                _read_until_closed(socket),
                _recheck(asked, socket, token, who),
                listener.ended(),
            )
    except TooSlow:
        raise _Close(CloseCode.TOO_SLOW) from None
    except Closing:
        raise _Close(CloseCode.GOING_AWAY) from None
    except (Problem, TimeoutError):
        raise _Close(CloseCode.TRY_AGAIN_LATER) from None


async def _until_first_ends(*works: Awaitable[None]) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _send(
    asked: Asked,
    query: Resume,
    socket: web.WebSocketResponse,
    who: Principal,
    listener: Listener,
    begun: asyncio.Event,
) -> None:
    audience = asked.part(AUDIENCE)
    marks = audience.marks(who)
    now = asked.frame.clock.now()
    async with borrowed(asked.frame.pool) as connection:
        after = listener.start
        missed: tuple[Entry, ...] = ()
        if query.after is not None:
            after = min(query.after, await store.newest_seq(connection))
            missed = await store.visible_entries(
                connection,
                who.tenant,
                marks,
                after=after,
                until=listener.start,
                limit=MISSED_MOST + 1,
            )
        state = await audience.snapshot(connection, who, now)
    resumed = len(missed) <= MISSED_MOST
    told = {"resumed": resumed} if query.after is not None else {}
    await _tell(socket, {**state, **told, "type": "snapshot", "seq": listener.start, "now": now})
    begun.set()
    for entry in missed if resumed else ():
        await _tell(socket, _event(audience, who, entry))
    while True:
        for entry in await listener.take():
            if entry.tenant == who.tenant and entry.seq > after and marks & entry.visible:
                await _tell(socket, _event(audience, who, entry))


def _event(audience: Audience, who: Principal, entry: Entry) -> Mapping[str, object]:
    return {**audience.event(who, entry), "type": "event", "seq": entry.seq}


@asynccontextmanager
async def _own_changes(asked: Asked, who: Principal) -> AsyncIterator[asyncio.Event]:
    """Set when the state of the counselor who listens changed; never, for anybody else."""
    if not isinstance(who, Staff) or who.counselor is None:
        yield asyncio.Event()
        return
    async with asked.part(OWN_STATES).watch((who.tenant, who.counselor)) as changed:
        yield changed


async def _send_changes(
    asked: Asked, socket: web.WebSocketResponse, changed: asyncio.Event, begun: asyncio.Event
) -> None:
    """Say that there is something new about oneself: after the snapshot, which comes first."""
    await begun.wait()
    while True:
        await changed.wait()
        changed.clear()
        await _tell(socket, {"type": "me", "now": asked.frame.clock.now()})


async def _read_until_closed(socket: web.WebSocketResponse) -> None:
    """Nothing is expected after the hello; reading is what notices the other side's goodbye."""
    while True:
        message = await socket.receive()
        if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
            return


async def _recheck(
    asked: Asked, socket: web.WebSocketResponse, token: str, opened_by: Principal
) -> None:
    """A token that was revoked, or ran out, ends what it opened; any other is told the time.

    So does one whose holder is here for something else by now: they see other lines than before.
    """
    staff = opened_by.id if isinstance(opened_by, Staff) else None
    with asked.part(OPEN_CONSOLES).watch(staff) as look_again:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    await look_again.wait()
            look_again.clear()
            try:
                who = await door.holder(asked.request, token)
                if who != opened_by:
                    raise _Close(CloseCode.TRY_AGAIN_LATER)
                await _beat(asked, socket, who)
            except Unauthenticated:
                raise _Close(CloseCode.UNAUTHENTICATED) from None
            except Problem:
                continue  # the database is away: that ends nobody's sign-in


async def _beat(asked: Asked, socket: web.WebSocketResponse, who: Principal) -> None:
    """Somebody is still there, and is told the time.

    A page cannot see a WebSocket's pings: by this it notices a dead line.
    """
    async with borrowed(asked.frame.pool) as connection:
        now = asked.frame.clock.now()
        await asked.part(AUDIENCE).still_there(connection, who, now)
    await _tell(socket, {"type": "beat", "now": now})


async def _tell(socket: web.WebSocketResponse, message: Mapping[str, object]) -> None:
    with suppress(ConnectionError):  # the reader learns of it as well, and ends us
        await socket.send_str(json.dumps(message, ensure_ascii=False, default=_plain))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)  # a PhoneNumber masks itself


async def _close(request: web.Request, socket: web.WebSocketResponse, code: CloseCode) -> None:
    """Say why; a client that does not even read that is cut off."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await socket.close(code=code, message=code.name.lower().encode())
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
