"""The carrier on Twilio: orders as REST requests; news comes in by webhooks."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from dialer.carriers import (
    CarrierRefused,
    CarrierUnknown,
    CarrierUnreachable,
    LiveLeg,
    Receive,
)
from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.api import Api, Found, Gone
from dialer.carriers.twilio.asking import Asker, seen_to_end
from dialer.carriers.twilio.backlog import Backlog
from dialer.carriers.twilio.book import Book
from dialer.carriers.twilio.budget import Budget
from dialer.carriers.twilio.documents import Surroundings, Words
from dialer.carriers.twilio.ear import Ear
from dialer.carriers.twilio.events import Event, Kind
from dialer.carriers.twilio.hearing import Hearing
from dialer.carriers.twilio.line import Line, asked_to_say, limited, redirected
from dialer.carriers.twilio.names import (
    DOCUMENT_RETRIES,
    EVENT_RETRIES,
    announce_path,
    calls_path,
    is_dialled_in,
    number_path,
    room_of,
    token_of,
    voice_path,
)
from dialer.carriers.twilio.numbers import is_e164
from dialer.carriers.twilio.placing import Placer
from dialer.carriers.twilio.release import is_terminal
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber

_RING_GRACE_SECONDS = 5
_LONGEST_QUEUE_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 7_200
"""A leg that is never bridged ends at Twilio after so long, whatever becomes of us."""

_TRIES_OF_A_FRESH_LEG = 4
_BETWEEN_TRIES_SECONDS = 0.3
_FRESH_SECONDS = 3.0
_URGENT_ROLES = frozenset({"agency"})
_EVENTS = ["ringing", "completed"]
"""That it was answered, the first document asked for tells."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """How we are reached and shown. The first of `numbers` is shown where another cannot be."""

    public_url: str
    numbers: tuple[str, ...]
    words: Words
    fallback_url: str | None = None


class TwilioCarrier:
    """A `Carrier`. Several processes may have it open: what they must know is in the book."""

    name = "twilio"

    def __init__(
        self,
        access: Access,
        book: Book,
        presence: Presence,
        budget: Budget,
        *,
        now: Callable[[], datetime],
        new_secret: Callable[[], str],
    ) -> None:
        self._access = access
        self._book = book
        self._presence = presence
        self._budget = budget
        self._now = now
        self._new_secret = new_secret
        self._api: Api | None = None
        self._chores: set[asyncio.Task[None]] = set()
        self.backlog = Backlog(now)
        self._hearing = Hearing(book, self._heard, self.backlog)
        self.ear = Ear(
            book,
            self._hearing,
            Surroundings(public_url=presence.public_url, words=presence.words),
            now,
            new_secret,
        )

    @property
    def is_open(self) -> bool:
        """Whether orders can be given."""
        return self._api is not None

    @property
    def untold(self) -> int:
        """How many events wait to be told, or to have done what they call for."""
        return self._hearing.untold + len(self._chores)

    async def open(self, receive: Receive) -> None:
        """Tell what was kept meanwhile, and whatever comes. Twilio is asked nothing."""
        self._api = Api(self._access)
        self._hearing.start(receive)
        await self._hearing.catch_up(self._now(), all_of_them=True)

    async def close(self) -> None:
        """Tell no more; what comes is kept for the next `open`. Live legs stay up."""
        for chore in self._chores:
            chore.cancel()
        await asyncio.gather(*self._chores, return_exceptions=True)
        await self._hearing.stop()
        if self._api is not None:
            await self._api.close()
            self._api = None

    async def ring(self, leg: LegId, to: PhoneNumber, *, shows: str, ring_seconds: int) -> None:
        """Begin a call whose first document is asked for under the leg's token.

        What is asked is kept before it is asked: a ring whose answer never came is looked for at
        Twilio, by whichever process is told to ring next, and never sent again before.
        """
        self._open()
        line, before = self._new_line(leg, shows), None
        if not await self._book.add(line):
            before = await self._book.load(leg)
            if before is None:
                raise CarrierUnreachable("somebody else is giving up this ring")
            if before.sid is not None or before.is_over or await self._asker().is_rung(before, to):
                return
        order = self._order(before or line, to, shows, ring_seconds)
        urgent = _role(leg) in _URGENT_ROLES
        placed = await self._placer().place(line, before, order, urgent=urgent)
        await self._book.change(leg, lambda known: replace(known, sid=known.sid or placed.sid))
        if placed.queue_seconds > _LONGEST_QUEUE_SECONDS:
            await self._give_up_queued(leg, placed.sid)

    async def answer(self, leg: LegId) -> None:
        """Take a leg that dialled in: it asks every second whether it is taken."""
        self._open()
        line = await self._standing(leg)
        if not is_dialled_in(leg):
            raise CarrierRefused("not_a_dial_in")
        if not line.is_taken:
            await self._book.change(leg, lambda known: replace(known, is_taken=True))

    async def bridge(self, call: CallId, legs: tuple[LegId, ...], *, limit_seconds: int) -> None:
        """Send all that are not in the call's conference there, each with its limit.

        A leg sent there before keeps its limit: an order repeated must not prolong a talk.
        """
        room = room_of(call)
        lines = [await self._answered(leg) for leg in legs]
        joining = [line for line in lines if not (line.room == room and line.joined)]
        await asyncio.gather(*(self._join(line, room, limit_seconds) for line in joining))

    async def part(self, leg: LegId) -> None:
        """Take a leg out of its conference and keep it on the line."""
        line = await self._answered(leg)
        if line.room is None:
            return
        changed = await self._change(leg, lambda known: redirected(known, None))
        try:
            await self._send_anew(changed)
        except CarrierUnknown:  # told again, it must be sent again
            await self._book.change(leg, lambda known: _still_in(known, changed.strand, line.room))
            raise

    async def say(self, leg: LegId, prompt: str, *, language: str) -> None:
        """Speak to one leg: over the conference where it is in one, else as its next document."""
        if self._presence.words(prompt, language) is None:
            raise CarrierRefused("no_such_prompt")
        line = await self._answered(leg)
        if line.room is not None:
            if line.conference is None or not line.joined:
                raise CarrierRefused("leg_not_joined")
            await self._announce(line, announce_path(language, prompt))
            return
        changed = await self._change(leg, lambda known: asked_to_say(known, f"{language}/{prompt}"))
        if changed.strand != line.strand:
            await self._send_anew(changed)

    async def limit(self, leg: LegId, *, limit_seconds: int) -> None:
        """Replace the leg's absolute limit, counted from now."""
        now = self._now()
        await self._answered(leg)
        line = await self._change(leg, lambda known: limited(known, limit_seconds, now))
        await self._order_call(line, time_limit=line.limit_seconds)

    async def hang_up(self, leg: LegId) -> None:
        """Let the leg go, whatever state it is in. One that Twilio has not named yet is let go as
        soon as it shows itself.
        """
        api, now = self._open(), self._now()
        line, _ = await self._book.change(leg, lambda known: _let_go(known, now))
        if line is None or line.ended is not None or line.sid is None:
            return
        try:
            status = await api.change(line.sid, status="completed")
        except Gone:
            # Somebody was first: whose doing it was, Twilio tells.
            await self._book.change(leg, lambda known: _not_let_go(known, now))
            return
        if is_terminal(status):  # a call that only queued is never heard of again
            ended = Found(
                sid=line.sid, status=status, shown="", made_at=None, ended_at=None, seconds=None
            )
            await self._hearing.take(seen_to_end(line, ended, self._now()))

    async def live_legs(self) -> tuple[LiveLeg, ...]:
        """Every call of ours at Twilio. Raises CarrierUnknown."""
        await self._hearing.catch_up(self._now())
        return await self._asker().live_legs()

    # --- orders -------------------------------------------------------------------------------

    def _open(self) -> Api:
        if self._api is None:
            raise CarrierUnreachable("the carrier is not open")
        return self._api

    def _placer(self) -> Placer:
        return Placer(self._open(), self._book, self._budget, self._now, self._new_secret)

    def _asker(self) -> Asker:
        return Asker(self._open(), self._book, self._hearing, self._now)

    def _new_line(self, leg: LegId, shows: str) -> Line:
        told = is_e164(shows) and shows not in self._presence.numbers
        return Line(
            leg=leg,
            token=token_of(leg, self._new_secret()),
            asked_at=self._now(),
            asked_by=self._new_secret(),
            shown=PhoneNumber(shows) if told and _role(leg) in _URGENT_ROLES else None,
        )

    def _order(
        self, line: Line, to: PhoneNumber, shows: str, ring_seconds: int
    ) -> dict[str, object]:
        here, numbers = self._presence.public_url, self._presence.numbers
        order: dict[str, object] = {
            "to": to.digits,
            "from_": shows if shows in numbers else numbers[0],
            "url": self._voice_url(line, 0),
            "method": "POST",
            "status_callback": here + calls_path(line.token) + EVENT_RETRIES,
            "status_callback_event": _EVENTS,
            "status_callback_method": "POST",
            "timeout": ring_seconds + _RING_GRACE_SECONDS,
            "time_limit": _LONGEST_WAIT_SECONDS,
        }
        if self._presence.fallback_url is not None:
            order |= {"fallback_url": self._presence.fallback_url, "fallback_method": "POST"}
        return order

    def _voice_url(self, line: Line, strand: int) -> str:
        return self._presence.public_url + voice_path(line.token, strand, 0) + DOCUMENT_RETRIES

    async def _give_up_queued(self, leg: LegId, sid: str) -> None:
        """Better no phone rings than one that rings when nobody waits any more."""
        now = self._now()
        await self._book.change(leg, lambda known: _let_go(known, now))
        with suppress(CarrierRefused):
            await self._open().change(sid, status="canceled")
        raise CarrierRefused("queue_too_long", q850=42, sip=503)

    async def _join(self, line: Line, room: str, limit_seconds: int) -> None:
        now = self._now()

        def sent(known: Line) -> Line:
            if known.room == room:
                return known
            return limited(redirected(known, room), limit_seconds, now)

        changed = await self._change(line.leg, sent)
        await self._send_anew(changed, time_limit=changed.limit_seconds)

    async def _send_anew(self, line: Line, **more: object) -> None:
        await self._order_call(line, url=self._voice_url(line, line.strand), method="POST", **more)

    async def _order_call(self, line: Line, **order: object) -> None:
        """One that was just answered may not be in progress yet at Twilio."""
        api, tries = self._open(), 0
        assert line.sid is not None
        while True:
            try:
                await api.change(line.sid, **order)
                return
            except Gone:
                tries += 1
                if tries >= _TRIES_OF_A_FRESH_LEG or not self._is_fresh(line):
                    raise
            await asyncio.sleep(_BETWEEN_TRIES_SECONDS)

    async def _announce(self, line: Line, path: str) -> None:
        assert line.conference is not None
        assert line.sid is not None
        url = self._presence.public_url + path + DOCUMENT_RETRIES
        await self._open().announce(line.conference, line.sid, url)

    def _is_fresh(self, line: Line) -> bool:
        """Whether a dial-in was taken so lately that Twilio may still be picking it up."""
        since = line.answered_at
        return (
            is_dialled_in(line.leg)
            and since is not None
            and (self._now() - since).total_seconds() < _FRESH_SECONDS
        )

    async def _standing(self, leg: LegId) -> Line:
        line = await self._book.load(leg)
        if line is None or line.is_over:
            raise CarrierRefused("leg_gone", sip=481)
        return line

    async def _answered(self, leg: LegId) -> Line:
        self._open()
        line = await self._standing(leg)
        if not line.stands or line.sid is None:
            raise CarrierRefused("leg_not_answered")
        return line

    async def _change(self, leg: LegId, change: Callable[[Line], Line]) -> Line:
        line, _ = await self._book.change(leg, change)
        if line is None or line.is_over:
            raise CarrierRefused("leg_gone", sip=481)
        return line

    # --- chores -------------------------------------------------------------------------------

    def _heard(self, line: Line, event: Event) -> None:
        """What an event calls for beside its news."""
        if self._api is None:
            return
        if event.sid and event.sid != line.sid:
            log.error("a second call was made for leg %s: it is let go", line.leg)
            self._do(self._let_go_call(event.sid))
        elif line.let_go_at is not None and line.ended is None and line.sid is not None:
            self._do(self._let_go_call(line.sid))
        elif event.kind is Kind.CONFERENCE and line.joined and line.shown is not None:
            self._do(self._tell_number(line))

    async def _let_go_call(self, sid: str) -> None:
        with suppress(CarrierRefused, CarrierUnknown):
            await self._open().change(sid, status="completed")

    async def _tell_number(self, line: Line) -> None:
        """Twilio shows no number that is not ours; the agency is told it in words, nobody else."""
        try:
            await self._announce(line, number_path(line.token))
        except (CarrierRefused, CarrierUnknown) as fault:
            log.error("the agency of %s was not told the caller's number: %s", line.leg, fault)

    def _do(self, chore: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(chore)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)


def _role(leg: LegId) -> str:
    return leg.split("/")[1] if leg.count("/") == 2 else ""


def _let_go(line: Line, now: datetime) -> Line:
    return line if line.is_over else replace(line, let_go_at=now)


def _not_let_go(line: Line, at: datetime) -> Line:
    return replace(line, let_go_at=None) if line.let_go_at == at else line


def _still_in(line: Line, strand: int, room: str | None) -> Line:
    return replace(line, room=room) if line.strand == strand else line
