"""How reports and orders look as JSON between us and the handsets process. Strict both ways.

A report: `{"id": "...", "news": {"kind": "answered", "leg": "...", "at": "2030-01-01T12:00:00Z"}}`.
An order: `{"order": "ring", "leg": "...", "to": "+86...", "shows": "95...", "ring_seconds": 30}`.
A field missing, too many or of another type raises `WireFault`; nothing is guessed.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from dialer.carriers import (
    CallIn,
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    LiveLeg,
    MediaHeard,
    MediaLost,
    News,
    ReleaseSide,
    Report,
)
from dialer.carriers.simulated.handset import HandsetView
from dialer.carriers.simulated.orders import (
    Answer,
    Bridge,
    HangUp,
    Limit,
    Order,
    Part,
    Ring,
    Say,
)
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber

JsonObject = dict[str, object]

WIRE_VERSION = 2
"""Raised when anything here changes: a handsets process of another version is replaced."""

ASKED_BY = "Warmline-Asked-By"
"""The header that names who gives orders: by where its news is pushed to."""


class WireFault(ValueError):
    """What came in is not what was agreed. The text names the field, never its value."""


def write_report(report: Report) -> JsonObject:
    """A report as a JSON object."""
    return {"id": report.id, "news": _write_news(report.news)}


def read_report(found: object) -> Report:
    """The report in a JSON object; raises `WireFault`."""
    fields = _Fields(found)
    id = fields.text("id")
    news = _Fields(fields.take("news"))
    fields.done()
    return Report(id=id, news=_read_news(news))


def write_order(order: Order) -> JsonObject:
    """An order as a JSON object."""
    match order:
        case Ring():
            return {
                "order": "ring",
                "leg": order.leg,
                "to": order.to.digits,
                "shows": order.shows,
                "ring_seconds": order.ring_seconds,
            }
        case Answer():
            return {"order": "answer", "leg": order.leg}
        case Bridge():
            return {
                "order": "bridge",
                "call": order.call,
                "legs": list(order.legs),
                "limit_seconds": order.limit_seconds,
            }
        case Part():
            return {"order": "part", "leg": order.leg}
        case Say():
            return {
                "order": "say",
                "leg": order.leg,
                "prompt": order.prompt,
                "language": order.language,
            }
        case Limit():
            return {"order": "limit", "leg": order.leg, "limit_seconds": order.limit_seconds}
        case HangUp():
            return {"order": "hang_up", "leg": order.leg}


def read_order(found: object) -> Order:
    """The order in a JSON object; raises `WireFault`."""
    fields = _Fields(found)
    order = _read_order(fields, fields.text("order"))
    fields.done()
    return order


def write_live_leg(leg: LiveLeg) -> JsonObject:
    """A standing leg as a JSON object."""
    return {"leg": leg.leg, "answered": leg.answered, "bridged": leg.bridged}


def read_live_leg(found: object) -> LiveLeg:
    """The standing leg in a JSON object; raises `WireFault`."""
    fields = _Fields(found)
    leg = LiveLeg(
        leg=LegId(fields.text("leg")),
        answered=fields.truth("answered"),
        bridged=fields.truth("bridged"),
    )
    fields.done()
    return leg


def write_view(view: HandsetView) -> JsonObject:
    """A phone as a JSON object."""
    return {name: getattr(view, name) for name in HandsetView.__slots__}


def read_view(found: object) -> HandsetView:
    """The phone in a JSON object; raises `WireFault`."""
    fields = _Fields(found)
    view = HandsetView(
        number=fields.text("number"),
        state=fields.text("state"),
        call=fields.text_or_none("call"),
        leg=fields.text_or_none("leg"),
        shows=fields.text_or_none("shows"),
        heard=tuple(_text(prompt, "heard") for prompt in fields.list("heard")),
        hears=tuple(_text(number, "hears") for number in fields.list("hears")),
        plugged_in=fields.truth("plugged_in"),
    )
    fields.done()
    return view


def read_list(found: object, name: str) -> Sequence[object]:
    """The one list that a JSON object `{name: [...]}` holds; raises `WireFault`."""
    fields = _Fields(found)
    items = fields.list(name)
    fields.done()
    return items


def _write_news(news: News | CallIn) -> JsonObject:
    common: JsonObject = {"kind": _KINDS[type(news)], "leg": news.leg, "at": news.at.isoformat()}
    match news:
        case LegRinging() | LegAnswered() | LegBridged() | MediaHeard():
            return common
        case KeyPressed():
            return {**common, "digit": news.digit}
        case MediaLost():
            return {**common, "since": news.since.isoformat()}
        case LegEnded():
            causes = {"q850": news.q850, "sip": news.sip, "code": news.code}
            return {**common, "by": news.by.value, **causes}
        case CallIn():
            caller = None if news.caller is None else news.caller.digits
            return {**common, "caller": caller, "dialled": news.dialled}


def _read_news(fields: "_Fields") -> News | CallIn:
    kind, leg, at = fields.text("kind"), LegId(fields.text("leg")), fields.time("at")
    news: News | CallIn
    match kind:
        case "ringing":
            news = LegRinging(leg=leg, at=at)
        case "answered":
            news = LegAnswered(leg=leg, at=at)
        case "bridged":
            news = LegBridged(leg=leg, at=at)
        case "key_pressed":
            news = KeyPressed(leg=leg, at=at, digit=fields.text("digit"))
        case "media_lost":
            news = MediaLost(leg=leg, at=at, since=fields.time("since"))
        case "media_heard":
            news = MediaHeard(leg=leg, at=at)
        case "ended":
            news = _read_ended(fields, leg, at)
        case "call_in":
            caller = fields.phone_or_none("caller")
            news = CallIn(leg=leg, at=at, caller=caller, dialled=fields.text("dialled"))
        case _:
            raise WireFault("kind is unknown")
    fields.done()
    return news


def _read_ended(fields: "_Fields", leg: LegId, at: datetime) -> LegEnded:
    by = fields.text("by")
    if by not in _RELEASE_SIDES:
        raise WireFault("by is unknown")
    return LegEnded(
        leg=leg,
        at=at,
        by=ReleaseSide(by),
        q850=fields.number_or_none("q850"),
        sip=fields.number_or_none("sip"),
        code=fields.text_or_none("code"),
    )


def _read_order(fields: "_Fields", kind: str) -> Order:
    if kind == "bridge":
        return Bridge(
            call=CallId(fields.text("call")),
            legs=tuple(LegId(_text(leg, "legs")) for leg in fields.list("legs")),
            limit_seconds=fields.number("limit_seconds"),
        )
    leg = LegId(fields.text("leg"))
    match kind:
        case "ring":
            shows, ring_seconds = fields.text("shows"), fields.number("ring_seconds")
            return Ring(leg=leg, to=fields.phone("to"), shows=shows, ring_seconds=ring_seconds)
        case "answer":
            return Answer(leg=leg)
        case "part":
            return Part(leg=leg)
        case "say":
            return Say(leg=leg, prompt=fields.text("prompt"), language=fields.text("language"))
        case "limit":
            return Limit(leg=leg, limit_seconds=fields.number("limit_seconds"))
        case "hang_up":
            return HangUp(leg=leg)
        case _:
            raise WireFault("order is unknown")


_KINDS: Mapping[type[News | CallIn], str] = {
    LegRinging: "ringing",
    LegAnswered: "answered",
    LegBridged: "bridged",
    KeyPressed: "key_pressed",
    MediaLost: "media_lost",
    MediaHeard: "media_heard",
    LegEnded: "ended",
    CallIn: "call_in",
}
_RELEASE_SIDES = frozenset(ReleaseSide)


class _Fields:
    """The fields of a JSON object, each taken once; `done` refuses what is left over."""

    __slots__ = ("_left",)

    def __init__(self, found: object) -> None:
        if not isinstance(found, dict):
            raise WireFault("not an object")
        self._left: JsonObject = dict(found)

    def take(self, name: str) -> object:
        try:
            return self._left.pop(name)
        except KeyError as missing:
            raise WireFault(f"{name} is missing") from missing

    def text(self, name: str) -> str:
        return _text(self.take(name), name)

    def text_or_none(self, name: str) -> str | None:
        value = self.take(name)
        return None if value is None else _text(value, name)

    def number(self, name: str) -> int:
        return _number(self.take(name), name)

    def number_or_none(self, name: str) -> int | None:
        value = self.take(name)
        return None if value is None else _number(value, name)

    def truth(self, name: str) -> bool:
        value = self.take(name)
        if not isinstance(value, bool):
            raise WireFault(f"{name} is not true or false")
        return value

    def list(self, name: str) -> list[object]:
        value = self.take(name)
        if not isinstance(value, list):
            raise WireFault(f"{name} is not a list")
        return value

    def time(self, name: str) -> datetime:
        try:
            time = datetime.fromisoformat(self.text(name))
        except ValueError as bad:
            raise WireFault(f"{name} is not a time") from bad
        if time.tzinfo is None:
            raise WireFault(f"{name} has no time zone")
        return time.astimezone(UTC)

    def phone(self, name: str) -> PhoneNumber:
        return _phone(self.text(name), name)

    def phone_or_none(self, name: str) -> PhoneNumber | None:
        digits = self.text_or_none(name)
        return None if digits is None else _phone(digits, name)

    def done(self) -> None:
        for name in self._left:
            raise WireFault(f"{name} is not expected")


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or len(value) > 256:
        raise WireFault(f"{name} is not a short text")
    return value


def _number(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        raise WireFault(f"{name} is not a whole number")
    return value


def _phone(digits: str, name: str) -> PhoneNumber:
    try:
        return PhoneNumber(digits)
    except ValueError as bad:
        raise WireFault(f"{name} is not a phone number") from bad
