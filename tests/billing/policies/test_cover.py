"""What a program says about insurance policies, with every fault named."""

import pytest

from billing.policies.cover import Cover, Entitlement, WaitingAnchor
from billing.policy import parse
from terms.ids import ProgramId
from terms.section import ProgramInvalid
from warmline.programs import load_shipped


@pytest.mark.rule("A05", "A16", "A20")
def test_listening_gives_the_policyholder_one_code_a_policy_year_thirty_days_after_purchase() -> (
    None
):
    cover = load_shipped()[ProgramId("psych-listening")].billing.cover

    assert cover.waiting_anchor is WaitingAnchor.PURCHASE
    assert (cover.waiting_days, cover.vouchers_per_policy_year, cover.send_hour) == (30, 1, 10)


def test_the_family_doctor_is_vouched_for_by_the_app_until_an_operator_says_otherwise() -> None:
    cover = load_shipped()[ProgramId("family-doctor")].billing.cover

    assert (cover.entitlement, cover.quota_uses) == (Entitlement.NONE, 0)


def test_a_program_that_says_nothing_has_nothing_to_do_with_policies() -> None:
    assert parse({}).cover == Cover()


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"entitlement": "maybe"}, "entitlement"),
        ({"entitlement": "required", "voucher": "none"}, "products"),
        ({"entitlement": "required", "products": ["a"]}, "entitlement"),
        (
            {
                "entitlement": "required",
                "products": ["a"],
                "voucher": "none",
                "opens_on_dial_in": True,
            },
            "entitlement",
        ),
        ({"vouchers_per_policy_year": 1}, "products"),
        (
            {"vouchers_per_policy_year": 1, "products": ["a"], "voucher": "none"},
            "vouchers_per_policy_year",
        ),
        ({"waiting_days": 30}, "waiting_anchor"),
        ({"waiting_anchor": "purchase"}, "waiting_anchor"),
        ({"waiting_anchor": "birth"}, "waiting_anchor"),
        ({"waiting_days": -1}, "waiting_days"),
        ({"relatives": "direct"}, "relatives"),
        ({"service_years": 1}, "service_years"),
        ({"quota_uses": 1}, "quota_uses"),
        ({"quota_period": "month"}, "quota_period"),
        ({"quota_per": "family"}, "quota_per"),
        ({"send_hour": 24}, "send_hour"),
        ({"send_hour": 12, "send_until_hour": 12}, "send_until_hour"),
        ({"products": ["a", "a"]}, "products"),
        ({"products": [""]}, "products"),
        ({"products": "a"}, "products"),
    ],
)
def test_each_fault_is_named_by_its_key(table: dict[str, object], key: str) -> None:
    with pytest.raises(ProgramInvalid) as raised:
        parse(table)

    assert [fault.key for fault in raised.value.faults] == [key]
