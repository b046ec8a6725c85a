"""What an outcome changes, room by room, before any of it is written."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from billing.order import Settlement
from billing.store.orders import read_saved, saving_settlement
from billing.store.quotas import check_quota_moved, saving_quota
from billing.store.vouchers import check_moved, saving_voucher
from dialer.call import Call
from dialer.store.calls import Move, Stored, saving_calls
from terms.change import Change
from terms.ids import FollowUpId, TenantId
from warmline.desk.follow_ups import needs_follow_up, opened_line, opening_follow_up
from warmline.desk.slice import CounselorMove, Notice, Outcome, Slice
from warmline.desk.store import Line, Lines, adding_all_lines, adding_notices
from warmline.desk.timeline import lines_of
from warmline.desk.wrap_ups import opening_wrap_up
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.desk.store import Record

ORDER_LEASE = timedelta(seconds=3)
"""How long the deciding process has its orders to itself; then another may take them over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was locked and read, and what came of it. `stored` is None where there is no call."""

    before: Slice
    stored: Stored | None
    outcome: Outcome
    program: Program

    @property
    def call(self) -> Call | None:
        """The call as it is now."""
        return self.outcome.slice.call

    @property
    def moves_order(self) -> bool:
        """Whether the order is to be written."""
        outcome = self.outcome
        reviewed = outcome.review is not None or outcome.review_withdrawn is not None
        return reviewed or outcome.slice.order is not self.before.order


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One decision, ready to be written. `own` are the changes that it does not share with others:
    most decisions have none.
    """

    decision: Decision
    move: Move | None
    lines: tuple[Line, ...]
    notices: tuple[str, ...]
    own: tuple[Change, ...]

    @property
    def told(self) -> Lines:
        """What is new on the timeline."""
        call = self.decision.call
        return self.decision.before.order.id, None if call is None else call.id, self.lines

    def check_own(self, row: "Record") -> None:
        """Raises OrderMoved, VoucherMoved and QuotaMoved: somebody wrote without the locks."""
        outcome = self.decision.outcome
        voucher, quota = outcome.slice.voucher, outcome.slice.quota
        if outcome.payment is not None and voucher is not None:
            check_moved(row, voucher)
        elif outcome.payment is not None and quota is not None:
            check_quota_moved(row, quota)
        if self.decision.moves_order:
            read_saved(row, outcome.slice.order)


def draft(
    tenant: TenantId, decision: Decision, new_id: Callable[[str], str], now: datetime
) -> Draft:
    """Everything that follows from the decision, but counselors and the queue."""
    outcome, call = decision.outcome, decision.call
    earlier = None if decision.stored is None else decision.stored.call
    lines = lines_of(outcome, earlier)
    own = [
        *_worth(tenant, decision),
        *_wrap_up(tenant, decision, now),
    ]
    if call is not None and needs_follow_up(earlier, call):
        # Whoever may have been in danger is called back (X55).
        lines = (*lines, opened_line(now))
        own.append(opening_follow_up(tenant, FollowUpId(new_id("follow_up")), call, now))
    notices = [(new_id("notice"), notice) for notice in outcome.notices]
    if notices:
        own.append(_telling(tenant, outcome.slice, notices, now))
    return Draft(
        decision=decision,
        move=_move(decision),
        lines=lines,
        notices=tuple([id_ for id_, _ in notices]),
        own=tuple(own),
    )


def shared(tenant: TenantId, drafts: Sequence[Draft], now: datetime) -> list[Change]:
    """What nearly every decision changes, of all of them: calls and timelines."""
    changes = []
    if moves := moves_of(drafts):
        changes += saving_calls(tenant, moves, now, now + ORDER_LEASE)
    if added := [one.told for one in drafts if one.lines]:
        changes.append(adding_all_lines(tenant, added, now))
    return changes


def moves_of(drafts: Sequence[Draft]) -> list[Move]:
    """The calls to be written."""
    return [one.move for one in drafts if one.move is not None]


def _move(decision: Decision) -> Move | None:
    """None where the call stays as it was."""
    stored, call, effects = decision.stored, decision.call, decision.outcome.effects
    if call is None or stored is None or (call is stored.call and not effects):
        return None
    return Move(stored, call, effects)


def _worth(tenant: TenantId, decision: Decision) -> Iterator[Change]:
    """The order, what pays for it, and whether somebody has to look at the call."""
    outcome = decision.outcome
    voucher, quota, entry = outcome.slice.voucher, outcome.slice.quota, outcome.payment
    if entry is not None and voucher is not None:
        yield saving_voucher(tenant, voucher, entry)
    elif entry is not None and quota is not None:
        yield saving_quota(tenant, quota, entry)
    if decision.moves_order:
        settlement = Settlement(
            order=outcome.slice.order,
            talk=outcome.talk,
            graded=outcome.graded,
            review=outcome.review,
            review_withdrawn=outcome.review_withdrawn,
        )
        yield from saving_settlement(tenant, settlement)


def _wrap_up(tenant: TenantId, decision: Decision, now: datetime) -> Iterable[Change]:
    """Whoever talked owes notes from now on."""
    call = decision.call
    for counselor, move in decision.outcome.counselors:
        if move is CounselorMove.FREED and call is not None:
            yield opening_wrap_up(
                tenant,
                call=call.id,
                order=call.order,
                counselor=counselor,
                required=decision.program.billing.summary_required,
                now=now,
            )


def _telling(
    tenant: TenantId, after: Slice, notices: Sequence[tuple[str, Notice]], now: datetime
) -> Change:
    """Who is told outside."""
    order, call = after.order, None if after.call is None else after.call.id
    return adding_notices(tenant, notices, caller=order.caller, order=order.id, call=call, now=now)
