"""What happened to a voucher, told from its ledger: the facts behind the words its holder reads.

Pure. The ledger says which account the unit moved to and why; here each such move gets one name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.voucher import State, VoucherMove
from terms.ids import OrderId, VoucherId

_OWNED = frozenset({State.HELD, State.CONSUMED, State.RETURNED})
_REDEEMED = "redeemed"  # the ledger's reason: the unit stays where it is, and has an owner now


class Happened(StrEnum):
    """One kind of thing that happens to a voucher, as its holder sees it."""

    ISSUED = "issued"
    REPLACES = "replaces"  # it was given in place of an earlier one
    REDEEMED = "redeemed"
    HELD = "held"
    USED = "used"
    USED_UNREACHED = "used_unreached"  # nobody was reached for the second time (X28)
    USED_LATE_CANCEL = "used_late_cancel"  # its appointment was given up too late (X23)
    USED_NO_SHOW = "used_no_show"  # its appointment was not kept (B07)
    BACK_IN_TIME = "back_in_time"  # its order was over without a talk (A33)
    BACK_CANCELLED = "back_cancelled"
    BACK_UNREACHED = "back_unreached"
    GIVEN_BACK = "given_back"  # a decision somebody answers for
    EXPIRED = "expired"
    VOIDED = "voided"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of the ledger: where the unit came to rest, why, and for which order."""

    account: State
    reason: str
    order: OrderId | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """All that is known of a voucher's past. `held_until` is when the order at hand lets it go."""

    steps: Sequence[Step]
    held_until: datetime | None = None
    replaces: VoucherId | None = None
    replaced_by: VoucherId | None = None

    def last_at(self, account: State) -> datetime | None:
        """When the unit came to this account last."""
        return next((step.at for step in reversed(self.steps) if step.account is account), None)

    @property
    def redeemed_at(self) -> datetime | None:
        """When it came into its holder's account."""
        taken = (
            step.at for step in self.steps if step.reason == _REDEEMED or step.account in _OWNED
        )
        return next(taken, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened, and when."""

    what: Happened
    at: datetime
    order: OrderId | None = None


def happenings(past: Past) -> list[Happening]:
    """The voucher's history, oldest first. Being prepared is the house's own business."""
    return [
        Happening(what=_name(step, past), at=step.at, order=step.order)
        for step in past.steps
        if step.account is not State.PENDING
    ]


_BACK: Mapping[str, Happened] = {
    VoucherMove.RETURN_EXPIRED: Happened.BACK_IN_TIME,
    VoucherMove.RETURN_CANCELLED: Happened.BACK_CANCELLED,
    VoucherMove.RETURN_NO_CONTACT: Happened.BACK_UNREACHED,
    VoucherMove.COUNT_NO_CONTACT: Happened.BACK_UNREACHED,
}
_USED: Mapping[str, Happened] = {
    VoucherMove.COUNT_NO_CONTACT: Happened.USED_UNREACHED,
    VoucherMove.LATE_CANCEL: Happened.USED_LATE_CANCEL,
    VoucherMove.NO_SHOW: Happened.USED_NO_SHOW,
}
_ELSE = {
    State.HELD: Happened.HELD,
    State.EXPIRED: Happened.EXPIRED,
    State.VOIDED: Happened.VOIDED,
    State.REISSUED: Happened.REPLACED,
}


def _name(step: Step, past: Past) -> Happened:
    match step.account:
        case _ if step.reason == _REDEEMED:
            return Happened.REDEEMED
        case State.ISSUED:
            return Happened.ISSUED if past.replaces is None else Happened.REPLACES
        case State.CONSUMED:
            return _USED.get(step.reason, Happened.USED)
        case State.RETURNED:
            return _BACK.get(step.reason, Happened.GIVEN_BACK)
        case _:
            return _ELSE[step.account]
