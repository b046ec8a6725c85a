"""Conferences: who comes in, what starts and ends them, and what is told of it."""

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from tests.twilio_standin.calls import (
    Address,
    Call,
    Room,
    Seat,
    Telling,
    Turn,
    call_params,
    room_params,
    seat_params,
)
from tests.twilio_standin.hooks import Answer, Post
from tests.twilio_standin.phones import Phone
from tests.twilio_standin.verbs import WAITING, Element, read

if TYPE_CHECKING:
    from tests.twilio_standin.exchange import Exchange

_MOST = 250
_EVENTS = {
    "start": ("conference-start",),
    "end": ("conference-end",),
    "join": ("participant-join",),
    "leave": ("participant-leave",),
    "mute": ("participant-mute", "participant-unmute"),
    "hold": ("participant-hold", "participant-unhold"),
    "modify": ("participant-modify",),
    "announcement": ("announcement-end", "announcement-fail"),
}
_SOUND = ("audio/mpeg", "audio/wav", "audio/x-wav")


class Conferencing:
    """The conferences of an exchange."""

    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange

    def live(self, name: str) -> Room | None:
        """The conference of that name or SID that has not ended."""
        return next(
            (
                room
                for room in self._exchange.rooms.values()
                if room.status != "completed" and name in (room.sid, room.name)
            ),
            None,
        )

    # -- in ----------------------------------------------------------------------------------

    def join(self, call: Call, turn: Turn, dial: Element) -> None:
        """Obey <Dial><Conference>."""
        noun = dial[0]
        name = (noun.text or "").strip()
        room = self.live(name) or self.opened(name, turn.base, noun)
        label = noun.get("participantLabel", "")
        # Documented: not admitted (16025, or 16020 when it is full), and the next verb follows.
        if label and room.seat_of(label) is not None:
            return self._exchange.line.go_on(call, turn)
        if len(room.seats) >= int(noun.get("maxParticipants", _MOST)):
            return self._exchange.line.go_on(call, turn)
        seat = Seat(
            call=call,
            room=room,
            turn=turn,
            dial=dial,
            label=label,
            starts=noun.get("startConferenceOnEnter", "true") == "true",
            ends=noun.get("endConferenceOnExit", "false") == "true",
            muted=noun.get("muted", "false") == "true",
            joined_at=self._exchange.clock.now(),
        )
        self._sit(seat)
        self._let_wait(seat, noun.get("waitUrl"), noun.get("waitMethod", "POST"))
        limit = dial.get("timeLimit")
        if limit is not None:
            seat.timer = self._exchange.clock.after(
                float(limit), lambda: self._drop(seat, "participant_updated_via_api")
            )
        return None

    def opened(self, name: str, base: str, noun: Element) -> Room:
        """A new conference; whoever opens it says who is told of what, for all of its life."""
        telling = None
        if (url := noun.get("statusCallback")) is not None:
            asked = noun.get("statusCallbackEvent", "").split()
            telling = Telling(
                address=Address(
                    url=urljoin(base, url), method=noun.get("statusCallbackMethod", "POST")
                ),
                events=frozenset(event for word in asked for event in _EVENTS.get(word, ())),
            )
        room = Room(
            sid=f"CF{secrets.token_hex(16)}",
            name=name,
            created_at=self._exchange.clock.now(),
            telling=telling,
        )
        self._exchange.rooms[room.sid] = room
        return room

    def _sit(self, seat: Seat) -> None:
        room = seat.room
        seat.call.seat = seat
        room.seats.append(seat)
        self._tell(room, "participant-join", seat_params(seat))
        enough = len(room.seats) >= 2 and any(one.starts for one in room.seats)
        if room.status == "init" and enough:
            room.status = "in-progress"
            self._tell(room, "conference-start", {})
        if room.status == "in-progress":
            for one in room.seats:
                self._begin_talk(one)

    def _begin_talk(self, seat: Seat) -> None:
        """A phone with a mind of its own hangs up some time after others are there."""
        call, seconds = seat.call, self._phone(seat).script.talk_seconds
        if seconds is not None and not call.talks:
            call.talks = True
            hang_up = self._exchange.clock.after(seconds, lambda: self._exchange.hang_up(call))
            call.timers.append(hang_up)

    def _let_wait(self, seat: Seat, url: str | None, method: str) -> None:
        """Music, or what `waitUrl` says, until the conference starts; nothing may be asked."""
        if not url or seat.room.status != "init" or seat.turn is None:
            return
        address = urljoin(seat.turn.base, url)

        def received(answer: Answer | None) -> None:
            if seat.call.seat is seat and self._said(seat, address, answer) is None:
                self._drop(seat, "participant_updated_via_api")  # documented: it may drop the call

        params = {
            **call_params(seat.call, self._exchange.account.sid),
            "ConferenceSid": seat.room.sid,
            "FriendlyName": seat.room.name,
        }
        self._ask(address, method, params, received)

    def never_came(self, call: Call, dial: Element) -> None:
        """A participant added over the API did not answer: it leaves without having come."""
        room = self.live((dial[0].text or "").strip())
        if room is None:
            return
        more = {
            "CallSid": call.sid,
            "ParticipantCallStatus": call.status,
            "ReasonParticipantLeft": "participant_add_failed",
        }
        if label := dial[0].get("participantLabel"):
            more["ParticipantLabel"] = label
        self._tell(room, "participant-leave", more)

    # -- out ---------------------------------------------------------------------------------

    def leave(self, seat: Seat, reason: str) -> None:
        """The call itself is over, or goes on elsewhere."""
        self._stand_up(seat, reason)
        self._after_leave(seat, "left")

    def kick(self, seat: Seat) -> None:
        """Removed over the API; the call goes on after its <Dial>."""
        self._stand_up(seat, "participant_updated_via_api")
        self._go_on(seat)
        self._after_leave(seat, "kicked")

    def _drop(self, seat: Seat, reason: str) -> None:
        """Out of the conference, on with the call's own document."""
        if seat.call.seat is not seat:
            return
        self._stand_up(seat, reason)
        self._go_on(seat)
        self._after_leave(seat, "left")

    def _after_leave(self, seat: Seat, how: str) -> None:
        room = seat.room
        if room.status == "completed":
            return
        if seat.ends:
            self._close(room, f"participant-with-end-conference-on-exit-{how}", seat)
        elif not room.seats:
            self._close(room, f"last-participant-{how}", seat)

    def end(self, room: Room) -> None:
        """`Status=completed` over the API."""
        if room.status != "completed":
            self._close(room, "conference-ended-via-api", None)

    def _close(self, room: Room, reason: str, ender: Seat | None) -> None:
        room.status, room.reason = "completed", reason
        room.ended_at = self._exchange.clock.now()
        room.ended_by = None if ender is None else ender.call.sid
        left_as = "conference_ended_via_api" if ender is None else "moderator_ended_conference"
        for seat in list(room.seats):
            self._stand_up(seat, left_as)
            self._go_on(seat)
        more = {"ReasonConferenceEnded": reason, "Reason": reason}
        if ender is not None:
            more["CallSidEndingConference"] = ender.call.sid
            if ender.label:
                more["ParticipantLabelEndingConference"] = ender.label
        self._tell(room, "conference-end", more)

    def _stand_up(self, seat: Seat, reason: str) -> None:
        room, call = seat.room, seat.call
        room.seats.remove(seat)
        call.seat = None
        if seat.timer is not None:
            seat.timer.cancel()
        status = "in-progress" if call.is_live else call.status
        more = {"ParticipantCallStatus": status, "ReasonParticipantLeft": reason}
        self._tell(room, "participant-leave", {**seat_params(seat), **more})

    def _go_on(self, seat: Seat) -> None:
        """What follows the <Dial>: its action, else the next verb."""
        call, turn, dial = seat.call, seat.turn, seat.dial
        if not call.is_live or turn is None or dial is None or call.turn is not turn:
            return
        # Documented: after a conference there is neither DialCallSid nor DialCallDuration.
        more = {"DialCallStatus": "answered", "DialBridged": "true"}
        if not self._exchange.line.act(call, turn, dial, more):
            self._exchange.line.go_on(call, turn)

    # -- meanwhile ---------------------------------------------------------------------------

    def mute(self, seat: Seat, muted: bool) -> None:
        """Mute or unmute."""
        if seat.muted != muted:
            seat.muted = muted
            event = "participant-mute" if muted else "participant-unmute"
            self._tell(seat.room, event, seat_params(seat))

    def hold(self, seat: Seat, hold: bool) -> None:
        """Put on hold or take back."""
        if seat.hold != hold:
            seat.hold = hold
            event = "participant-hold" if hold else "participant-unhold"
            self._tell(seat.room, event, seat_params(seat))

    def announce(self, room: Room, seats: list[Seat], url: str, method: str) -> None:
        """Fetch what is to be said, say it to those in the seats, and tell that it was."""
        params = {
            "AccountSid": self._exchange.account.sid,
            "ConferenceSid": room.sid,
            "FriendlyName": room.name,
        }
        of = seat_params(seats[0]) if len(seats) == 1 else {}

        def received(answer: Answer | None) -> None:
            spoken = [self._said(seat, url, answer) for seat in seats if seat.call.seat is seat]
            if not spoken:
                return
            seconds = spoken[0]
            more = {**of, "AnnounceUrl": url}
            if seconds is None:
                failed = {**more, "ReasonAnnouncementFailed": "11200"}
                self._tell(room, "announcement-fail", failed)
                return
            self._exchange.clock.after(seconds, lambda: self._tell(room, "announcement-end", more))

        self._ask(url, method, params, received)

    def _said(self, seat: Seat, url: str, answer: Answer | None) -> float | None:
        """Let the phone hear what came; gives how long it took. None: it could not be used."""
        if answer is None or not answer.is_good:
            self._exchange.mouth.faults.append(f"{url} gave nothing to say")
            return None
        if answer.content_type in _SOUND:
            self._phone(seat).heard.append(url)
            return self._exchange.knobs.prompt_seconds
        document = read(answer.text, WAITING)
        if document.faults:
            self._exchange.mouth.faults += [f"{url}: {fault}" for fault in document.faults]
            return None
        verbs = [verb for verb in document.verbs if verb.tag != "Redirect"]
        lasting = [self._exchange.line.hear(seat.call, verb) for verb in verbs]
        return sum(seconds for seconds in lasting if seconds is not None)

    def hears(self, phone: Phone) -> set[str]:
        """The numbers of the phones whose voices reach this one."""
        call = phone.call
        if call is None or call.seat is None or call.seat.hold or phone.dead:
            return set()
        if call.seat.room.status != "in-progress":
            return set()
        others = [seat for seat in call.seat.room.seats if seat.call is not call]
        voices = [self._phone(seat) for seat in others if not seat.hold and not seat.muted]
        return {voice.number for voice in voices if not voice.silent and not voice.dead}

    # -- telling -----------------------------------------------------------------------------

    def _tell(self, room: Room, event: str, more: dict[str, str]) -> None:
        room.sequence += 1
        if room.telling is None or event not in room.telling.events:
            return
        now = self._exchange.clock.now()
        self._exchange.mouth.tell(
            Post(
                url=room.telling.address.url,
                method=room.telling.address.method,
                params={**room_params(room, self._exchange.account.sid, now, event), **more},
                stream=f"conference {room.sid}",
                what=f"conference {event}",
            )
        )

    def _ask(
        self, url: str, method: str, params: dict[str, str], then: Callable[[Answer | None], None]
    ) -> None:
        self._exchange.mouth.ask(
            Post(url=url, method=method, params=params, stream="", what="prompt", then=then)
        )

    def _phone(self, seat: Seat) -> Phone:
        return self._exchange.phones[self._exchange.far_end(seat.call)]
