"""Our names as Twilio's: tokens in addresses, labels and rooms in conferences, and back.

A token is the leg's name and a secret of one ring: whatever comes with it needs no looking up, and
a second call that was made for one leg cannot pass for the first.
"""

from urllib.parse import quote

from terms.ids import CallId, LegId

BASE = "/carrier/twilio"
INBOUND = f"{BASE}/inbound"
CALLS = f"{BASE}/calls"
VOICE = f"{BASE}/voice"
ANNOUNCE = f"{BASE}/announce"
CONFERENCES = f"{BASE}/conferences"
NUMBER = f"{BASE}/number"

EVENT_RETRIES = "#rc=3&rp=ct,rt,5xx"
"""What Twilio does about a callback that fails; the fragment is not part of the signature."""

DOCUMENT_RETRIES = "#ct=2000&rt=5000&rc=2&rp=ct,rt,5xx"
"""The same for documents: three tries within the 15 s that Twilio gives a call."""

_DIALLED_IN = "in-"
_ROOM = "call-"


def label_of(leg: LegId) -> str:
    """The leg's name where a slash would mean something."""
    return leg.replace("/", "~")


def leg_of_label(label: str) -> LegId | None:
    """The leg that has this label; None if no leg of ours could have it."""
    leg = LegId(label.replace("~", "/"))
    return leg if is_dialled_in(leg) or leg.count("/") == 2 else None


def token_of(leg: LegId, secret: str) -> str:
    """What stands in the addresses of one ring of this leg."""
    return f"{label_of(leg)}.{secret}"


def leg_of_token(token: str) -> LegId | None:
    """The leg whose token it may be; whether it is, the line knows."""
    return leg_of_label(token.rpartition(".")[0])


def dialled_in_leg(sid: str) -> LegId:
    """The leg that a phone which dialled in has."""
    return LegId(_DIALLED_IN + sid)


def is_dialled_in(leg: LegId) -> bool:
    """Whether the leg came to us."""
    return leg.startswith(_DIALLED_IN) and "/" not in leg


def call_of_leg(leg: LegId | None) -> CallId | None:
    """The call that a leg of ours belongs to; which one a phone dialled into, others know."""
    return CallId(leg.partition("/")[0]) if leg is not None and "/" in leg else None


def room_of(call: CallId) -> str:
    """The name of the call's conference. It holds nothing about a person."""
    return _ROOM + call


def calls_path(token: str) -> str:
    """Where Twilio tells how a call we made goes on."""
    return f"{CALLS}/{quote(token, safe='~')}"


def voice_path(token: str, strand: int, step: int) -> str:
    """Where Twilio asks what a leg shall do next."""
    return f"{VOICE}/{quote(token, safe='~')}/{strand}/{step}"


def announce_path(language: str, prompt: str) -> str:
    """Where Twilio asks for the words of a prompt."""
    return f"{ANNOUNCE}/{quote(language, safe='')}/{quote(prompt, safe='')}"


def number_path(token: str) -> str:
    """Where Twilio asks for a number that one leg alone is told."""
    return f"{NUMBER}/{quote(token, safe='~')}"
