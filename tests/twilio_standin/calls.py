"""Calls, conferences and who sits in them, as Twilio keeps them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime

from tests.twilio_standin.clock import Timer
from tests.twilio_standin.verbs import Element

API_VERSION = "2010-04-01"
LIVE = frozenset({"queued", "initiated", "ringing", "in-progress"})


def rfc_2822(at: datetime) -> str:
    """A time as Twilio writes it: in whole seconds."""
    return format_datetime(at.replace(microsecond=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to ask, and how."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Whom to tell of a call's or conference's life, and of what."""

    address: Address
    events: frozenset[str]


@dataclass(slots=True, eq=False)
class Turn:
    """One document at work on a call. Another one takes its place, and this one does no more."""

    verbs: deque[Element]
    base: str
    first: bool = True


@dataclass(slots=True, eq=False, kw_only=True)
class Question:
    """A <Gather> that is open."""

    turn: Turn
    element: Element
    digits: str = ""
    timer: Timer | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Call:
    """One leg."""

    sid: str
    to: str
    from_: str
    direction: str
    created_at: datetime
    entry: Address | None = None
    fallback: Address | None = None
    twiml: str | None = None
    dial: Element | None = None
    """A participant added over the API has no document: it joins, and ends with its seat."""

    telling: Telling | None = None
    ring_seconds: int = 60
    limit_seconds: int | None = None
    queue_seconds: float = 0.0
    detects_machines: bool = False
    stir: str | None = None
    status: str = "queued"
    started_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    answered_by: str | None = None
    sequence: int = 0
    turn: Turn | None = None
    question: Question | None = None
    seat: "Seat | None" = None
    limit: Timer | None = None
    timers: list[Timer] = field(default_factory=list)
    has_pressed: bool = False
    talks: bool = False

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.status in LIVE

    @property
    def duration_seconds(self) -> int:
        """How long it was answered, in whole seconds."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return int((self.ended_at - self.answered_at).total_seconds())

    def forget_timers(self) -> None:
        """Cancel whatever was to happen to it."""
        for timer in (*self.timers, *([self.limit] if self.limit else [])):
            timer.cancel()
        self.timers.clear()


@dataclass(slots=True, eq=False, kw_only=True)
class Seat:
    """A call in a conference."""

    call: Call
    room: "Room"
    turn: Turn | None
    dial: Element | None
    label: str
    starts: bool
    ends: bool
    joined_at: datetime
    muted: bool = False
    hold: bool = False
    timer: Timer | None = None


@dataclass(slots=True, eq=False, kw_only=True)
class Room:
    """A conference; its name is free again once it has ended."""

    sid: str
    name: str
    created_at: datetime
    telling: Telling | None
    status: str = "init"
    sequence: int = 0
    seats: list[Seat] = field(default_factory=list)
    reason: str | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None

    def seat_of(self, name: str) -> Seat | None:
        """The seat of that call SID or label."""
        return next((s for s in self.seats if name in (s.call.sid, s.label)), None)


def call_body(call: Call, account: str) -> dict[str, object]:
    """The Call resource."""
    uri = f"/{API_VERSION}/Accounts/{account}/Calls/{call.sid}"
    ended = call.ended_at is not None
    parts = ("notifications", "recordings", "payments", "events", "siprec", "streams")
    return {
        "sid": call.sid,
        "date_created": rfc_2822(call.created_at),
        "date_updated": rfc_2822(call.ended_at or call.answered_at or call.created_at),
        "parent_call_sid": None,
        "account_sid": account,
        "to": call.to,
        "to_formatted": call.to,
        "from": call.from_,
        "from_formatted": call.from_,
        "phone_number_sid": None,
        # `initiated` is a word of the callbacks: the resource still says `queued`.
        "status": "queued" if call.status == "initiated" else call.status,
        "start_time": _told(call.started_at),
        "end_time": _told(call.ended_at),
        "duration": str(call.duration_seconds) if ended else None,
        "price": None,
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": call.answered_by,
        "api_version": API_VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": None,
        "queue_time": str(int(call.queue_seconds * 1000)),
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {part: f"{uri}/{part.title()}.json" for part in parts},
    }


def room_body(room: Room, account: str) -> dict[str, object]:
    """The Conference resource."""
    uri = f"/{API_VERSION}/Accounts/{account}/Conferences/{room.sid}"
    return {
        "account_sid": account,
        "date_created": rfc_2822(room.created_at),
        "date_updated": rfc_2822(room.ended_at or room.created_at),
        "api_version": API_VERSION,
        "friendly_name": room.name,
        "region": "us1",
        "sid": room.sid,
        "status": room.status,
        "uri": f"{uri}.json",
        "subresource_uris": {"participants": f"{uri}/Participants.json"},
        "reason_conference_ended": room.reason,
        "call_sid_ending_conference": room.ended_by,
    }


def seat_body(seat: Seat, account: str) -> dict[str, object]:
    """The Participant resource."""
    room = f"/{API_VERSION}/Accounts/{account}/Conferences/{seat.room.sid}"
    return {
        "account_sid": account,
        "call_sid": seat.call.sid,
        "label": seat.label or None,
        "call_sid_to_coach": None,
        "coaching": False,
        "conference_sid": seat.room.sid,
        "date_created": rfc_2822(seat.joined_at),
        "date_updated": rfc_2822(seat.joined_at),
        "end_conference_on_exit": seat.ends,
        "muted": seat.muted,
        "hold": seat.hold,
        "start_conference_on_enter": seat.starts,
        "status": "connected",
        "queue_time": None,
        "uri": f"{room}/Participants/{seat.call.sid}.json",
    }


def _told(at: datetime | None) -> str | None:
    return None if at is None else rfc_2822(at)


def call_params(call: Call, account: str) -> dict[str, str]:
    """What every request about a call says."""
    return {
        "AccountSid": account,
        "ApiVersion": API_VERSION,
        "CallSid": call.sid,
        "CallStatus": call.status,
        "Direction": call.direction,
        "From": call.from_,
        "To": call.to,
        "Caller": call.from_,
        "Called": call.to,
        **_PLACES,
    }


# Captured: places that are not known are sent empty, and an empty field is signed like any other.
_PLACES: Mapping[str, str] = {
    f"{who}{what}": ""
    for who in ("From", "To", "Caller", "Called")
    for what in ("City", "State", "Zip", "Country")
}


def room_params(room: Room, account: str, at: datetime, event: str) -> dict[str, str]:
    """What every conference event says: not the fields of a call."""
    return {
        "ConferenceSid": room.sid,
        "FriendlyName": room.name,
        "AccountSid": account,
        "SequenceNumber": str(room.sequence),
        "Timestamp": rfc_2822(at),
        "StatusCallbackEvent": event,
    }


def seat_params(seat: Seat) -> dict[str, str]:
    """What an event about a participant adds."""
    return {
        "CallSid": seat.call.sid,
        "Muted": _bool(seat.muted),
        "Hold": _bool(seat.hold),
        "Coaching": "false",
        "EndConferenceOnExit": _bool(seat.ends),
        "StartConferenceOnEnter": _bool(seat.starts),
        **({"ParticipantLabel": seat.label} if seat.label else {}),
    }


def _bool(value: bool) -> str:
    return "true" if value else "false"
