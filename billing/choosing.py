"""Whom an order's caller is to talk to: chosen, and let go again. Pure."""

from billing.order import LIVE, Order, State
from billing.policy import Policy
from terms.ids import CounselorId
from terms.refusals import RefusalCode, Refused
from terms.values import replace


def match(order: Order, counselor: CounselorId, policy: Policy) -> Order:
    """The order with `counselor` chosen for it, by the caller or a steward (A09, C06).

    Raises Refused(order_not_open) when it is at rest, its counselor is locked to another (A37,
    X04), or the two are talking.
    """
    if order.counselor == counselor:
        return order
    if order.state not in LIVE or order.talk_started_at is not None:
        raise Refused(RefusalCode.ORDER_NOT_OPEN, "The counselor can no longer be chosen.")
    if order.counselor is not None and policy.counselor_locked:
        raise Refused(RefusalCode.ORDER_NOT_OPEN, "This order keeps the counselor it was made for.")
    return replace(order, counselor=counselor)


def release(order: Order) -> Order:
    """The order without its counselor, so that another may be chosen before its time (X04).

    Raises Refused: call_in_progress while a call works, order_not_open when it is at rest.
    """
    match order.state:
        case State.OPEN | State.INTERRUPTED:
            return replace(order, counselor=None)
        case State.IN_CALL:
            raise Refused(RefusalCode.CALL_IN_PROGRESS, "End the call first.")
        case State.COMPLETED | State.CANCELLED | State.EXPIRED | State.CLOSED:
            raise Refused(RefusalCode.ORDER_NOT_OPEN, f"This order is {order.state}.")
