"""What a program says about worth: how long an order lives, and what a call does to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from billing.appointments import Appointments, parse_appointments
from billing.policies.cover import Cover, Entitlement, parse_cover
from terms.section import Section

A_DAY_SECONDS = 86_400
HIGHEST_SCORE = 5
"""A rating's scores go from 1 to this."""

Word = TypeVar("Word", bound=StrEnum)


class VoucherUse(StrEnum):
    """Whether an order of this program is paid with a voucher."""

    REQUIRED = "required"
    NONE = "none"


class ConsumesOn(StrEnum):
    """The event that uses a voucher up (X56). A phone program knows only the two-party connect."""

    CONNECT = "connect"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The `[billing]` section of a program. All times in seconds."""

    order_seconds: int = A_DAY_SECONDS  # an order that never connects ends after this (A32, X03)
    resume_seconds: int = A_DAY_SECONDS  # after a drop the rest may be used for this long (X07)
    resume_min_seconds: int = 300  # the least that is left after a drop (X07)
    claim_seconds: int = A_DAY_SECONDS  # a claim may be filed this long after the end (A28, X16)
    claim_decide_seconds: int = A_DAY_SECONDS  # a claim, and an appeal, is due after this (B19)
    claim_escalate_seconds: int = 14_400  # supervisors are told this long before it is due
    appeal_seconds: int = 7 * A_DAY_SECONDS  # a rejection may be appealed for this long (B65)
    low_rating: int = 2  # a score of this or less is looked at (B21); 0: never
    rating_change_seconds: int = A_DAY_SECONDS  # a rating may be changed for this long
    short_call_seconds: int = 60  # talk below this is looked at (A35, X09); 0: never
    consumes_on: ConsumesOn = ConsumesOn.CONNECT
    voucher: VoucherUse = VoucherUse.REQUIRED
    opens_on_dial_in: bool = False  # a hotline: whoever dials has an order for that call (D02)
    counselor_locked: bool = True  # an order keeps the counselor it was opened with (A37, X04)
    one_open_order_per_person: bool = False  # a second order waits for the first to end (X34)
    early_hang_up_review: bool = True  # a counselor who ends before the cap is looked at (X11)
    no_contact_consumes: bool = False  # the second cancel for no contact counts as used (X28)
    summary_required: bool = False  # the call leaves a wrap-up task until a summary is sent (C08)
    appointments: Appointments = field(default_factory=Appointments)
    cover: Cover = field(default_factory=Cover)  # what insurance policies have to do with it


def parse(table: Mapping[str, object]) -> Policy:
    """Read a `[billing]` table.

    Raises ProgramInvalid with every fault found.
    """
    section = Section("billing", table)
    policy = Policy(
        order_seconds=section.whole("order_seconds", least=1, default=A_DAY_SECONDS),
        resume_seconds=section.whole("resume_seconds", default=A_DAY_SECONDS),
        resume_min_seconds=section.whole("resume_min_seconds", default=300),
        claim_seconds=section.whole("claim_seconds", default=A_DAY_SECONDS),
        claim_decide_seconds=section.whole("claim_decide_seconds", least=1, default=A_DAY_SECONDS),
        claim_escalate_seconds=section.whole("claim_escalate_seconds", default=14_400),
        appeal_seconds=section.whole("appeal_seconds", default=7 * A_DAY_SECONDS),
        low_rating=section.whole("low_rating", most=HIGHEST_SCORE, default=2),
        rating_change_seconds=section.whole("rating_change_seconds", default=A_DAY_SECONDS),
        short_call_seconds=section.whole("short_call_seconds", default=60),
        consumes_on=_one_of(ConsumesOn, section, "consumes_on", ConsumesOn.CONNECT),
        voucher=_one_of(VoucherUse, section, "voucher", VoucherUse.REQUIRED),
        opens_on_dial_in=section.flag("opens_on_dial_in", default=False),
        counselor_locked=section.flag("counselor_locked", default=True),
        one_open_order_per_person=section.flag("one_open_order_per_person", default=False),
        early_hang_up_review=section.flag("early_hang_up_review", default=True),
        no_contact_consumes=section.flag("no_contact_consumes", default=False),
        summary_required=section.flag("summary_required", default=False),
        appointments=parse_appointments(section),
        cover=parse_cover(section),
    )
    _check_together(section, policy)
    section.finish()
    return policy


def _check_together(section: Section, policy: Policy) -> None:
    """What no key can tell alone."""
    takes_vouchers = policy.voucher is VoucherUse.REQUIRED
    if policy.no_contact_consumes and not takes_vouchers and not policy.cover.quota_uses:
        section.fault(
            "no_contact_consumes", "needs voucher = 'required' or quota_uses: what would be used?"
        )
    if policy.opens_on_dial_in and takes_vouchers:
        section.fault("opens_on_dial_in", "needs voucher = 'none': nobody is asked for one")
    if policy.claim_escalate_seconds > policy.claim_decide_seconds:
        section.fault("claim_escalate_seconds", "must not be longer than claim_decide_seconds")
    if policy.opens_on_dial_in and policy.cover.entitlement is Entitlement.REQUIRED:
        section.fault("entitlement", "is asked of nobody who dials in: opens_on_dial_in = true")
    if takes_vouchers and policy.cover.entitlement is Entitlement.REQUIRED:
        section.fault("entitlement", "needs voucher = 'none': a voucher is proof enough")
    if not takes_vouchers and policy.cover.vouchers_per_policy_year:
        section.fault("vouchers_per_policy_year", "needs voucher = 'required'")


def _one_of(kind: type[Word], section: Section, key: str, default: Word) -> Word:
    chosen = section.word(key, among=[word.value for word in kind], default=default.value)
    return kind(chosen) if chosen else default
