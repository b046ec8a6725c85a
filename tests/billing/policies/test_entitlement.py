"""Who may use a program because they are insured, and what the others are told."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from billing.policies.cover import Cover, Entitlement, Relatives, WaitingAnchor
from billing.policies.entitlement import (
    Candidate,
    KnownBy,
    Standing,
    covers,
    entitle,
    standing,
)
from billing.policies.policy import PolicyTerms, Status
from billing.policies.relation import Relation
from terms.ids import PersonId, PolicyId
from terms.refusals import RefusalCode, Refused
from tests.billing.policies.lists import terms

COVER = Cover(
    products=frozenset({"mind-care"}),
    entitlement=Entitlement.REQUIRED,
    waiting_anchor=WaitingAnchor.PURCHASE,
    waiting_days=30,
)
GROWN, CHILD = date(1985, 6, 15), date(2015, 5, 5)


def noon(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=4)


def candidate(
    known_by: KnownBy = KnownBy.OWN_PHONE,
    told: PolicyTerms | None = None,
    *,
    born_on: date = GROWN,
    sponsor: str = "default",
    insured: str = "person_1",
    relation: Relation = Relation.SPOUSE,
) -> Candidate:
    return Candidate(
        policy=PolicyId("policy_1"),
        sponsor=sponsor,
        terms=told or terms(),
        insured=PersonId(insured),
        relation=relation,
        born_on=born_on,
        known_by=known_by,
    )


def entitled(*candidates: Candidate, day: str = "2025-06-01") -> list[str]:
    return [one.insured for one in entitle(candidates, "default", COVER, noon(day))]


def refusal(*candidates: Candidate, day: str = "2025-06-01") -> str:
    with pytest.raises(Refused) as raised:
        entitle(candidates, "default", COVER, noon(day))
    assert raised.value.code is RefusalCode.NOT_ENTITLED
    return raised.value.detail


@pytest.mark.rule("C10", "C15")
def test_the_insured_person_is_entitled() -> None:
    assert entitled(candidate()) == ["person_1"]
    assert entitled(candidate(KnownBy.PROVEN)) == ["person_1"]


@pytest.mark.rule("C10", "C15", "X14")
@pytest.mark.parametrize("known_by", [KnownBy.HOLDER, KnownBy.CONTACT])
def test_neither_the_policyholder_nor_a_contact_may_use_what_is_the_insureds_alone(
    known_by: KnownBy,
) -> None:
    assert "Only the insured person" in refusal(candidate(known_by))


@pytest.mark.rule("X37")
def test_for_an_insured_child_it_is_the_guardian_who_calls_and_nobody_else() -> None:
    assert entitled(candidate(KnownBy.CONTACT, born_on=CHILD)) == ["person_1"]
    for known_by in (KnownBy.OWN_PHONE, KnownBy.PROVEN, KnownBy.HOLDER):
        assert "guardian" in refusal(candidate(known_by, born_on=CHILD))


@pytest.mark.rule("C36")
def test_who_is_still_waiting_is_told_until_when() -> None:
    assert "from 2025-02-01 on" in refusal(candidate(), day="2025-01-31")
    assert entitled(candidate(), day="2025-02-01") == ["person_1"]


@pytest.mark.rule("B03")
@pytest.mark.parametrize(
    "told",
    [
        terms(status=Status.SURRENDERED),
        terms(status=Status.LAPSED),
        terms(status=Status.ENDED),
        terms(ends="2025-05-31"),
    ],
)
def test_whose_policy_ended_is_told_so(told: PolicyTerms) -> None:
    assert refusal(candidate(told=told)) == "The policy behind this service has ended."


@pytest.mark.rule("C39")
def test_who_is_on_no_list_is_told_so() -> None:
    assert "nobody who is insured" in refusal()


@pytest.mark.rule("A42")
def test_a_policy_of_another_sponsor_or_product_is_none() -> None:
    assert "nobody who is insured" in refusal(candidate(sponsor="another"))
    assert "nobody who is insured" in refusal(candidate(told=terms(product="another")))


@pytest.mark.rule("B02")
def test_a_service_of_one_year_is_over_after_it_though_the_policy_lives_on() -> None:
    yearly = Cover(
        products=COVER.products,
        entitlement=Entitlement.REQUIRED,
        waiting_anchor=WaitingAnchor.EFFECT,
        waiting_days=15,
        service_years=1,
    )

    assert standing(terms(), yearly, date(2025, 1, 16)) is Standing.WAITING
    assert standing(terms(), yearly, date(2025, 1, 17)) is Standing.ACTIVE
    assert standing(terms(), yearly, date(2026, 1, 16)) is Standing.ACTIVE
    assert standing(terms(), yearly, date(2026, 1, 17)) is Standing.ENDED


def test_callers_come_before_those_they_speak_for() -> None:
    child = candidate(KnownBy.CONTACT, born_on=CHILD, insured="person_0")

    assert entitled(child, candidate()) == ["person_1", "person_0"]


def test_one_living_policy_is_enough() -> None:
    over = candidate(told=terms(status=Status.ENDED), insured="person_0")

    assert entitled(over, candidate()) == ["person_1"]


@pytest.mark.rule("X21")
@pytest.mark.parametrize(
    ("relatives", "for_whom"),
    [
        (Relatives.DIRECT, {"self", "spouse", "child", "parent"}),
        (Relatives.FAMILY, {"self", "spouse", "child", "parent", "sibling"}),
        (Relatives.ANY, {relation.value for relation in Relation}),
    ],
)
def test_a_service_may_be_for_direct_relatives_or_for_the_family(
    relatives: Relatives, for_whom: set[str]
) -> None:
    cover = replace(COVER, relatives=relatives)

    assert {
        relation.value
        for relation in Relation
        if covers("default", cover, candidate(relation=relation))
    } == for_whom
