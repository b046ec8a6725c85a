"""Lines and webhooks for tests of the pure parts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from dialer.carriers.twilio.line import Line
from terms.ids import LegId

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
LEG = LegId("call7/counselor/1")
TOKEN = "call7~counselor~1.s3cret"
SID, OTHER_SID = "CA" + "1" * 32, "CA" + "2" * 32
ROOM_SID = "CF" + "3" * 32
CALLER, OURS = "+8613800000001", "+862155500100"


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def a_line(**changes: Any) -> Line:
    """Rung and answered at noon, held."""
    line = Line(
        leg=LEG, token=TOKEN, asked_at=after(-5), sid=SID, rang_by="earlier", answered_at=NOON
    )
    return replace(line, **changes)


def a_dial_in(**changes: Any) -> Line:
    """A phone that dialled in and rings us."""
    leg = LegId(f"in-{SID}")
    return replace(Line(leg=leg, token=f"{leg}.s3cret", asked_at=NOON, sid=SID), **changes)


def at(seconds: float) -> str:
    """A moment as Twilio writes it."""
    return after(seconds).strftime("%a, %d %b %Y %H:%M:%S +0000")


def call_fields(status: str, seq: int = 0, seconds: float = 0, **more: str) -> dict[str, str]:
    """A call status callback as Twilio sends it."""
    return {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "CallSid": SID,
        "CallStatus": status,
        "From": OURS,
        "To": CALLER,
        "Caller": OURS,
        "Called": CALLER,
        "ToCity": "Shanghai",
        "Direction": "outbound-api",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": str(seq),
        "Timestamp": at(seconds),
        **more,
    }


def room_fields(event: str, seq: int = 1, seconds: float = 0, **more: str) -> dict[str, str]:
    """A conference status callback as Twilio describes it."""
    return {
        "AccountSid": "AC" + "0" * 32,
        "ConferenceSid": ROOM_SID,
        "FriendlyName": "call-call7",
        "SequenceNumber": str(seq),
        "Timestamp": at(seconds),
        "StatusCallbackEvent": event,
        "CallSid": SID,
        "ParticipantLabel": "call7~counselor~1",
        **more,
    }
