"""An order as a row, and back."""

import json
from datetime import datetime
from typing import TYPE_CHECKING

from billing.ledger import Head
from billing.order import ClosedBy, Consequence, Order, ReviewReason, Settled, State
from terms.ids import BookId, CallerId, CallId, CounselorId, OrderId, ProgramId, VoucherId
from terms.verdict import VerdictKind

if TYPE_CHECKING:
    from billing.store.connection import Record

ORDER_COLUMNS = """id, caller, program, program_version, program_digest, voucher, quota,
    one_at_a_time, opened_at, expires_at, starts_at, cancel_free_until, granted_seconds,
    counselor, state, remaining_seconds, talked_seconds, attempts_counted, call, connected_at,
    talk_started_at, resume_until, closed_at, closed_by, closed_reason, settled, head_number,
    head_hash, let_down_at, version"""


def changing(order: Order) -> tuple[object, ...]:
    """The columns that an event may change, in the order of `ORDER_COLUMNS`."""
    return (
        order.counselor,
        order.state,
        order.remaining_seconds,
        order.talked_seconds,
        order.attempts_counted,
        order.call,
        order.connected_at,
        order.talk_started_at,
        order.resume_until,
        order.closed_at,
        order.closed_by,
        order.closed_reason,
        _settled_text(order.settled),
        order.head.number,
        order.head.hash,
        order.let_down_at,
    )


def read_order(row: "Record") -> Order:
    """An order from a row that has `ORDER_COLUMNS`."""
    counselor, voucher, call = row["counselor"], row["voucher"], row["call"]
    quota = row["quota"]
    closed_by, settled = row["closed_by"], row["settled"]
    return Order(
        id=OrderId(row["id"]),
        caller=CallerId(row["caller"]),
        program=ProgramId(row["program"]),
        program_version=row["program_version"],
        program_digest=row["program_digest"],
        state=State(row["state"]),
        opened_at=row["opened_at"],
        expires_at=row["expires_at"],
        starts_at=row["starts_at"],
        cancel_free_until=row["cancel_free_until"],
        counselor=None if counselor is None else CounselorId(counselor),
        voucher=None if voucher is None else VoucherId(voucher),
        quota=None if quota is None else BookId(quota),
        one_at_a_time=row["one_at_a_time"],
        granted_seconds=row["granted_seconds"],
        remaining_seconds=row["remaining_seconds"],
        talked_seconds=row["talked_seconds"],
        attempts_counted=row["attempts_counted"],
        call=None if call is None else CallId(call),
        connected_at=row["connected_at"],
        talk_started_at=row["talk_started_at"],
        resume_until=row["resume_until"],
        let_down_at=row["let_down_at"],
        closed_at=row["closed_at"],
        closed_by=None if closed_by is None else ClosedBy(closed_by),
        closed_reason=row["closed_reason"],
        settled=None if settled is None else _settled(settled),
        head=Head(row["head_number"], row["head_hash"]),
        version=row["version"],
    )


def _settled_text(settled: Settled | None) -> str | None:
    if settled is None:
        return None
    return json.dumps(
        {
            "call": settled.call,
            "ended_at": settled.ended_at.isoformat(),
            "verdict": settled.verdict,
            "consequence": settled.consequence,
            "review": settled.review,
            "connected": settled.connected,
            "talked_seconds": settled.talked_seconds,
            "attempts_counted": settled.attempts_counted,
            "state": settled.state,
            "remaining_before_seconds": settled.remaining_before_seconds,
            "final": settled.final,
        }
    )


def _settled(text: str) -> Settled:
    kept = json.loads(text)
    review = kept["review"]
    return Settled(
        call=CallId(kept["call"]),
        ended_at=datetime.fromisoformat(kept["ended_at"]),
        verdict=VerdictKind(kept["verdict"]),
        consequence=Consequence(kept["consequence"]),
        review=None if review is None else ReviewReason(review),
        connected=kept["connected"],
        talked_seconds=kept["talked_seconds"],
        attempts_counted=kept["attempts_counted"],
        state=State(kept["state"]),
        remaining_before_seconds=kept["remaining_before_seconds"],
        final=kept["final"],
    )
