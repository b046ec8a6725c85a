"""Listens to Asterisk while it is open: connects again, catches up, watches for silence."""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable, Report
from dialer.carriers.asterisk.ari import Ari
from dialer.carriers.asterisk.events import JsonObject, Kind, read_event, read_time
from dialer.carriers.asterisk.kept import Kept, read_kept, variable_of
from dialer.carriers.asterisk.names import channel_of, is_our_bridge
from dialer.carriers.asterisk.silence import Ear, listen
from dialer.carriers.asterisk.standing import Believed, Standing, catch_up, standing
from dialer.carriers.asterisk.telling import Stored
from dialer.carriers.asterisk.traces import (
    Gone,
    Trace,
    ends_unexplained,
    follow,
    trace_for,
    vanished,
)
from terms.ids import LegId

_RETRY_SECONDS = 0.25
_LOOK_SECONDS = 1.0
_LOOKS_AT_ONCE = 8
_MOST_ENDED_REMEMBERED = 50_000
_KEPT_WITHIN_SECONDS, _KEPT_LOOK_SECONDS = 3.0, 0.1

log = logging.getLogger(__name__)

Believe = Callable[[], Awaitable[Sequence[Believed]]]
"""Which legs our calls hold for standing."""


async def believe_nothing() -> Sequence[Believed]:
    """For those who ask the carrier alone."""
    return ()


class Listener:
    """Follows every channel of ours, and remembers what it learned from one start to the next."""

    def __init__(
        self,
        tell: Callable[[Report, Stored | None], None],
        believe: Believe = believe_nothing,
        may_connect: Callable[[], bool] = lambda: True,
        prompt_over: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.connected = asyncio.Event()
        self.is_replaced = False
        self.listening_since: float | None = None
        self.deaf_since: float | None = None
        self._tell = tell
        self._believe = believe
        self._may_connect = may_connect
        self._prompt_over = prompt_over
        self._ari: Ari | None = None
        self._traces: dict[str, Trace] = {}
        self._ears: dict[str, Ear] = {}
        self._ended: OrderedDict[LegId, None] = OrderedDict()
        self._tasks: list[asyncio.Task[None]] = []
        self._chores: set[asyncio.Task[None]] = set()
        self._heard_at: datetime | None = None

    async def start(self, ari: Ari) -> None:
        """Begin; returns once events come. Raises CarrierUnreachable after 2 s and goes on."""
        self.is_replaced, self._ari = False, ari
        self._is_deaf()
        self._tasks = [
            asyncio.create_task(self._listen_for_ever(ari)),
            asyncio.create_task(self._watch_for_ever(ari)),
        ]
        try:
            await asyncio.wait_for(self.connected.wait(), 2)
        except TimeoutError as late:
            raise CarrierUnreachable("Asterisk does not answer") from late

    async def stop(self) -> None:
        """Listen no more."""
        self._ari = None
        tasks = (*self._tasks, *self._chores)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._is_deaf()
        self.deaf_since = None

    def is_over(self, leg: LegId) -> bool:
        """Whether the leg was told to have ended (of the last 50,000)."""
        return leg in self._ended

    # --- events -------------------------------------------------------------------------------

    async def _listen_for_ever(self, ari: Ari) -> None:
        while not self.is_replaced:
            if self._may_connect():
                await self._listen(ari)
            self._is_deaf()
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self, ari: Ari) -> None:
        """Until the connection is lost, or another has our app."""
        try:
            async with ari.events() as events:
                if not self._may_connect():  # connecting took too long: another's turn by now
                    return
                await self._catch_up(ari)
                self._hears()
                async for found in events:
                    self._take(found, ari)
                    if self.is_replaced:
                        return
            log.warning("the connection to Asterisk was lost")
        except (CarrierUnknown, CarrierRefused) as fault:
            log.warning("Asterisk cannot be listened to: %s", fault)
        except Exception:  # whatever Asterisk sends: deaf for good is the one thing not to be
            log.exception("what Asterisk told was not understood")

    def _hears(self) -> None:
        self.connected.set()
        self.listening_since, self.deaf_since = time.monotonic(), None

    def _is_deaf(self) -> None:
        if self.connected.is_set():
            self._heard_at = datetime.now(UTC)
        self.connected.clear()
        self.listening_since = None
        self.deaf_since = self.deaf_since or time.monotonic()

    def _take(self, found: JsonObject, ari: Ari) -> None:
        kind = found.get("type")
        if kind == "ApplicationReplaced":
            log.error("another process has taken our app at Asterisk over: we hear nothing now")
            self.is_replaced = True
            return
        if kind == "PlaybackFinished":
            self._end_prompt(found.get("playback"))
            return
        event = read_event(found)
        if event is None:
            return
        if event.kind is Kind.LEFT and event.bridge_empty and is_our_bridge(event.bridge):
            self._do(_tear_down(ari, event.bridge))
        trace = trace_for(self._traces, event)
        if trace is None or self.is_over(trace.leg):
            return
        if ends_unexplained(trace, event):
            self._do(self._tell_as_kept(ari, event.channel, event.at))
        else:
            self._keep(event.channel, *follow(trace, event))

    def _end_prompt(self, playback: object) -> None:
        if not isinstance(playback, dict):
            return
        self._prompt_over(str(playback.get("id")))
        if playback.get("state") == "failed":
            log.error("Asterisk has no prompt %s", playback.get("media_uri"))

    def _keep(self, channel: str, trace: Trace, reports: tuple[Report, ...]) -> None:
        stored = None
        if trace.ended:
            stored = partial(self._forget_kept, channel)
            self._traces.pop(channel, None)
            self._ears.pop(channel, None)
            self._ended[trace.leg] = None
            if len(self._ended) > _MOST_ENDED_REMEMBERED:
                self._ended.popitem(last=False)
        else:
            self._traces[channel] = trace
        for report in reports:
            self._tell(report, stored)

    # --- catching up --------------------------------------------------------------------------

    async def _catch_up(self, ari: Ari) -> None:
        """Compare what we followed with what stands, both ways: events may have been missed.

        The connection is there already, so whatever happens from now on is told by an event.
        """
        now = datetime.now(UTC)
        started_at = await _started_at(ari)
        believed = [one.trace for one in await self._believe() if not self.is_over(one.leg)]
        channels = await ari.ask("GET", "channels")
        found = standing(channels, await ari.ask("GET", "bridges"), ari.app)
        lost_at = self._heard_at or now
        gone = [one for one in self._traces if one not in found]
        for channel in gone:
            left = Gone(at=now, kept=await _kept(ari, channel), engine_started_at=started_at)
            if (trace := self._traces.get(channel)) is not None:
                left = replace(left, at=lost_at) if left.died_with_engine(trace) else left
                self._keep(channel, *vanished(trace, left))
        ended = [one for one in believed if self._is_nowhere(channel_of(one.leg), found)]
        for trace in ended:
            await self._tell_unseen_end(ari, trace, Gone(at=now, engine_started_at=started_at))
        unseen = [one for one in found.values() if one.channel not in self._traces]
        for one in found.values():
            await self._go_on_following(ari, one, now)
        if gone or ended or unseen:
            log.warning(
                "missed the end of %d legs, the rise of %d", len(gone) + len(ended), len(unseen)
            )

    def _is_nowhere(self, channel: str, found: Mapping[str, Standing]) -> bool:
        return channel not in found and channel not in self._traces

    async def _tell_unseen_end(self, ari: Ari, trace: Trace, gone: Gone) -> None:
        """Of a leg that another process followed. It may not even have been rung yet."""
        channel = channel_of(trace.leg)
        gone = replace(gone, kept=await _kept(ari, channel))
        if gone.kept is not None or gone.died_with_engine(trace):
            self._keep(channel, *vanished(trace, gone))

    async def _go_on_following(self, ari: Ari, one: Standing, now: datetime) -> None:
        self._keep(one.channel, *catch_up(self._traces.get(one.channel), one, now))
        source = {"eventSource": f"channel:{one.channel}"}
        try:
            await ari.ask("POST", "applications", ari.app, "subscription", query=source)
        except CarrierRefused:  # it ended just now
            self._do(self._tell_as_kept(ari, one.channel, now))

    async def _tell_as_kept(self, ari: Ari, channel: str, at: datetime) -> None:
        """Of a leg that was ending already when we began to listen, which takes Asterisk a moment:
        who asked for it was said before. What it keeps is there before the channel is gone.
        """
        kept = await _kept_soon(ari, channel)
        if (trace := self._traces.get(channel)) is not None:
            self._keep(channel, *vanished(trace, Gone(at=at, kept=kept)))

    # --- silence ------------------------------------------------------------------------------

    async def _watch_for_ever(self, ari: Ari) -> None:
        at_once = asyncio.Semaphore(_LOOKS_AT_ONCE)
        while True:
            talking = [channel for channel, trace in self._traces.items() if trace.talks]
            for channel in talking:  # spread over the second: no order is to wait behind all
                self._do(self._look(ari, channel, at_once))
                await asyncio.sleep(_LOOK_SECONDS / len(talking))
            if not talking:
                await asyncio.sleep(_LOOK_SECONDS)

    async def _look(self, ari: Ari, channel: str, at_once: asyncio.Semaphore) -> None:
        async with at_once:
            try:
                found = await ari.ask("GET", "channels", channel, "rtp_statistics")
            except (CarrierRefused, CarrierUnknown):
                return
        packets = found.get("rxcount") if isinstance(found, dict) else None
        trace = self._traces.get(channel)
        if trace is None or not isinstance(packets, int):
            return
        now = datetime.now(UTC)
        self._ears[channel], reports = listen(trace.leg, self._ears.get(channel), packets, now)
        for report in reports:
            self._tell(report, None)

    # --- chores -------------------------------------------------------------------------------

    def _forget_kept(self, channel: str) -> None:
        """Its end is in our store: Asterisk need keep it no longer."""
        if self._ari is not None:
            self._do(_forget(self._ari, channel))

    def _do(self, chore: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


async def _kept(ari: Ari, channel: str) -> Kept | None:
    found = await ari.ask("GET", "asterisk", "variable", query={"variable": variable_of(channel)})
    text = found.get("value") if isinstance(found, dict) else None
    return read_kept(text) if isinstance(text, str) else None


async def _kept_soon(ari: Ari, channel: str) -> Kept | None:
    """Once it is there; None if it is not after a while."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_KEPT_WITHIN_SECONDS):
            while True:
                with suppress(CarrierRefused, CarrierUnknown):
                    if (kept := await _kept(ari, channel)) is not None:
                        return kept
                await asyncio.sleep(_KEPT_LOOK_SECONDS)
    return None


async def _started_at(ari: Ari) -> datetime | None:
    """When this Asterisk started."""
    found = await ari.ask("GET", "asterisk", "info", query={"only": "status"})
    status = found.get("status") if isinstance(found, dict) else None
    return read_time(status.get("startup_time")) if isinstance(status, dict) else None


async def _forget(ari: Ari, channel: str) -> None:
    with suppress(CarrierRefused, CarrierUnknown):  # some bytes stay there
        variable = {"variable": variable_of(channel)}
        await ari.ask("POST", "asterisk", "variable", query=variable)


async def _tear_down(ari: Ari, bridge: str) -> None:
    with suppress(CarrierRefused, CarrierUnknown):  # an empty bridge harms nobody
        found = await ari.ask("GET", "bridges", bridge)
        if isinstance(found, dict) and found.get("channels") == []:
            await ari.ask("DELETE", "bridges", bridge)
