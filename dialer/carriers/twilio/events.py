"""Webhooks of Twilio, read: what happened to which leg, under a name that a repeat has, too. Pure.

What is kept of a webhook holds no number and no place: fields that would are left out, and digits
that could be a number are hidden wherever else they stand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum

from dialer.carriers.twilio.names import dialled_in_leg, leg_of_label
from dialer.carriers.twilio.numbers import caller_number
from terms.ids import LegId
from terms.phone import PhoneNumber

Fields = Mapping[str, str]

_PERSONAL = re.compile(r"(From|To|Caller|Called|Forwarded|CallToken|Caller[A-Z].*).*|.*(Name|Body)")
_KEPT_NAMES = frozenset({"FriendlyName"})
_COULD_BE_A_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{7,15}(?![0-9A-Za-z])")
_ALMOST_A_SECOND = timedelta(milliseconds=999)
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")


class Kind(StrEnum):
    """What kind of thing happened."""

    DIALLED_IN = "dialled_in"
    ANSWERED = "answered"  # Twilio asked what an answered leg shall do
    KEY = "key"
    CALL = "call"  # a call status callback, or the same by our asking
    CONFERENCE = "conference"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something happened. `key` is equal for a repeat of it; `fields` are safe to keep."""

    key: str
    kind: Kind
    leg: LegId | None
    at: datetime
    sid: str
    fields: Fields
    received_at: datetime
    caller: PhoneNumber | None = field(default=None)

    def text(self, name: str) -> str:
        """A field; nothing if it is not there."""
        return self.fields.get(name, "")

    def whole(self, name: str) -> int | None:
        """A field that is a whole number."""
        found = self.text(name)
        return int(found) if found.isascii() and found.isdigit() else None


def read_sid(found: str) -> str | None:
    """A name that Twilio gave to a thing."""
    return found if _SID.fullmatch(found) else None


def read_inbound(fields: Fields, received_at: datetime) -> Event | None:
    """A phone dialled a number of ours; None if it makes no sense."""
    sid = read_sid(fields.get("CallSid", ""))
    if sid is None:
        return None
    kept = {**kept_fields(fields), "Dialled": fields.get("To", "")}
    return Event(
        key=f"in:{sid}",
        kind=Kind.DIALLED_IN,
        leg=dialled_in_leg(sid),
        at=received_at,
        sid=sid,
        fields=kept,
        received_at=received_at,
        caller=caller_number(fields.get("From", "")),
    )


def read_call(
    fields: Fields, leg: LegId | None, token: str | None, received_at: datetime
) -> Event | None:
    """How a call goes on, told under the token of its ring.

    Without a leg it is one that dialled in; None if it makes no sense.
    """
    sid, status = read_sid(fields.get("CallSid", "")), fields.get("CallStatus", "")
    if sid is None or not status:
        return None
    return Event(
        key=f"call:{sid}:{fields.get('SequenceNumber', '-')}:{status}",
        kind=Kind.CALL,
        leg=leg or dialled_in_leg(sid),
        at=read_time(fields.get("Timestamp", ""), received_at),
        sid=sid,
        fields=kept_fields(fields) | ({} if token is None else {"Token": token}),
        received_at=received_at,
    )


def read_conference(fields: Fields, received_at: datetime) -> Event | None:
    """What happened in a conference; None if it makes no sense."""
    conference, what = read_sid(fields.get("ConferenceSid", "")), fields.get("StatusCallbackEvent")
    if conference is None or not what:
        return None
    return Event(
        key=f"conference:{conference}:{fields.get('SequenceNumber', '-')}:{what}",
        kind=Kind.CONFERENCE,
        leg=leg_of_label(fields.get("ParticipantLabel", "")),
        at=read_time(fields.get("Timestamp", ""), received_at),
        sid=fields.get("CallSid", ""),
        fields=kept_fields(fields),
        received_at=received_at,
    )


def answered(leg: LegId, token: str, sid: str, fields: Fields, received_at: datetime) -> Event:
    """Twilio asked for the first document of an answered leg."""
    return Event(
        key=f"answered:{token}",
        kind=Kind.ANSWERED,
        leg=leg,
        at=received_at,
        sid=sid,
        fields=kept_fields(fields),
        received_at=received_at,
    )


def pressed(
    leg: LegId, token: str, place: str, sid: str, fields: Fields, received_at: datetime
) -> Event | None:
    """A key was pressed while the document at `place` was carried out; None if none was."""
    if not fields.get("Digits"):
        return None
    return Event(
        key=f"key:{token}:{place}",
        kind=Kind.KEY,
        leg=leg,
        at=received_at,
        sid=sid,
        fields=kept_fields(fields),
        received_at=received_at,
    )


def read_time(found: str, received_at: datetime) -> datetime:
    """A moment as Twilio writes it, to the second: `Sun, 22 Nov 2026 04:11:14 +0000`.

    Within that second it is taken for the moment it was received, by when it had happened.
    """
    try:
        at = parsedate_to_datetime(found)
    except ValueError:
        return received_at
    at = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    return min(max(at, received_at), at + _ALMOST_A_SECOND)


def kept_fields(fields: Fields) -> dict[str, str]:
    """What may be stored of a webhook, unknown fields included."""
    return {
        name: value if _SID.fullmatch(value) else _COULD_BE_A_NUMBER.sub("***", value)
        for name, value in fields.items()
        if name in _KEPT_NAMES or not _PERSONAL.fullmatch(name)
    }
