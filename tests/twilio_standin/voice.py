"""The voice part of the REST API: Calls, Conferences, Participants."""

from datetime import datetime
from typing import TypeVar
from xml.etree import ElementTree

from tests.twilio_standin.calls import (
    Address,
    Call,
    Room,
    Seat,
    Telling,
    call_body,
    room_body,
    seat_body,
)
from tests.twilio_standin.exchange import Exchange, Impossible, new_sid
from tests.twilio_standin.operations import Asked
from tests.twilio_standin.paging import Body, listed
from tests.twilio_standin.rest import Handles
from tests.twilio_standin.verbs import Element

_ACCOUNT = "/2010-04-01/Accounts/{AccountSid}"
_USUAL_RING_SECONDS = 60
Thing = TypeVar("Thing")
_SEAT = {
    "Label": "participantLabel",
    "Muted": "muted",
    "StartConferenceOnEnter": "startConferenceOnEnter",
    "EndConferenceOnExit": "endConferenceOnExit",
    "WaitUrl": "waitUrl",
    "WaitMethod": "waitMethod",
    "MaxParticipants": "maxParticipants",
    "ConferenceStatusCallback": "statusCallback",
    "ConferenceStatusCallbackMethod": "statusCallbackMethod",
    "ConferenceStatusCallbackEvent": "statusCallbackEvent",
}
"""Parameters of a participant, and the attributes of <Conference> that they are."""

_NOT_IN_PROGRESS = "Call is not in-progress. Cannot redirect."


class Voice:
    """What the API does with an exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def handles(self) -> Handles:
        """What answers what."""
        room = f"{_ACCOUNT}/Conferences/{{ConferenceSid}}/Participants"
        return {
            ("POST", f"{_ACCOUNT}/Calls.json"): self._create_call,
            ("GET", f"{_ACCOUNT}/Calls.json"): self._list_calls,
            ("GET", f"{_ACCOUNT}/Calls/{{Sid}}.json"): self._fetch_call,
            ("POST", f"{_ACCOUNT}/Calls/{{Sid}}.json"): self._update_call,
            ("GET", f"{_ACCOUNT}/Conferences.json"): self._list_rooms,
            ("GET", f"{_ACCOUNT}/Conferences/{{Sid}}.json"): self._fetch_room,
            ("POST", f"{_ACCOUNT}/Conferences/{{Sid}}.json"): self._update_room,
            ("GET", f"{room}.json"): self._list_seats,
            ("POST", f"{room}.json"): self._create_seat,
            ("GET", f"{room}/{{CallSid}}.json"): self._fetch_seat,
            ("POST", f"{room}/{{CallSid}}.json"): self._update_seat,
            ("DELETE", f"{room}/{{CallSid}}.json"): self._delete_seat,
        }

    # -- calls -------------------------------------------------------------------------------

    def _create_call(self, asked: Asked) -> tuple[int, Body]:
        call = self._ordered(asked)
        call.entry = _address(asked, "Url", "Method")
        call.fallback = _address(asked, "FallbackUrl", "FallbackMethod")
        call.twiml = asked.get("Twiml")
        self._exchange.create(call)
        return 201, self._body(call)

    def _ordered(self, asked: Asked) -> Call:
        """A call as it is ordered, whatever it shall do once it is answered."""
        to, from_ = asked.get("To"), asked.get("From")
        assert to is not None
        assert from_ is not None
        if from_ not in self._exchange.numbers:
            raise Impossible(400, 21210, "The source phone number is not verified")
        limit = asked.get("TimeLimit")
        return Call(
            sid=new_sid("CA"),
            to=to,
            from_=from_,
            direction="outbound-api",
            created_at=self._exchange.clock.now(),
            telling=_telling(asked),
            ring_seconds=int(asked.get("Timeout") or _USUAL_RING_SECONDS),
            limit_seconds=None if limit is None else int(limit),
            detects_machines=asked.get("MachineDetection") is not None,
        )

    def _list_calls(self, asked: Asked) -> tuple[int, Body]:
        found = [call for call in self._exchange.calls.values() if _matches(call, asked)]
        found.reverse()  # the newest first
        return listed(asked, "calls", [self._body(call) for call in found])

    def _fetch_call(self, asked: Asked) -> tuple[int, Body]:
        return 200, self._body(self._call(asked.path["Sid"]))

    def _update_call(self, asked: Asked) -> tuple[int, Body]:
        call = self._call(asked.path["Sid"])
        status, limit = asked.get("Status"), asked.get("TimeLimit")
        twiml, url = asked.get("Twiml"), _address(asked, "Url", "Method")
        if (twiml or url) and call.status != "in-progress":
            raise Impossible(400, 21220, _NOT_IN_PROGRESS)
        if limit is not None:
            if not call.is_live:
                raise Impossible(400, 21220, _NOT_IN_PROGRESS)
            self._exchange.limit(call, int(limit))
        if twiml or url:
            if call.seat is not None:
                self._exchange.conferencing.leave(call.seat, "participant_updated_via_api")
            if url is not None:
                fallback = _address(asked, "FallbackUrl", "FallbackMethod")
                self._exchange.line.fetch(call, url, fallback)
            elif twiml is not None:
                self._exchange.line.begin(call, twiml, base="")
        if status is not None:
            self._exchange.end_by_api(call, status)
        return 200, self._body(call)

    # -- conferences -------------------------------------------------------------------------

    def _list_rooms(self, asked: Asked) -> tuple[int, Body]:
        name, status = asked.get("FriendlyName"), asked.get("Status")
        found = [
            room
            for room in self._exchange.rooms.values()
            if name in (None, room.name) and status in (None, room.status)
        ]
        account = self._exchange.account.sid
        return listed(asked, "conferences", [room_body(room, account) for room in reversed(found)])

    def _fetch_room(self, asked: Asked) -> tuple[int, Body]:
        return 200, room_body(self._room(asked.path["Sid"]), self._exchange.account.sid)

    def _update_room(self, asked: Asked) -> tuple[int, Body]:
        room = self._room(asked.path["Sid"])
        announce = _address(asked, "AnnounceUrl", "AnnounceMethod")
        if announce is not None:
            if room.status != "in-progress":
                raise Impossible(400, 20001, "the conference is not in progress")
            self._exchange.conferencing.announce(
                room, list(room.seats), announce.url, announce.method
            )
        if asked.get("Status") == "completed":
            self._exchange.conferencing.end(room)
        return 200, room_body(room, self._exchange.account.sid)

    # -- participants ------------------------------------------------------------------------

    def _list_seats(self, asked: Asked) -> tuple[int, Body]:
        room = self._room(asked.path["ConferenceSid"])
        account = self._exchange.account.sid
        return listed(asked, "participants", [seat_body(seat, account) for seat in room.seats])

    def _create_seat(self, asked: Asked) -> tuple[int, Body]:
        """Ring somebody who joins on answering. A conference that is not there is opened."""
        dial = _dial(asked)
        name = (dial[0].text or "").strip()
        conferencing = self._exchange.conferencing
        room = conferencing.live(name) or conferencing.opened(name, "", dial[0])
        call = self._ordered(asked)
        call.dial = dial
        self._exchange.create(call)
        account = self._exchange.account.sid
        uri = f"/2010-04-01/Accounts/{account}/Conferences/{room.sid}/Participants/{call.sid}.json"
        return 201, {
            "account_sid": account,
            "call_sid": call.sid,
            "conference_sid": room.sid,
            "label": asked.get("Label"),
            "status": "queued",
            "queue_time": str(int(call.queue_seconds * 1000)),
            "uri": uri,
        }

    def _fetch_seat(self, asked: Asked) -> tuple[int, Body]:
        return 200, seat_body(self._seat(asked), self._exchange.account.sid)

    def _update_seat(self, asked: Asked) -> tuple[int, Body]:
        seat = self._seat(asked)
        conferencing = self._exchange.conferencing
        if (muted := asked.get("Muted")) is not None:
            conferencing.mute(seat, muted == "true")
        if (hold := asked.get("Hold")) is not None:
            conferencing.hold(seat, hold == "true")
        if (ends := asked.get("EndConferenceOnExit")) is not None:
            seat.ends = ends == "true"
        announce = _address(asked, "AnnounceUrl", "AnnounceMethod")
        if announce is not None:
            conferencing.announce(seat.room, [seat], announce.url, announce.method)
        return 200, seat_body(seat, self._exchange.account.sid)

    def _delete_seat(self, asked: Asked) -> tuple[int, None]:
        self._exchange.conferencing.kick(self._seat(asked))
        return 204, None

    # -- finding -----------------------------------------------------------------------------

    def _body(self, call: Call) -> Body:
        return call_body(call, self._exchange.account.sid)

    def _call(self, sid: str) -> Call:
        return _found(self._exchange.calls.get(sid))

    def _room(self, name: str) -> Room:
        return _found(self._exchange.rooms.get(name) or self._exchange.conferencing.live(name))

    def _seat(self, asked: Asked) -> Seat:
        room = self._room(asked.path["ConferenceSid"])
        return _found(room.seat_of(asked.path["CallSid"]))


def _found(thing: Thing | None) -> Thing:
    if thing is None:
        raise Impossible(404, 20404, "The requested resource was not found")
    return thing


def _address(asked: Asked, url: str, method: str) -> Address | None:
    given = asked.get(url)
    return None if given is None else Address(url=given, method=asked.get(method) or "POST")


def _dial(asked: Asked) -> Element:
    """The seat that the parameters describe, as TwiML would have it."""
    dial = ElementTree.Element("Dial")
    noun = ElementTree.SubElement(dial, "Conference")
    noun.text = asked.path["ConferenceSid"]
    for parameter, attribute in _SEAT.items():
        if given := asked.params.get(parameter):
            noun.set(attribute, " ".join(given))
    return dial


def _telling(asked: Asked) -> Telling | None:
    address = _address(asked, "StatusCallback", "StatusCallbackMethod")
    if address is None:
        return None
    events = asked.params.get("StatusCallbackEvent", ["completed"])
    return Telling(address=address, events=frozenset(events))


def _matches(call: Call, asked: Asked) -> bool:
    body = call_body(call, "")
    names = (("To", "to"), ("From", "from"), ("Status", "status"))
    if any((wanted := asked.get(name)) and body[key] != wanted for name, key in names):
        return False
    return _within(call.started_at, asked, "StartTime") and _within(call.ended_at, asked, "EndTime")


def _within(at: datetime | None, asked: Asked, name: str) -> bool:
    after, before = asked.get(f"{name}>"), asked.get(f"{name}<")
    if after is None and before is None:
        return True
    if at is None:
        return False
    return (after is None or at >= datetime.fromisoformat(after)) and (
        before is None or at <= datetime.fromisoformat(before)
    )
