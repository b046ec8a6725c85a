"""Opening an order: for whoever is entitled to a talk, or for whoever dialled in. Pure."""

from datetime import datetime, timedelta

from billing import talk
from billing.appointments import must_be_bookable
from billing.order import Order, Settlement, State
from billing.policies.waiting import today_in_china
from billing.policy import Policy, VoucherUse
from terms.ids import BookId, CallerId, CounselorId, OrderId, ProgramId, VoucherId
from terms.refusals import RefusalCode, Refused
from terms.values import replace


def open_order(
    *,
    id: OrderId,
    caller: CallerId,
    program: ProgramId,
    program_version: str,
    program_digest: str,
    counselor: CounselorId | None,
    voucher: VoucherId | None,
    granted_seconds: int | None,
    policy: Policy,
    now: datetime,
    quota: BookId | None = None,
    starts_at: datetime | None = None,
) -> Settlement:
    """A new order of `granted_seconds` of talk, with its book opened.

    What pays for it is held beside this, by `voucher.hold` or `quota.hold`. `starts_at` is its
    appointed time, from which its own time counts.

    Raises Refused: voucher_invalid (none is taken, or one is needed), not_entitled (B05), not_now
    for an appointment that cannot be.
    """
    _must_suit(voucher, policy, now)
    free_until = None
    if starts_at is not None:
        must_be_bookable(starts_at, policy.appointments, now)
        free_until = policy.appointments.cancelling.free_until(starts_at)
    order = Order(
        id=id,
        caller=caller,
        program=program,
        program_version=program_version,
        program_digest=program_digest,
        state=State.OPEN,
        opened_at=now,
        expires_at=(starts_at or now) + timedelta(seconds=policy.order_seconds),
        starts_at=starts_at,
        cancel_free_until=free_until,
        counselor=counselor,
        voucher=voucher,
        quota=quota,
        one_at_a_time=policy.one_open_order_per_person,
        granted_seconds=granted_seconds,
        remaining_seconds=granted_seconds,
    )
    head, entry = talk.opening(order)
    return Settlement(order=replace(order, head=head), talk=(entry,), notices=("order.opened",))


def _must_suit(voucher: VoucherId | None, policy: Policy, now: datetime) -> None:
    last_day = policy.cover.offered_until
    if last_day is not None and today_in_china(now) > last_day:
        raise Refused(RefusalCode.NOT_ENTITLED, f"This service was offered until {last_day}.")
    if voucher is None and policy.voucher is VoucherUse.REQUIRED:
        raise Refused(RefusalCode.VOUCHER_INVALID, "This service needs a voucher.")
    if voucher is not None and policy.voucher is VoucherUse.NONE:
        raise Refused(RefusalCode.VOUCHER_INVALID, "This service takes no voucher; keep yours.")


def open_for_one_call(
    *,
    id: OrderId,
    caller: CallerId,
    program: ProgramId,
    program_version: str,
    program_digest: str,
    granted_seconds: int | None,
    policy: Policy,
    now: datetime,
) -> Settlement:
    """An order without entitlement, for whoever dialled in: it is over with its call (D02, X39)."""
    order = Order(
        id=id,
        caller=caller,
        program=program,
        program_version=program_version,
        program_digest=program_digest,
        state=State.OPEN,
        opened_at=now,
        expires_at=now + timedelta(seconds=policy.order_seconds),
        granted_seconds=granted_seconds,
        remaining_seconds=granted_seconds,
    )
    head, entry = talk.opening(order)
    return Settlement(order=replace(order, head=head), talk=(entry,))


def is_for_one_call(order: Order, policy: Policy) -> bool:
    """Whether it was opened by a dial-in alone: nothing pays for it, and nothing is kept of it."""
    if order.voucher is not None or order.quota is not None:
        return False
    return policy.opens_on_dial_in or policy.voucher is VoucherUse.REQUIRED
