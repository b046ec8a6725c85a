"""What ARI says, read: one flat value for every event about a channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

JsonObject = Mapping[str, object]


class Kind(StrEnum):
    """The events that mean something to us, by ARI's own names."""

    BEGAN = "StasisStart"
    STATE = "ChannelStateChange"
    KEY = "ChannelDtmfReceived"
    ENTERED = "ChannelEnteredBridge"
    LEFT = "ChannelLeftBridge"
    ASKED_TO_END = "ChannelHangupRequest"
    RETURNED = "StasisEnd"
    DESTROYED = "ChannelDestroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of a channel. `cause` is Q.850's and 0 where Asterisk knows none.

    `soft` is set where Asterisk itself asks for the end; `bridge_empty` where the last one left.
    """

    kind: Kind
    channel: str
    at: datetime
    state: str = ""
    caller: str = ""
    arguments: tuple[str, ...] = ()
    digit: str = ""
    bridge: str = ""
    bridge_empty: bool = False
    cause: int = 0
    sip: int | None = None
    soft: bool = False


def read_event(found: JsonObject) -> Event | None:
    """The event; None if it is of a kind that means nothing to us, or makes no sense."""
    channel, kind = found.get("channel"), found.get("type")
    if not isinstance(channel, dict) or kind not in _KINDS:
        return None
    at = read_time(found.get("timestamp"))
    if at is None:
        return None
    bridge = found.get("bridge")
    bridge = bridge if isinstance(bridge, dict) else {}
    caller = channel.get("caller")
    arguments = found.get("args")
    sip = found.get("tech_cause")
    return Event(
        kind=Kind(str(kind)),
        channel=_text(channel.get("id")),
        at=at,
        state=_text(channel.get("state")),
        caller=_text(caller.get("number")) if isinstance(caller, dict) else "",
        arguments=tuple(map(str, arguments)) if isinstance(arguments, list) else (),
        digit=_text(found.get("digit")),
        bridge=_text(bridge.get("id")),
        bridge_empty=bridge.get("channels") == [],
        cause=_whole(found.get("cause")),
        sip=_whole(sip) or None,
        soft=found.get("soft") is True,
    )


def read_time(found: object) -> datetime | None:
    """A moment as ARI writes it: `2026-11-22T04:11:14.110+0000`."""
    try:
        at = datetime.fromisoformat(_text(found))
    except ValueError:
        return None
    return None if at.tzinfo is None else at.astimezone(UTC)


_KINDS = frozenset(Kind)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
