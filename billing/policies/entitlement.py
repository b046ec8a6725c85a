"""Who may use a program because they are insured, and what somebody who may not is told. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from billing.policies.cover import Cover
from billing.policies.policy import CHILD_YEARS, PolicyTerms, age_on
from billing.policies.relation import Relation
from billing.policies.waiting import active_from, active_until, today_in_china
from terms.ids import PersonId, PolicyId
from terms.refusals import RefusalCode, Refused


class KnownBy(StrEnum):
    """How the caller is known to speak for the insured person."""

    OWN_PHONE = "own_phone"  # the list has this number for the insured person
    PROVEN = "proven"  # the caller gave the insured person's data (A06)
    CONTACT = "contact"  # it has the number for their contact: enough for a child alone (X37)
    HOLDER = "holder"  # the number is the policyholder's: that gives no right either (C10, C15)


class Standing(StrEnum):
    """What a policy means for one program today."""

    ACTIVE = "active"
    WAITING = "waiting"  # C36
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An insured person for whom a caller may want to act, and the policy that names them."""

    policy: PolicyId
    sponsor: str
    terms: PolicyTerms
    insured: PersonId
    relation: Relation
    born_on: date | None
    known_by: KnownBy

    def may_act(self, today: date) -> bool:
        """Whether the caller is the insured person (C10), or a child's guardian (X37)."""
        if self.born_on is not None and age_on(self.born_on, today) < CHILD_YEARS:
            return self.known_by is KnownBy.CONTACT
        return self.known_by in (KnownBy.OWN_PHONE, KnownBy.PROVEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitled:
    """The policy and the person that an order rests on; `since` is the service's own first day."""

    policy: PolicyId
    insured: PersonId
    terms: PolicyTerms
    known_by: KnownBy
    since: date


def covers(sponsor: str, cover: Cover, candidate: Candidate) -> bool:
    """Whether the candidate's policy and relation have anything to do with this program."""
    return (
        candidate.sponsor == sponsor
        and candidate.terms.product in cover.products
        and cover.relatives.includes(candidate.relation)
    )


def standing(terms: PolicyTerms, cover: Cover, today: date) -> Standing:
    """What the policy means today for a program it covers."""
    until = active_until(terms, cover)
    if terms.has_ended(today) or (until is not None and until <= today):
        return Standing.ENDED
    return Standing.WAITING if today < active_from(terms, cover) else Standing.ACTIVE


def entitle(
    candidates: Iterable[Candidate], sponsor: str, cover: Cover, now: datetime
) -> tuple[Entitled, ...]:
    """Whom the caller may order for, the caller themselves first.

    Raises Refused(not_entitled) with the nearest reason: still waiting and until when (C36), over
    (B03), for the insured person alone (C10, C15), or on nobody's list (C39).
    """
    today = today_in_china(now)
    fitting = [one for one in candidates if covers(sponsor, cover, one)]
    own = [one for one in fitting if one.may_act(today)]
    order = list(KnownBy)
    active = [one for one in own if standing(one.terms, cover, today) is Standing.ACTIVE]
    if active:
        active.sort(key=lambda one: (order.index(one.known_by), one.policy, one.insured))
        return tuple(
            Entitled(
                policy=one.policy,
                insured=one.insured,
                terms=one.terms,
                known_by=one.known_by,
                since=active_from(one.terms, cover),
            )
            for one in active
        )
    raise Refused(RefusalCode.NOT_ENTITLED, _why_not(fitting, own, cover, today))


def _why_not(fitting: list[Candidate], own: list[Candidate], cover: Cover, today: date) -> str:
    waiting = [
        active_from(one.terms, cover)
        for one in own
        if standing(one.terms, cover, today) is Standing.WAITING
    ]
    if waiting:
        return f"The policy is still in its waiting period; it can be used from {min(waiting)} on."
    if own:
        return "The policy behind this service has ended."
    if fitting:
        return "Only the insured person may use this service, or the guardian of an insured child."
    return "This number belongs to nobody who is insured for this service."
