"""How a voucher looks to its holder and to staff: its state, its times, and its story in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from billing.history import Happened, Happening, Past, happenings
from billing.voucher import State, Voucher
from terms.phone import PhoneNumber
from warmline.api.deed_views import DeedView
from warmline.api.views import TextView
from warmline.audit import Audited
from warmline.http.model import Instant, Model


class VoucherView(Model):
    """A voucher of one's own."""

    id: str
    program: str
    state: State
    code_ending: str
    """The last four characters, to recognise it by."""

    valid_until: Instant
    """The first moment at which it is no longer good."""

    changed_at: Instant
    issued_at: Instant | None
    redeemed_at: Instant | None
    order: str | None
    """The order that holds it, or that used it."""

    held_until: Instant | None
    """While an order holds it: when it comes back unless it is used."""

    used_at: Instant | None
    returned_at: Instant | None
    """When it last came back."""

    expired_at: Instant | None
    voided_at: Instant | None
    replaced_by: str | None
    """The voucher that was given in its place."""

    @classmethod
    def of(cls, voucher: Voucher, past: Past) -> "VoucherView":
        """A voucher as its holder sees it."""
        return cls(**_seen(voucher, past))


class HappeningView(Model):
    """One thing that happened to a voucher."""

    at: Instant
    what: Happened
    text: TextView
    order: str | None

    @classmethod
    def of(cls, happening: Happening) -> "HappeningView":
        """In the words of whoever holds it."""
        return cls(
            at=happening.at,
            what=happening.what,
            text=WORDS[happening.what],
            order=happening.order,
        )


class VoucherStoryView(VoucherView):
    """A voucher of one's own with all that happened to it, oldest first."""

    history: list[HappeningView]

    @classmethod
    def of(cls, voucher: Voucher, past: Past) -> "VoucherStoryView":
        """The whole story."""
        return cls(**_seen(voucher, past), history=_history(past))


class StaffVoucherView(VoucherView):
    """A voucher as staff see it. Its code is nowhere."""

    holder: str | None
    """The account that owns it."""

    phone: str | None
    """The holder's number, masked."""

    replaces: str | None

    @classmethod
    def seen(cls, voucher: Voucher, past: Past, number: PhoneNumber | None) -> "StaffVoucherView":
        """A voucher of a list."""
        return cls(**_seen(voucher, past), **_whose(voucher, number))


class StaffVoucherStoryView(StaffVoucherView):
    """A voucher with its history, and with what staff did about it."""

    history: list[HappeningView]
    deeds: list[DeedView]

    @classmethod
    def told(
        cls,
        voucher: Voucher,
        past: Past,
        number: PhoneNumber | None,
        deeds: Sequence[Audited],
    ) -> "StaffVoucherStoryView":
        """Everything that is known of one voucher."""
        return cls(
            **_seen(voucher, past),
            **_whose(voucher, number),
            history=_history(past),
            deeds=[DeedView.of(one) for one in deeds],
        )


def _seen(voucher: Voucher, past: Past) -> dict[str, Any]:
    return {
        "id": voucher.id,
        "program": voucher.program,
        "state": voucher.state,
        "code_ending": voucher.code_ending,
        "valid_until": voucher.valid_until,
        "changed_at": voucher.changed_at,
        "issued_at": past.last_at(State.ISSUED),
        "redeemed_at": past.redeemed_at,
        "order": voucher.order,
        "held_until": past.held_until if voucher.state is State.HELD else None,
        "used_at": past.last_at(State.CONSUMED),
        "returned_at": past.last_at(State.RETURNED),
        "expired_at": past.last_at(State.EXPIRED),
        "voided_at": past.last_at(State.VOIDED),
        "replaced_by": past.replaced_by,
    }


def _whose(voucher: Voucher, number: PhoneNumber | None) -> dict[str, Any]:
    return {
        "holder": voucher.holder,
        "phone": None if number is None else str(number),
        "replaces": voucher.replaces,
    }


def _history(past: Past) -> list[HappeningView]:
    return [HappeningView.of(one) for one in happenings(past)]


WORDS: Mapping[Happened, TextView] = {
    Happened.ISSUED: TextView(
        zh="兑换券已发放，凭兑换码可以使用。",
        en="The voucher was issued; whoever has its code can use it.",
    ),
    Happened.REPLACES: TextView(
        zh="补发的兑换券，代替原来的那一张；有效期不变。",
        en="Issued in place of an earlier voucher, with the same last day.",
    ),
    Happened.REDEEMED: TextView(
        zh="已兑换到您的账户，今后只有您能使用。",
        en="Redeemed into your account; from now on it is yours alone.",
    ),
    Happened.HELD: TextView(
        zh="已用于预约一次通话；通话接通之前不会核销。",
        en="An order was opened with it; it is not used up before you are connected.",
    ),
    Happened.USED: TextView(
        zh="通话已接通，兑换券已使用。",
        en="You were connected, and the voucher was used.",
    ),
    Happened.USED_UNREACHED: TextView(
        zh="我们第二次没能联系上您，兑换券视为已使用。",
        en="We could not reach you for the second time, so the voucher counts as used.",
    ),
    Happened.USED_LATE_CANCEL: TextView(
        zh="预约取消过晚，已超过免费取消时间，兑换券视为已使用。",
        en="The appointment was given up after the time for free cancelling, so the voucher counts "
        "as used.",
    ),
    Happened.USED_NO_SHOW: TextView(
        zh="您未能如约通话，兑换券视为已使用。",
        en="The appointment was not kept, so the voucher counts as used.",
    ),
    Happened.BACK_IN_TIME: TextView(
        zh="预约的通话未在有效时间内接通，兑换券已退回您的账户；有效期不变。",
        en="The call was not connected in time; the voucher is back in your account, with the "
        "same last day.",
    ),
    Happened.BACK_CANCELLED: TextView(
        zh="预约已取消，兑换券已退回您的账户；有效期不变。",
        en="The order was cancelled; the voucher is back in your account, with the same last day.",
    ),
    Happened.BACK_UNREACHED: TextView(
        zh="多次未能联系上您，兑换券已退回您的账户；有效期不变。",
        en="You could not be reached; the voucher is back in your account, with the same last day.",
    ),
    Happened.GIVEN_BACK: TextView(
        zh="经核实，兑换券已恢复，可以再次使用。",
        en="After a check the voucher was given back and can be used again.",
    ),
    Happened.EXPIRED: TextView(
        zh="已过有效期，无法再使用。",
        en="Its time is over; it can no longer be used.",
    ),
    Happened.VOIDED: TextView(
        zh="兑换券已作废，无法再使用。",
        en="The voucher was cancelled and can no longer be used.",
    ),
    Happened.REPLACED: TextView(
        zh="已补发新的兑换券，这一张不能再使用。",
        en="A new voucher was issued in its place; this one can no longer be used.",
    ),
}
"""What a holder reads. Chinese first."""
