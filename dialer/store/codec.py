"""Calls, news and orders as JSON: exact both ways, and free of phone numbers.

Only what differs from a field's default is written, which keeps rows small and lets a field be
added without touching old rows.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dialer.call import Call, EndReason, Purpose, State, Transfer
from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaHeard,
    MediaLost,
    News,
    ReleaseSide,
)
from dialer.events import Timer, TimerKind
from dialer.leg import Leg, LetGoReason, Release
from dialer.orders import Answer, Bridge, CarrierOrder, HangUp, Limit, Part, Ring, Say
from terms.ids import CallId, CounselorId, LegId, OrderId, TargetId
from terms.verdict import Confidence, EndedBy, Role, Verdict, VerdictKind

Json = dict[str, Any]

_NEWS: Mapping[str, type[News]] = {
    "ringing": LegRinging,
    "answered": LegAnswered,
    "key_pressed": KeyPressed,
    "bridged": LegBridged,
    "media_lost": MediaLost,
    "media_heard": MediaHeard,
    "ended": LegEnded,
}
_NEWS_NAMES = {kind: name for name, kind in _NEWS.items()}
_ORDERS: Mapping[str, type[CarrierOrder]] = {
    "ring": Ring,
    "answer": Answer,
    "bridge": Bridge,
    "part": Part,
    "say": Say,
    "limit": Limit,
    "hang_up": HangUp,
}
_ORDER_NAMES = {kind: name for name, kind in _ORDERS.items()}


def write_call(call: Call) -> str:
    """The call without what columns of its row hold already."""
    kept: Json = {
        "ring_first": call.ring_first,
        "pooled": call.pooled,
        "granted_seconds": call.granted_seconds,
        "legs": [write_leg(leg) for leg in call.legs],
        "timers": [[timer.kind, _time(timer.due_at)] for timer in call.timers],
    }
    for name in _PLAIN:
        value = getattr(call, name)
        if value:
            kept[name] = value
    for name in _TIMES:
        value = getattr(call, name)
        if value is not None:
            kept[name] = _time(value)
    if call.counselor_mark is not None:
        kept["counselor_mark"] = call.counselor_mark
    if call.transfer is not None:
        kept["transfer"] = [list(call.transfer.targets), call.transfer.joined]
    if call.verdict is not None:
        verdict = call.verdict
        kept["verdict"] = [verdict.kind, verdict.by, verdict.confidence, list(verdict.reasons)]
    return json.dumps(kept, separators=(",", ":"))


_PLAIN = (
    "attempt",
    "counted",
    "counted_before",
    "faults",
    "counselor_misses",
    "counselor_waits",
    "lost",
    "crisis",
    "extended_seconds",
    "handed_over",
    "end_reason",
    "verdict_is_final",
)
_TIMES = ("not_before", "connected_at", "called_back_at")
_WORDS: Mapping[str, Callable[[str], object]] = {"lost": Role, "end_reason": EndReason}


def read_call(
    *,
    id: str,
    order: str,
    purpose: str,
    state: str,
    counselor: str | None,
    started_at: datetime,
    ended_at: datetime | None,
    record: str,
) -> Call:
    """The call as it was written."""
    kept: Json = json.loads(record)
    return Call(
        id=CallId(id),
        order=OrderId(order),
        purpose=Purpose(purpose),
        state=State(state),
        counselor=None if counselor is None else CounselorId(counselor),
        started_at=started_at,
        ended_at=ended_at,
        ring_first=Role(kept["ring_first"]),
        pooled=kept["pooled"],
        granted_seconds=kept["granted_seconds"],
        legs=tuple(read_leg(leg) for leg in kept["legs"]),
        timers=tuple(
            Timer(TimerKind(kind), datetime.fromisoformat(due_at))
            for kind, due_at in kept["timers"]
        ),
        counselor_mark=kept.get("counselor_mark"),
        **_read_rest(kept),
    )


def _read_rest(kept: Json) -> Json:
    """The fields that are left out as long as they have their defaults."""
    rest: Json = {name: kept[name] for name in _PLAIN if name in kept}
    rest |= {name: word(rest[name]) for name, word in _WORDS.items() if name in rest}
    rest |= {name: datetime.fromisoformat(kept[name]) for name in _TIMES if name in kept}
    if "transfer" in kept:
        targets, joined = kept["transfer"]
        rest["transfer"] = Transfer(targets=tuple(TargetId(one) for one in targets), joined=joined)
    if "verdict" in kept:
        kind, by, confidence, reasons = kept["verdict"]
        rest["verdict"] = Verdict(
            kind=VerdictKind(kind),
            by=EndedBy(by),
            confidence=Confidence(confidence),
            reasons=tuple(reasons),
        )
    return rest


_LEG_TIMES = (
    "ringing_at",
    "answered_at",
    "accepted_at",
    "bridged_at",
    "silent_since",
    "heard_at",
    "let_go_at",
)


def write_leg(leg: Leg) -> Json:
    kept: Json = {"id": leg.id, "role": leg.role, "rung_at": _time(leg.rung_at)}
    for name in _LEG_TIMES:
        value = getattr(leg, name)
        if value is not None:
            kept[name] = _time(value)
    if leg.party is not None:
        kept["party"] = leg.party
    if leg.let_go_why is not None:
        kept["let_go_why"] = leg.let_go_why
    if leg.release is not None:
        one = leg.release
        kept["release"] = [_time(one.at), one.by, one.q850, one.sip, one.code]
    return kept


def read_leg(kept: Json) -> Leg:
    times = {name: datetime.fromisoformat(kept[name]) for name in _LEG_TIMES if name in kept}
    let_go_why = kept.get("let_go_why")
    return Leg(
        id=LegId(kept["id"]),
        role=Role(kept["role"]),
        rung_at=datetime.fromisoformat(kept["rung_at"]),
        party=kept.get("party"),
        let_go_why=None if let_go_why is None else LetGoReason(let_go_why),
        release=_read_release(kept["release"]) if "release" in kept else None,
        **times,
    )


def _read_release(kept: list[Any]) -> Release:
    at, by, q850, sip, code = kept
    return Release(at=datetime.fromisoformat(at), by=ReleaseSide(by), q850=q850, sip=sip, code=code)


def write_news(news: News) -> str:
    """One piece of news; it names a leg and holds no number."""
    kept: Json = {"kind": _NEWS_NAMES[type(news)], "leg": news.leg, "at": _time(news.at)}
    match news:
        case KeyPressed(digit=digit):
            kept["digit"] = digit
        case MediaLost(since=since):
            kept["since"] = _time(since)
        case LegEnded():
            kept |= {"by": news.by, "q850": news.q850, "sip": news.sip, "code": news.code}
        case LegRinging() | LegAnswered() | LegBridged() | MediaHeard():
            pass
    return json.dumps(kept)


def read_news(body: str) -> News:
    """The news as it was written."""
    kept: Json = json.loads(body)
    kind = _NEWS[kept.pop("kind")]
    for name in ("at", "since"):
        if name in kept:
            kept[name] = datetime.fromisoformat(kept[name])
    if "by" in kept:
        kept["by"] = ReleaseSide(kept["by"])
    return kind(**kept)


def write_order(order: CarrierOrder) -> str:
    """One order to the carrier."""
    kept = {name: getattr(order, name) for name in order.__slots__}
    return json.dumps({"order": _ORDER_NAMES[type(order)], **kept})


def read_order(body: str) -> CarrierOrder:
    """The order as it was written."""
    kept: Json = json.loads(body)
    kind = _ORDERS[kept.pop("order")]
    if "legs" in kept:
        kept["legs"] = tuple(kept["legs"])
    if "role" in kept:
        kept["role"] = Role(kept["role"])
    return kind(**kept)


def _time(instant: datetime) -> str:
    return instant.isoformat()
