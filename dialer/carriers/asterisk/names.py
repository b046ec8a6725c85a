"""Our names for legs and calls, as Asterisk's ids for channels and bridges, and back.

A leg we ring carries its own name, so that its events need no looking up, by any process. A phone
that dials in has Asterisk's id; the leg is named after it.
"""

from terms.ids import CallId, LegId

_BRIDGE = "warmline~"
_DIALLED_IN = "in-"


def channel_of(leg: LegId) -> str:
    """The channel's id: no character in it means anything in a URL."""
    if is_dialled_in(leg):
        return leg.removeprefix(_DIALLED_IN)
    return leg.replace("/", "~")


def rung_leg(channel: str) -> LegId | None:
    """The leg that a channel of this id is, if we rang it."""
    return LegId(channel.replace("~", "/")) if channel.count("~") == 2 else None


def dialled_in_leg(channel: str) -> LegId:
    """The leg that a phone which dialled in has."""
    return LegId(_DIALLED_IN + channel)


def is_dialled_in(leg: LegId) -> bool:
    """Whether the leg came to us."""
    return leg.startswith(_DIALLED_IN) and "/" not in leg


def bridge_of(call: CallId) -> str:
    """The id of the call's bridge."""
    return _BRIDGE + call


def is_our_bridge(bridge: str) -> bool:
    """Whether a bridge of this id is a call's."""
    return bridge.startswith(_BRIDGE)
