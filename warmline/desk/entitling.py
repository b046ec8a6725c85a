"""What an order rests on where a program asks for an insured person: the policy, and its quota."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from billing.policies.cover import Cover, Entitlement
from billing.policies.entitlement import Entitled, entitle
from billing.policies.sealing import PersonSeal
from billing.policies.waiting import today_in_china
from billing.quota import CountedFor, Period, Quota, hold, quota_on
from billing.store.insured import insured_by_phone, insured_proven_by
from billing.store.quotas import lock_quota, save_quota
from routing.store.callers import load_caller
from terms.ids import BookId, CallerId, OrderId, PersonId, ProgramId, TenantId
from terms.refusals import NotThere, RefusalCode, Refused
from warmline.programs import Program

if TYPE_CHECKING:
    from datetime import datetime

    from warmline.desk.store import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """The policy and the insured person behind an order, and the quota it holds a use of."""

    entitled: Entitled
    quota: BookId | None


async def back_order(
    connection: "Connection",
    seal: PersonSeal,
    tenant: TenantId,
    program: Program,
    *,
    caller: CallerId,
    insured: PersonId | None,
    order: OrderId,
    now: "datetime",
) -> Backing | None:
    """Find who is entitled and hold a use of their quota; None where nobody needs to be.

    The policy is held until the transaction ends, then the quota. Raises Refused: not_entitled with
    the reason (C10, C15, C36, C39), quota_used.
    """
    cover = program.billing.cover
    if cover.entitlement is not Entitlement.REQUIRED:
        return None
    found = await load_caller(connection, seal, tenant, caller)
    if found is None:
        raise NotThere(caller)
    candidates = [
        *await insured_proven_by(connection, seal, tenant, caller),
        *await insured_by_phone(connection, seal, tenant, seal.index(found.number)),
    ]
    entitled = entitle(candidates, program.sponsor, cover, now)
    wanted = [one for one in entitled if insured in (None, one.insured)]
    if not wanted:
        raise Refused(
            RefusalCode.NOT_ENTITLED, "This number does not speak for the insured person named."
        )
    return await _with_quota(connection, tenant, program.id, cover, wanted, order, now)


async def _with_quota(
    connection: "Connection",
    tenant: TenantId,
    program: ProgramId,
    cover: Cover,
    wanted: list[Entitled],
    order: OrderId,
    now: "datetime",
) -> Backing:
    """The first of them who has a use left; held. Raises Refused(quota_used)."""
    if not cover.quota_uses:
        return Backing(entitled=wanted[0], quota=None)
    for place, one in enumerate(wanted, start=1):
        anchor = _anchor(cover, one)
        blank = _quota(program, cover, one, anchor, now)
        quota = await lock_quota(connection, tenant, blank, anchor)
        try:
            held, entry = hold(quota, order=order, limit=cover.quota_uses, at=now)
        except Refused:
            if place == len(wanted):
                raise
            continue
        await save_quota(connection, tenant, held, entry)
        return Backing(entitled=one, quota=held.book)
    raise AssertionError("nobody was wanted")


def _anchor(cover: Cover, one: Entitled) -> date | None:
    """The day from which the years of the quota are counted, where that is a day of the policy."""
    match cover.quota_period:
        case Period.POLICY_YEAR:
            return one.terms.effective_on
        case Period.SERVICE_YEAR:
            return one.since
        case Period.CALENDAR_YEAR | Period.ROLLING_365:
            return None


def _quota(
    program: ProgramId, cover: Cover, one: Entitled, anchor: date | None, now: "datetime"
) -> Quota:
    """Which quota a use counts against: whose, and of which year (X18, X49)."""
    return quota_on(
        today_in_china(now),
        program=program,
        subject=one.insured if cover.quota_per is CountedFor.PERSON else one.policy,
        period=cover.quota_period,
        anchor=anchor,
    )
