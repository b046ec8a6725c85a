"""The heart: the life of every call, from its creation or its ring to its end."""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from tests.twilio_standin.calls import (
    Address,
    Call,
    Room,
    Telling,
    Turn,
    call_params,
    rfc_2822,
)
from tests.twilio_standin.clock import Clock
from tests.twilio_standin.conferencing import Conferencing
from tests.twilio_standin.faults import Knobs
from tests.twilio_standin.hooks import Post
from tests.twilio_standin.line import Line
from tests.twilio_standin.phones import OUTCOMES, RING_TIMEOUT, Outcome, Phones, Reply

_RINGS_FIRST = frozenset({Reply.BUSY, Reply.REJECTS})
_OK = 200


class Sends(Protocol):
    """Whoever carries requests to us: the mouth, or a test's ear."""

    faults: list[str]

    def tell(self, post: Post) -> None:
        """A callback."""
        ...

    def ask(self, post: Post) -> None:
        """A request whose answer is waited for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Whose calls these are."""

    sid: str
    token: str
    secondary_token: str
    key: str
    key_secret: str


@dataclass(slots=True, kw_only=True)
class OwnNumber:
    """A number of the account."""

    sid: str
    number: str
    voice: Address | None = None
    fallback: Address | None = None
    status: Address | None = None


class Impossible(Exception):
    """What Twilio refuses, with its status and code."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def new_sid(prefix: str) -> str:
    """A SID of its own."""
    return prefix + secrets.token_hex(16)


@dataclass(slots=True, eq=False, kw_only=True)
class Exchange:
    """Calls, conferences, phones, numbers."""

    account: Account
    clock: Clock
    mouth: Sends
    knobs: Knobs
    phones: Phones = field(default_factory=Phones)
    numbers: dict[str, OwnNumber] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    dialled_until: datetime | None = None
    ended: Callable[[Call], None] | None = None
    """Told of every call's end, for who measures."""

    line: Line = field(init=False)
    conferencing: Conferencing = field(init=False)

    def __post_init__(self) -> None:
        self.line = Line(self)
        self.conferencing = Conferencing(self)

    # -- calls out ---------------------------------------------------------------------------

    def create(self, call: Call) -> None:
        """Take a call; it is dialled when the account's rate allows. Raises Impossible."""
        most = self.knobs.most_calls
        if most is not None and sum(one.is_live for one in self.calls.values()) >= most:
            raise Impossible(429, 10004, "Call concurrency limit exceeded")
        self.calls[call.sid] = call
        call.queue_seconds = self._queued_seconds()
        self._later(call, call.queue_seconds, lambda: self._dial(call))

    def _queued_seconds(self) -> float:
        """How long the account's calls per second make the next one wait."""
        rate, now = self.knobs.calls_per_second, self.clock.now()
        if rate is None:
            return 0.0
        free = max(self.dialled_until or now, now)
        waits = (free - now).total_seconds()
        self.dialled_until = free + timedelta(seconds=1 / rate)
        return waits

    def _dial(self, call: Call) -> None:
        phone = self.phones[call.to]
        call.started_at = self.clock.now()
        self.tell_status(call, "initiated", "initiated")
        reply = Reply.BUSY if phone.call is not None else phone.script.reply
        if reply in OUTCOMES:
            if reply in _RINGS_FIRST:
                self.tell_status(call, "ringing", "ringing")
            return self.finish(call, OUTCOMES[reply])
        phone.call = call
        phone.rung += 1
        phone.heard.clear()
        phone.shown.append(call.from_)
        self.tell_status(call, "ringing", "ringing")
        self._later(call, call.ring_seconds, lambda: self.finish(call, RING_TIMEOUT))
        if reply is Reply.ANSWERS:
            self._later(call, phone.script.after_seconds, lambda: self.pick_up(call))
        return None

    def pick_up(self, call: Call) -> None:
        """The phone that rings is answered, and Twilio asks what to do."""
        if call.status != "ringing" or call.direction == "inbound":
            return
        self.answered(call)
        self.tell_status(call, "in-progress", "answered")
        if call.dial is not None:
            call.turn = Turn(verbs=deque(), base="")
            self.conferencing.join(call, call.turn, call.dial)
        elif call.twiml is not None:
            self.line.begin(call, call.twiml, base="")
        elif call.entry is not None:
            self.line.fetch(call, call.entry, call.fallback, self._answered_params(call))

    def _answered_params(self, call: Call) -> dict[str, str]:
        if not call.detects_machines:
            return {}
        call.answered_by = self.phones[call.to].script.answered_by
        return {"AnsweredBy": call.answered_by, "MachineDetectionDuration": "2000"}

    def answered(self, call: Call) -> None:
        """It is taken: its limit runs."""
        call.status = "in-progress"
        call.answered_at = self.clock.now()
        call.forget_timers()
        if call.limit_seconds is not None:
            self.limit(call, call.limit_seconds)

    def limit(self, call: Call, seconds: int) -> None:
        """Set TimeLimit, now or before the answer."""
        call.limit_seconds = seconds
        if call.answered_at is None:
            return
        if call.limit is not None:
            call.limit.cancel()
        spent = (self.clock.now() - call.answered_at).total_seconds()
        rest = seconds if self.knobs.limit_counts_from_update else seconds - spent
        cut = Outcome(status="completed", sip=_OK)
        call.limit = self.clock.after(
            rest, lambda: self.finish(call, cut, left_as=self.knobs.limit_leaves_as)
        )

    # -- calls in ----------------------------------------------------------------------------

    def dial_in(self, number: str, to: str, *, withhold: bool = False, stir: str | None) -> Call:
        """A phone dials one of the account's numbers. Raises Impossible."""
        own, phone = self.numbers[to], self.phones[number]
        call = Call(
            sid=new_sid("CA"),
            to=to,
            from_=self.knobs.withheld_as if withhold else number,
            direction="inbound",
            created_at=self.clock.now(),
            entry=own.voice,
            fallback=own.fallback,
            stir=stir,
            status="ringing",
            started_at=self.clock.now(),
        )
        if own.status is not None:
            call.telling = Telling(address=own.status, events=frozenset({"completed"}))
        if own.voice is None:
            raise Impossible(404, 21218, "the number has no VoiceUrl")
        self.calls[call.sid] = call
        phone.call = call
        phone.heard.clear()
        extra = {"CallToken": secrets.token_urlsafe(40)}
        if stir is not None:
            extra["StirVerstat"] = stir
        self.line.fetch(call, own.voice, own.fallback, extra)
        return call

    # -- ends --------------------------------------------------------------------------------

    def finish(self, call: Call, outcome: Outcome, *, left_as: str = "participant_hung_up") -> None:
        """The call is over, for whatever reason."""
        if not call.is_live:
            return
        was_queued = call.status == "queued"
        call.status = outcome.status
        call.ended_at = self.clock.now()
        call.turn = None
        call.question = None
        call.forget_timers()
        if call.seat is not None:
            self.conferencing.leave(call.seat, left_as)
        elif call.dial is not None and call.answered_at is None:
            self.conferencing.never_came(call, call.dial)
        phone = self.phones[self.far_end(call)]
        if phone.call is call:
            phone.call = None
            phone.silent = phone.dead = False
        if not was_queued:  # documented: a call cancelled while queued tells nobody
            self.tell_status(call, outcome.status, "completed", self._end_params(call, outcome))
        if self.ended is not None:
            self.ended(call)

    def hang_up(self, call: Call) -> None:
        """A phone hangs up; one that dials in and is not taken yet ends `no-answer`."""
        taken = call.answered_at is not None
        self.finish(call, Outcome(status="completed" if taken else "no-answer", sip=_OK))

    def end_by_api(self, call: Call, status: str) -> None:
        """`Status=canceled` or `completed` over the API. Raises Impossible."""
        if not call.is_live:
            if self.knobs.ending_again_is_refused:
                raise Impossible(400, 21220, "Call is not in-progress. Cannot redirect.")
            return
        if call.status == "in-progress":
            if status == "completed":  # `canceled` leaves a call in progress alone
                outcome = Outcome(status="completed", sip=_OK)
                self.finish(call, outcome, left_as="participant_updated_via_api")
        elif call.direction == "inbound":
            self.finish(call, Outcome(status="no-answer", sip=_OK))
        else:
            self.finish(call, Outcome(status="canceled", sip=RING_TIMEOUT.sip))

    def far_end(self, call: Call) -> str:
        """The number of the phone, which a withheld caller has too."""
        if call.direction != "inbound":
            return call.to
        for phone in self.phones.all():
            if phone.call is call:
                return phone.number
        return call.from_

    # -- telling -----------------------------------------------------------------------------

    def tell_status(
        self, call: Call, status: str, event: str, more: dict[str, str] | None = None
    ) -> None:
        """A step of the call's life: its callback, if that was asked for."""
        call.status = status
        number, call.sequence = call.sequence, call.sequence + 1
        if call.telling is None or event not in call.telling.events:
            return
        params = {
            **call_params(call, self.account.sid),
            "Timestamp": rfc_2822(self.clock.now()),
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(number),
            **(more or {}),
        }
        address = call.telling.address
        self.mouth.tell(
            Post(
                url=address.url,
                method=address.method,
                params=params,
                stream=f"call {call.sid}",
                what=f"call {status}",
            )
        )

    def _end_params(self, call: Call, outcome: Outcome) -> dict[str, str]:
        seconds = call.duration_seconds
        return {
            "CallDuration": str(seconds),
            "Duration": str(-(-seconds // 60)),  # minutes that are charged
            "SipResponseCode": str(outcome.sip),
            **({"AnsweredBy": call.answered_by} if call.answered_by else {}),
        }

    def _later(self, call: Call, seconds: float, action: Callable[[], None]) -> None:
        call.timers.append(self.clock.after(seconds, action))
