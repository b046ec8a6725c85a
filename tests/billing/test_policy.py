"""The `[billing]` section of a program."""

from datetime import date

import pytest

from billing.policy import ConsumesOn, Policy, VoucherUse, parse
from terms.section import ProgramInvalid


@pytest.mark.rule("A28", "A32", "A35", "X07")
def test_an_empty_section_means_the_defaults_of_the_listening_call() -> None:
    policy = parse({})

    assert policy == Policy()
    assert (policy.order_seconds, policy.claim_seconds, policy.resume_seconds) == (86400,) * 3
    assert (policy.resume_min_seconds, policy.short_call_seconds) == (300, 60)
    assert (policy.consumes_on, policy.voucher) == (ConsumesOn.CONNECT, VoucherUse.REQUIRED)


def test_every_key_is_read() -> None:
    table: dict[str, object] = {
        "order_seconds": 1,
        "resume_seconds": 2,
        "resume_min_seconds": 3,
        "claim_seconds": 4,
        "short_call_seconds": 5,
        "consumes_on": "connect",
        "voucher": "none",
        "counselor_locked": False,
        "one_open_order_per_person": True,
        "early_hang_up_review": False,
        "no_contact_consumes": False,
        "summary_required": True,
    }

    assert parse(table) == Policy(
        order_seconds=1,
        resume_seconds=2,
        resume_min_seconds=3,
        claim_seconds=4,
        short_call_seconds=5,
        voucher=VoucherUse.NONE,
        counselor_locked=False,
        one_open_order_per_person=True,
        early_hang_up_review=False,
        summary_required=True,
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("order_seconds", 0),
        ("order_seconds", "86400"),
        ("resume_seconds", -1),
        ("short_call_seconds", 59.5),
        ("consumes_on", "ring"),
        ("voucher", "maybe"),
        ("counselor_locked", 1),
        ("bonus", 1),
    ],
)
def test_a_wrong_value_is_a_fault_of_its_key(key: str, value: object) -> None:
    with pytest.raises(ProgramInvalid) as invalid:
        parse({key: value})

    assert [fault.key for fault in invalid.value.faults] == [key]


@pytest.mark.rule("X28")
def test_no_contact_cannot_use_a_voucher_that_is_not_asked_for() -> None:
    with pytest.raises(ProgramInvalid):
        parse({"voucher": "none", "no_contact_consumes": True})


@pytest.mark.rule("X28")
def test_no_contact_may_use_up_a_quota_where_there_is_one() -> None:
    insured = {"entitlement": "required", "products": ["care"], "quota_uses": 1}

    assert parse({"voucher": "none", "no_contact_consumes": True, **insured}).no_contact_consumes


@pytest.mark.rule("B05")
def test_the_end_of_a_service_is_a_day() -> None:
    end = {"offered_until": "2027-01-31", "end_announced_on": "2026-12-31"}
    assert parse(end).cover.offered_until == date(2027, 1, 31)
    assert parse({}).cover.offered_until is None
    with pytest.raises(ProgramInvalid, match="offered_until"):
        parse({"offered_until": "soon"})
