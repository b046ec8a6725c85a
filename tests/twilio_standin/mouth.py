"""Twilio's mouth: every request to us, in order or not, signed, tried again, kept in a journal."""

import asyncio
import secrets
from collections import defaultdict, deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from urllib.parse import urldefrag, urlencode, urlsplit

import aiohttp
from yarl import URL

from tests.twilio_standin.clock import Clock
from tests.twilio_standin.faults import Knobs, Misdelivery
from tests.twilio_standin.hooks import Answer, Post, Tries, signature, tries_of

_TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
_MOVED = range(300, 400)
_FORM = "application/x-www-form-urlencoded; charset=UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One try: what came back (0: nothing), and how long it took on the machine's clock."""

    post: Post
    at: datetime
    status: int
    seconds: float


@dataclass(slots=True, kw_only=True, eq=False)
class Mouth:
    """Sends; `signing_token` is the account's token now in use."""

    clock: Clock
    signing_token: str
    services: Mapping[str, str]
    """Public origin -> the loopback address behind it."""

    knobs: Knobs
    misdelivery: Misdelivery = field(default_factory=Misdelivery)
    faults: list[str] = field(default_factory=list)
    """Every way in which we were not as documented."""

    sent: list[Sent] = field(default_factory=list)
    listener: Callable[[Post, Answer | None], object] | None = None
    """Told of every request and what it came to, beside the journal."""

    outstanding: int = 0
    _streams: defaultdict[str, deque[Post]] = field(default_factory=lambda: defaultdict(deque))
    _held: dict[str, Post] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _session: aiohttp.ClientSession | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def close(self) -> None:
        """Say no more."""
        for task in list(self._tasks):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def tell(self, post: Post) -> None:
        """Send a callback, by whatever road the misdelivery of the day has it take."""
        if self.misdelivery.drops(post):
            return
        if self.misdelivery.delays():
            self.clock.after(self.misdelivery.delay_seconds, lambda: self._queue(post))
        elif post.stream not in self._held and self.misdelivery.reorders():
            self._held[post.stream] = post
            self.clock.after(self.misdelivery.delay_seconds, lambda: self._release(post))
        else:
            self._queue(post)
            if post.stream in self._held:
                self._release(self._held[post.stream])
        if self.misdelivery.duplicates():
            self._queue(post)

    def ask(self, post: Post) -> None:
        """Send a request whose answer somebody waits for: at once, beside everything else."""
        self._start(self._deliver(post, secrets.token_hex(16)))

    async def quiet(self) -> None:
        """Return once nothing is under way."""
        while self.outstanding:
            self._changed.clear()
            await self._changed.wait()

    def _release(self, post: Post) -> None:
        if self._held.get(post.stream) is post:
            del self._held[post.stream]
            self._queue(post)

    def _queue(self, post: Post) -> None:
        waiting = self._streams[post.stream]
        waiting.append(post)
        self.outstanding += 1
        if len(waiting) == 1:
            self._start(self._work(post.stream))

    async def _work(self, stream: str) -> None:
        """Send what waits in a stream, one after the other."""
        waiting = self._streams[stream]
        while waiting:
            try:
                await self._deliver(waiting[0], secrets.token_hex(16))
            finally:
                waiting.popleft()
                self.outstanding -= 1
                self._changed.set()
        self._streams.pop(stream, None)

    def _start(self, work: Coroutine[object, object, None]) -> None:
        self.outstanding += 1
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self.outstanding -= 1
        self._changed.set()
        if not task.cancelled() and (failed := task.exception()) is not None:
            self.faults.append(f"the stand-in itself failed: {failed!r}")

    async def _deliver(self, post: Post, token: str) -> None:
        tries = self._tries(post)
        for attempt in range(tries.retries + 1):
            answer, connected = await self._send(post, token)
            if attempt == tries.retries or not tries.covers(answer, connected):
                break
        if self.listener is not None:
            self.listener(post, answer)
        if post.then is not None:
            post.then(answer)

    def _tries(self, post: Post) -> Tries:
        try:
            return tries_of(post.url)
        except ValueError as unknown:
            self.faults.append(f"{post.url}: {unknown}")
            return Tries()

    async def _send(self, post: Post, token: str) -> tuple[Answer | None, bool]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=_TIMEOUT,
                cookie_jar=aiohttp.DummyCookieJar(),
                connector=aiohttp.TCPConnector(limit=0),
            )
        params = {**post.params, **self.knobs.extra_parameters} if post.is_signed else post.params
        public, body = post.url, params
        if post.method == "GET":
            public, body = _with_query(post.url, params), {}
        headers = self._headers(post, public, body, token)
        began, at = perf_counter(), self.clock.now()
        connected = True
        answer = None
        try:
            async with self._session.request(
                post.method,
                URL(self._behind(urldefrag(public).url), encoded=True),
                data=urlencode(body).encode() if post.method == "POST" else None,
                headers=headers,
                allow_redirects=False,
            ) as response:
                content = await response.read()
                text = content.decode("utf-8", "replace")
                answer = Answer(
                    status=response.status, content_type=response.content_type, text=text
                )
        except aiohttp.ClientConnectorError:
            connected = False
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass
        seconds = perf_counter() - began
        status = 0 if answer is None else answer.status
        self.sent.append(Sent(post=post, at=at, status=status, seconds=seconds))
        if status in _MOVED:
            self.faults.append(f"{post.url} answers {status}: the parameters are lost (16010)")
        return answer, connected

    def _headers(
        self, post: Post, public: str, body: Mapping[str, str], token: str
    ) -> dict[str, str]:
        headers = {"User-Agent": "TwilioProxy/1.1", "Host": urlsplit(public).netloc}
        if post.method == "POST":
            headers["Content-Type"] = _FORM
        if self.knobs.sends_idempotency_token:
            headers["I-Twilio-Idempotency-Token"] = token
        if post.is_signed:
            headers["X-Twilio-Signature"] = signature(self.signing_token, public, body)
        return headers

    def _behind(self, url: str) -> str:
        for origin, address in self.services.items():
            if url.startswith(f"{origin}/"):
                return address + url.removeprefix(origin)
        self.faults.append(f"{url} is nowhere that anybody listens")
        return "http://127.0.0.1:9/"


def _with_query(url: str, params: Mapping[str, str]) -> str:
    if not params:
        return url
    plain, fragment = urldefrag(url)
    joined = f"{plain}{'&' if urlsplit(plain).query else '?'}{urlencode(params)}"
    return f"{joined}#{fragment}" if fragment else joined
