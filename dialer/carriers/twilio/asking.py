"""Asking Twilio what became of things: orders nobody knows of, and legs nobody heard of again."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from dialer.carriers import CarrierRefused, CarrierUnknown, LiveLeg
from dialer.carriers.twilio.api import Api, Found
from dialer.carriers.twilio.book import Book
from dialer.carriers.twilio.events import Event, Kind
from dialer.carriers.twilio.hearing import Hearing
from dialer.carriers.twilio.line import Line
from dialer.carriers.twilio.release import is_terminal
from terms.phone import PhoneNumber

_LIVE = ("queued", "ringing", "in-progress")
SENT_WITHIN = timedelta(seconds=3)
"""A request is on its way that long after it was written down, or is not sent."""

_SHOWS_WITHIN = timedelta(seconds=10)
"""A call that Twilio accepted is in its list, or has told of itself, that long after it was written
down.
"""

_CLOCKS_DIFFER = timedelta(seconds=3)
_SETTLES_WITHIN = timedelta(seconds=4)


class Asker:
    """Knows what stands at Twilio, by Twilio's own lists."""

    def __init__(self, api: Api, book: Book, hearing: Hearing, now: Callable[[], datetime]) -> None:
        self._api = api
        self._book = book
        self._hearing = hearing
        self._now = now

    async def is_rung(self, line: Line, to: PhoneNumber) -> bool:
        """Whether a ring whose answer never came has a call at Twilio; its line is told which.

        Raises CarrierUnknown while a call that was accepted might still be on its way into the
        list: rung again too soon, a second phone call would begin.
        """
        looked_at = self._now()  # how old the list is, not its answer
        found = await self._api.calls_to(to.digits)
        lately = [call for call in found if _made_since(call, line.asked_at - _CLOCKS_DIFFER)]
        known = await self._book.known([call.sid for call in lately])
        unknown = next((call.sid for call in lately if call.sid not in known), None)
        if unknown is not None:
            await self._book.change(line.leg, lambda now: _adopt(now, unknown))
            return True
        if looked_at - line.asked_at < _SHOWS_WITHIN:
            raise CarrierUnknown("Twilio does not know the call yet")
        return False

    async def live_legs(self) -> tuple[LiveLeg, ...]:
        """Every leg of ours that stands at Twilio. What is gone unheard is asked after and told.

        Raises CarrierUnknown.
        """
        lines = await self._book.standing()
        try:
            found = {
                call.sid: call for status in _LIVE for call in await self._api.calls_in(status)
            }
        except CarrierRefused as refusal:
            raise CarrierUnknown(refusal.code) from None
        live = []
        for line in lines:
            if line.sid is None:
                continue
            if (call := found.get(line.sid)) is None:
                await self._look_after(line)
                continue
            if call.status == "in-progress" and line.room is not None and not line.joined:
                await self._look_into(line, line.room)
            live.append(_live(line, call))
        return tuple(live)

    async def _look_into(self, line: Line, room: str) -> None:
        """That a leg came into its conference may never have been told to us, either."""
        assert line.sid is not None
        with suppress(CarrierRefused, CarrierUnknown):
            conference = await self._api.conference_with(room, line.sid)
            if conference is not None:
                await self._hearing.take(seen_to_join(line, conference, self._now()))

    async def _look_after(self, line: Line) -> None:
        """The end of a call may never have been told to us."""
        assert line.sid is not None
        if self._now() - line.asked_at < _SETTLES_WITHIN:
            return
        with suppress(CarrierRefused, CarrierUnknown):
            call = await self._api.call(line.sid)
            if is_terminal(call.status):
                await self._hearing.take(seen_to_end(line, call, self._now()))


def seen_to_end(line: Line, call: Found, now: datetime) -> Event:
    """The end of a call as Twilio's record has it."""
    fields = {"CallStatus": call.status}
    if call.seconds is not None:
        fields["CallDuration"] = str(call.seconds)
    return Event(
        key=f"call:{call.sid}:seen:{call.status}",
        kind=Kind.CALL,
        leg=line.leg,
        at=call.ended_at or now,
        sid=call.sid,
        fields=fields,
        received_at=now,
    )


def seen_to_join(line: Line, conference: str, now: datetime) -> Event:
    """That a leg is in its conference, as Twilio's list of participants has it."""
    assert line.sid is not None
    return Event(
        key=f"conference:{conference}:seen:{line.sid}:{line.strand}",
        kind=Kind.CONFERENCE,
        leg=line.leg,
        at=now,
        sid=line.sid,
        fields={
            "ConferenceSid": conference,
            "StatusCallbackEvent": "participant-join",
            "SequenceNumber": str(max(line.conference_seq, 0)),
        },
        received_at=now,
    )


def _live(line: Line, call: Found) -> LiveLeg:
    answered = call.status == "in-progress"
    bridged = answered and line.joined and line.room is not None
    return LiveLeg(leg=line.leg, answered=answered, bridged=bridged)


def _made_since(call: Found, since: datetime) -> bool:
    return call.made_at is None or call.made_at >= since


def _adopt(line: Line, sid: str) -> Line:
    return replace(line, sid=line.sid or sid)
