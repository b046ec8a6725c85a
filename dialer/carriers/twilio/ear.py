"""What Twilio asks and tells, answered from what is kept. Nothing here asks Twilio anything."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from dialer.carriers.twilio import events
from dialer.carriers.twilio.book import Book
from dialer.carriers.twilio.documents import (
    LANGUAGE_OF_NUMBERS,
    Surroundings,
    announcement,
    document,
    farewell,
    number_told,
)
from dialer.carriers.twilio.events import Event
from dialer.carriers.twilio.hearing import Hearing
from dialer.carriers.twilio.line import Line, place, serve
from dialer.carriers.twilio.names import is_dialled_in, leg_of_token, token_of
from dialer.carriers.twilio.telling import observe

_UNANSWERED = frozenset({"wait", "reject", "bye"})
"""Documents that no answered leg is given."""

Fields = Mapping[str, str]


class Ear:
    """Webhooks whose signature held."""

    def __init__(
        self,
        book: Book,
        hearing: Hearing,
        around: Surroundings,
        now: Callable[[], datetime],
        new_secret: Callable[[], str],
    ) -> None:
        self._book = book
        self._hearing = hearing
        self._around = around
        self._now = now
        self._new_secret = new_secret

    async def dialled_in(self, fields: Fields) -> str:
        """A phone dialled a number of ours: it rings on until it is taken."""
        now = self._now()
        event = events.read_inbound(fields, now)
        if event is None or event.leg is None:
            return farewell()
        line = Line(
            leg=event.leg,
            token=token_of(event.leg, self._new_secret()),
            asked_at=now,
            sid=event.sid,
        )
        await self._book.add(line)
        served, is_new = await self._book.change(
            event.leg, lambda known: serve(known, 0, 0), lambda _: event
        )
        if is_new:
            self._hearing.tell(event, served)
        return farewell() if served is None else document(served, 0, 0, self._around)

    async def asked(self, token: str, strand: int, step: int, fields: Fields) -> str:
        """What a leg shall do next: the first call that asks for a ring's leg is the leg."""
        now, sid = self._now(), events.read_sid(fields.get("CallSid", ""))
        leg = leg_of_token(token)
        if sid is None or leg is None:
            return farewell()
        where = place(strand, step)

        def serve_its_own(line: Line) -> Line:
            if line.token != token or line.sid not in (None, sid):
                return line
            served = serve(replace(line, sid=sid), strand, step)
            turned_away = served.served[where] == "reject" and not served.is_over
            return replace(served, let_go_at=now) if turned_away else served

        first = events.answered(leg, token, sid, fields, now)

        def serve_and_answer(line: Line) -> Line:
            served = serve_its_own(line)
            word = served.served.get(where) if served.sid == sid else None
            if word is None or word in _UNANSWERED or served.answered_at is not None:
                return served
            return observe(served, first)

        def answered(line: Line) -> Event | None:
            return first if line.sid == sid and line.answered_at == first.at else None

        line, is_new = await self._book.change(leg, serve_and_answer, answered)
        if line is None or line.token != token or line.sid != sid:
            return farewell()
        if is_new:
            self._hearing.tell(first, line)
        key = events.pressed(leg, token, where, sid, fields, now)
        if key is not None:
            await self._hearing.take(key)
        return document(line, strand, step, self._around)

    async def announced(self, language: str, prompt: str) -> str:
        """The words of a prompt over a conference."""
        text = self._around.words(prompt, language)
        return farewell() if text is None else announcement(language, text)

    async def number_asked(self, token: str) -> str:
        """The caller's number in words, for the one leg that may know it."""
        leg = leg_of_token(token)
        line = None if leg is None else await self._book.load(leg)
        if line is None or line.token != token or line.shown is None or line.is_over:
            return farewell()
        return number_told(line.shown.digits, LANGUAGE_OF_NUMBERS)

    async def told_of_call(self, token: str | None, fields: Fields) -> None:
        """How a call goes on. One without a token dialled in, or is none of ours."""
        leg = None if token is None else leg_of_token(token)
        event = events.read_call(fields, leg, token, self._now())
        if event is None or event.leg is None:
            return
        if is_dialled_in(event.leg) == (token is None):
            await self._hearing.take(event)

    async def told_of_conference(self, fields: Fields) -> None:
        """Who came into a conference, and who left it."""
        event = events.read_conference(fields, self._now())
        if event is not None:
            await self._hearing.take(event)
