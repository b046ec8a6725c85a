"""Who outside is told of what was decided: pushes to the customer-service system, SMS. Pure."""

from collections.abc import Iterable, Sequence

from billing.order import LIVE, Order, Settlement
from billing.voucher import State as VoucherState
from billing.voucher import Voucher, VoucherMove
from dialer.orders import Fact, FactKind
from warmline.desk.slice import Notice, NoticeKind
from warmline.programs import Program

# Asked at every event, and a member asked of its enumeration is slow to answer.
_CRISIS, _FAILED = FactKind.CRISIS_RAISED, FactKind.ATTEMPT_FAILED

_SMS_ABOUT = {
    "order.cancelled": "order_cancelled",  # C26: the customer learns it too
    "order.expired": "order_expired",  # A32, A33
    "order.interrupted": "order_interrupted",  # how much is left, and until when
}
_WE_WILL_CALL_AGAIN = "we_will_call_again"
SUMMARY_READY = "summary_ready"
_VOUCHER_RAN_OUT = "voucher_ran_out"
_COUNTED = {
    VoucherMove.LATE_CANCEL: "appointment_cancelled_late",  # B08, X23
    VoucherMove.NO_SHOW: "appointment_missed",  # B07
}

SMS_TEMPLATES = frozenset(
    {*_SMS_ABOUT.values(), *_COUNTED.values(), _WE_WILL_CALL_AGAIN, SUMMARY_READY, _VOUCHER_RAN_OUT}
)
"""Every SMS the desk may decide on; each needs a text in every language."""


def call_notices(order: Order, facts: Sequence[Fact], program: Program) -> tuple[Notice, ...]:
    """What a call's facts are told as."""
    notices: list[Notice] = []
    for fact in facts:
        if fact.kind is _CRISIS:
            data = {"order": order.id, "program": order.program}
            notices.append(Notice(kind=NoticeKind.STATUS, template="crisis.raised", data=data))
        elif (
            fact.kind is _FAILED
            and fact.detail["counts"]
            and fact.detail["counted"] == program.dialer.attempts - 1
        ):
            # One try is left: say so first, and from which number (X27).
            data = {"shows": program.dialer.shows, "program": order.program}
            again = Notice(kind=NoticeKind.SMS, template=_WE_WILL_CALL_AGAIN, data=data)
            notices.append(again)
    return tuple(notices)


def order_facts(order: Order) -> dict[str, str | int | None]:
    """What a push and a line of the timeline tell of an order. `until` is when it ends by itself:
    None once it is at rest.
    """
    until = (order.resume_until or order.expires_at) if order.state in LIVE else None
    appointed = {} if order.starts_at is None else {"starts_at": order.starts_at.isoformat()}
    return {
        "order": order.id,
        "program": order.program,
        "state": order.state,
        "remaining_seconds": order.remaining_seconds,
        "until": None if until is None else until.isoformat(),
        "reason": order.closed_reason,
        **appointed,
    }


def order_notices(settlement: Settlement, voucher: Voucher | None = None) -> Iterable[Notice]:
    """What became of an order, pushed and written to its caller."""
    if not settlement.notices:
        return
    data = order_facts(settlement.order)
    for template in settlement.notices:
        yield Notice(kind=NoticeKind.STATUS, template=template, data=data)
        if template in _SMS_ABOUT:
            sms = _sms_about(template, settlement.voucher_move, voucher)
            yield Notice(kind=NoticeKind.SMS, template=sms, data=data)


def _sms_about(template: str, move: VoucherMove, voucher: Voucher | None) -> str:
    """Nobody is told that something is back which is not (X13)."""
    if voucher is not None and voucher.state is VoucherState.EXPIRED:
        return _VOUCHER_RAN_OUT
    return _COUNTED.get(move, _SMS_ABOUT[template])
