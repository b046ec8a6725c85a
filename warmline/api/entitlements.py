"""What somebody may use because they are insured, for who proves it with the insured's data (A06).

Who asks has a verified phone, is counted before anything is looked up, and hears the same words
whatever did not fit. A name and an identity number are proof from any phone; a name and a day of
birth, which many know, only from a phone that the policy itself names. For a child only the
guardian's phone will do (X37).
"""

from typing import TYPE_CHECKING, Annotated

import structlog
from pydantic import StringConstraints, model_validator

from billing.policies.cells import CellWrong, plain, read_day, read_id_number, read_text
from billing.policies.cover import Entitlement
from billing.policies.entitlement import Candidate, Standing, covers, standing
from billing.policies.sealing import birth_index, id_index
from billing.policies.waiting import active_from, active_until, today_in_china
from billing.store.insured import insured_by_data, insured_by_phone, keep_proven
from routing.limits import Limit, retry_after_seconds
from routing.store.callers import load_caller
from routing.store.rates import mark_if_allowed
from terms.refusals import RefusalCode, Refused
from warmline.api.parts import PROGRAMS
from warmline.http.api import Operations
from warmline.http.asked import Acting
from warmline.http.model import Line, Model
from warmline.http.problems import BadInput, InputFault
from warmline.http.who import CALLER, Caller

if TYPE_CHECKING:
    from datetime import date

    from terms.phone import PhoneNumber

entitlements = Operations("Entitlements")

_log = structlog.get_logger()

CHECKS_BY_CALLER = (Limit(5, 3600), Limit(10, 86_400))
CHECKS_BY_ADDRESS = (Limit(30, 3600), Limit(100, 86_400))

_NO_MATCH = (
    "These data match no insured person; compare them with the policy, and use the phone that the "
    "policy names or give the identity number."
)


class InsuredData(Model):
    """An insured person's data: the name, and an identity number or a day of birth."""

    name: Line
    id_number: Annotated[str, StringConstraints(min_length=5, max_length=30)] | None = None
    birth_date: Annotated[str, StringConstraints(pattern=r"^\d{4}-\d{2}-\d{2}$")] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "InsuredData":
        if (self.id_number is None) == (self.birth_date is None):
            raise ValueError("give id_number or birth_date, one of them")
        return self


class EntitlementView(Model):
    """What an insured person may use."""

    program: str
    insured: str
    """Give it as `insured` when opening an order, if you may act for several people."""

    state: Standing
    since: str
    """The first day, in China; of a waiting one, the day it begins."""

    until: str | None
    """The first day on which it is over; null where no end is known."""

    needs_voucher: bool
    """True where a code, sent to the policyholder, opens the order."""


class EntitlementsView(Model):
    """All that these data prove."""

    entitlements: list[EntitlementView]


@entitlements(
    "POST",
    "/v1/entitlements/check",
    who=(CALLER,),
    returns={200: EntitlementsView},
    refuses=(RefusalCode.NOT_ENTITLED, RefusalCode.RATE_LIMITED),
)
async def check_entitlement(
    acting: Acting, who: Caller, body: InsuredData
) -> EntitlementsView | Refused:
    """Prove with an insured person's data what they may use; the account may then order for them.

    A few tries an hour. What does not match is answered with the same words, whatever it was.
    """
    name, id_number, born_on = _read(body)
    limited = await _limited(acting, who)
    if limited is not None:
        return limited
    caller = await load_caller(acting.connection, acting.frame.seal, acting.tenant, who.id)
    assert caller is not None
    proven = await _proven(acting, caller.number, name, id_number, born_on)
    items = _views(acting, proven)
    _log.info("entitlement_checked", caller=who.id, found=len(items))
    if not items:
        return Refused(RefusalCode.NOT_ENTITLED, _NO_MATCH)
    await keep_proven(
        acting.connection,
        acting.tenant,
        who.id,
        [(one.policy, one.insured) for one in proven],
        acting.now,
    )
    return EntitlementsView(entitlements=items)


def _read(body: InsuredData) -> "tuple[str, str | None, date | None]":
    """The data in the spelling that lists are kept in. Raises BadInput."""
    pointer = "/name"
    try:
        name = read_text(plain(body.name))
        pointer = "/id_number"
        id_number = None if body.id_number is None else read_id_number(plain(body.id_number))
        pointer = "/birth_date"
        born_on = None if body.birth_date is None else read_day(body.birth_date)
    except (CellWrong, IndexError) as wrong:
        detail = str(wrong) if isinstance(wrong, CellWrong) else "is missing"
        raise BadInput(InputFault(place="body", pointer=pointer, detail=detail)) from None
    return name, id_number, born_on


async def _limited(acting: Acting, who: Caller) -> Refused | None:
    """Count this try, by account and by address; or say when one more is allowed."""
    for kind, subject, limits in (
        ("entitlement by caller", who.id, CHECKS_BY_CALLER),
        ("entitlement by address", acting.address, CHECKS_BY_ADDRESS),
    ):
        until = await mark_if_allowed(
            acting.connection, acting.tenant, kind, subject.encode(), limits, acting.now
        )
        if until is not None:
            return Refused(
                RefusalCode.RATE_LIMITED,
                "Too many tries; compare the data with the policy before the next one.",
                retry_after_seconds=retry_after_seconds(until, acting.now),
            )
    return None


async def _proven(
    acting: Acting,
    number: "PhoneNumber",
    name: str,
    id_number: str | None,
    born_on: "date | None",
) -> list[Candidate]:
    """Whom the data name; of children only those for whom this phone is the guardian's."""
    connection, seal, tenant = acting.connection, acting.frame.seal, acting.tenant
    phone_index, today = seal.index(number), today_in_china(acting.now)
    known = await insured_by_phone(connection, seal, tenant, phone_index)
    found = await insured_by_data(
        connection,
        seal,
        tenant,
        id_index=None if id_number is None else id_index(seal, name, id_number),
        birth_index=None if born_on is None else birth_index(seal, name, born_on),
        phone_index=phone_index,
    )
    guarded = {(one.policy, one.insured) for one in known if one.may_act(today)}
    return [one for one in found if one.may_act(today) or (one.policy, one.insured) in guarded]


def _views(acting: Acting, proven: list[Candidate]) -> list[EntitlementView]:
    today = today_in_china(acting.now)
    views = []
    for program in acting.part(PROGRAMS).values():
        cover = program.billing.cover
        for one in proven:
            if not covers(program.sponsor, cover, one):
                continue
            until = active_until(one.terms, cover)
            views.append(
                EntitlementView(
                    program=program.id,
                    insured=one.insured,
                    state=standing(one.terms, cover, today),
                    since=active_from(one.terms, cover).isoformat(),
                    until=None if until is None else until.isoformat(),
                    needs_voucher=cover.entitlement is not Entitlement.REQUIRED
                    and cover.vouchers_per_policy_year > 0,
                )
            )
    return views
