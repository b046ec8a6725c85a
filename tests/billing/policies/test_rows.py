"""One line of a list: what it says, and every reason for which it is rejected."""

from datetime import date

import pytest

from billing.policies.cells import CellWrong, read_day, read_id_number, read_phone, read_text
from billing.policies.policy import Status
from billing.policies.relation import Relation
from billing.policies.rows import GoodRow, RejectedRow, read_row
from tests.billing.policies.lists import HOLDER_ID, TODAY, cells

CHILD_ID = "110101201505050037"


def read(**changed: str | None) -> GoodRow | RejectedRow:
    return read_row(2, cells(**changed), sponsor="default", today=TODAY)


def reasons(**changed: str | None) -> tuple[str, ...]:
    row = read(**changed)
    return row.reasons if isinstance(row, RejectedRow) else ()


def good(**changed: str | None) -> GoodRow:
    row = read(**changed)
    assert isinstance(row, GoodRow), row.reasons
    return row


@pytest.mark.rule("X14", "X37")
def test_a_line_names_three_people_and_keeps_them_apart() -> None:
    row = good(
        relation="child",
        insured_id_number=CHILD_ID,
        contact_name="陈静",
        contact_phone="13700000003",
    )

    assert row.policyholder.name == "王芳"
    assert row.insured.person.name == "李强"
    assert row.insured.person.born_on == date(2015, 5, 5)
    assert row.insured.contact is not None
    assert (row.insured.contact.name, row.insured.contact.phone) != (
        row.policyholder.name,
        row.policyholder.phone,
    )


@pytest.mark.rule("X37")
def test_an_insured_child_needs_a_guardian() -> None:
    assert reasons(relation="child", insured_id_number=CHILD_ID) == (
        "contact_name: is missing: the insured is under 14",
    )


@pytest.mark.rule("X37")
@pytest.mark.parametrize(("born", "needs"), [("2011-06-02", True), ("2011-06-01", False)])
def test_somebody_is_a_child_until_the_fourteenth_birthday(born: str, needs: bool) -> None:
    told = reasons(relation="child", insured_id_number=None, insured_birth_date=born)

    assert any("under 14" in reason for reason in told) is needs


@pytest.mark.rule("X21")
@pytest.mark.parametrize(
    ("word", "relation"),
    [
        ("本人", Relation.SELF),
        ("配偶", Relation.SPOUSE),
        ("女儿", Relation.CHILD),
        ("父亲", Relation.PARENT),
        ("岳母", Relation.PARENT_IN_LAW),
        ("弟弟", Relation.SIBLING),
        ("parent_in_law", Relation.PARENT_IN_LAW),
    ],
)
def test_relations_are_told_in_chinese_or_english(word: str, relation: Relation) -> None:
    same = {"insured_name": "王芳", "insured_phone": None, "insured_id_number": HOLDER_ID}
    assert good(relation=word, **same).insured.relation is relation


def test_who_insures_themselves_is_written_once() -> None:
    row = good(relation="self", insured_name="王芳", insured_phone=None, insured_id_number=None)

    assert row.insured.person == row.policyholder


def test_who_insures_themselves_cannot_be_two_people() -> None:
    assert reasons(relation="self") == (
        "insured_name: differs from the policyholder's, who is the same person",
        "insured_phone: differs from the policyholder's, who is the same person",
        "insured_id_number: differs from the policyholder's, who is the same person",
        "insured_birth_date: differs from the policyholder's, who is the same person",
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"policy_number": ""}, "policy_number: is missing"),
        ({"product": ""}, "product: is missing"),
        ({"purchased_on": ""}, "purchased_on: is missing"),
        ({"purchased_on": "yesterday"}, "purchased_on: is not a date like 2025-01-31"),
        ({"purchased_on": "2025-06-02"}, "purchased_on: lies in the future"),
        ({"effective_on": "2025-02-30"}, "effective_on: is not a day of the calendar"),
        ({"cooling_off_end": "2024-12-31"}, "cooling_off_end: is before the purchase"),
        ({"ends_on": "2025-01-01"}, "ends_on: is before the policy takes effect"),
        ({"term_years": "five"}, "term_years: must be a whole number of years, 1 to 120"),
        ({"term_years": "5"}, "term_years: and ends_on do not agree; leave one of them out"),
        (
            {"status": "maybe"},
            "status: must be one of in_force, surrendered, lapsed, ended, or its Chinese word",
        ),
        ({"policyholder_name": ""}, "policyholder_name: is missing"),
        ({"policyholder_name": "x" * 101}, "policyholder_name: is longer than 100 characters"),
        ({"policyholder_name": "=1+1"}, "policyholder_name: begins like a formula"),
        ({"policyholder_phone": ""}, "policyholder_phone: is missing"),
        (
            {"policyholder_phone": "021-12345678"},
            "policyholder_phone: is not a mobile number like 13800000001; "
            "others begin with + and country code",
        ),
        (
            {"policyholder_id_number": HOLDER_ID[:-1] + "3"},
            "policyholder_id_number: has a wrong check character: a digit is mistyped",
        ),
        (
            {"insured_birth_date": "1987-03-04"},
            "insured_birth_date: is not the day that the identity number tells",
        ),
        (
            {"insured_id_number": None},
            "insured_birth_date: is missing, and no identity number tells it",
        ),
        (
            {"insured_id_number": None, "insured_birth_date": "2025-06-02"},
            "insured_birth_date: is no possible day of birth",
        ),
        (
            {"insured_id_number": "!"},
            "insured_id_number: is not an identity number: 18 characters, or 5 to 20 of a passport",
        ),
        (
            {"relation": "friend"},
            "relation: must be one of self, spouse, child, parent, parent_in_law, sibling, other, "
            "or its Chinese word",
        ),
        ({"contact_name": "陈静"}, "contact_phone: is missing: a contact has a name and a phone"),
        (
            {"contact_phone": "13700000003"},
            "contact_name: is missing: a contact has a name and a phone",
        ),
    ],
)
def test_each_bad_cell_is_named_with_its_reason(
    changed: dict[str, str | None], reason: str
) -> None:
    assert reason in reasons(**changed)


def test_every_fault_of_a_line_is_told_at_once() -> None:
    told = reasons(status="maybe", policyholder_phone="1", purchased_on="")

    assert [reason.partition(":")[0] for reason in told] == [
        "purchased_on",
        "status",
        "policyholder_phone",
    ]


def test_a_reason_never_repeats_what_stands_in_the_cell() -> None:
    told = " ".join(
        reasons(
            policyholder_phone="1550000",
            policyholder_id_number="110101198506150029",
            insured_name="x" * 101,
        )
    )

    assert "1550000" not in told
    assert "1101011985" not in told
    assert "xx" not in told


@pytest.mark.parametrize(
    "text",
    ["2025-01-31", "2025/1/31", "2025.1.31", "2025年1月31日", "20250131", "2025-01-31 00:00:00"],
)
def test_a_day_may_be_written_in_many_ways(text: str) -> None:
    assert read_day(text) == date(2025, 1, 31)


@pytest.mark.parametrize("text", ["31.1.2025", "2025-1", "2025-01-31 10:00", "45678"])
def test_a_day_that_may_mean_another_is_not_guessed(text: str) -> None:
    with pytest.raises(CellWrong):
        read_day(text)


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("13800000001", "+8613800000001"),
        ("138 0000-0001", "+8613800000001"),
        ("+86 13800000001", "+8613800000001"),
        ("008613800000001", "+8613800000001"),
        ("+85251234567", "+85251234567"),
        ("17012345678", "+8617012345678"),
    ],
)
def test_a_phone_may_be_written_in_many_ways(text: str, digits: str) -> None:
    assert read_phone(text).digits == digits


@pytest.mark.parametrize("text", ["12345", "110", "+861380000", "1380000000100", "12000000000"])
def test_what_is_no_mobile_number_is_refused(text: str) -> None:
    with pytest.raises(CellWrong):
        read_phone(text)


def test_an_identity_number_may_end_in_a_small_x() -> None:
    assert read_id_number("11010519491231002x") == "11010519491231002X"


def test_a_passport_is_an_identity_number_too() -> None:
    assert read_id_number("e12345678") == "E12345678"


def test_a_name_with_a_line_break_is_refused() -> None:
    with pytest.raises(CellWrong):
        read_text("王\n芳")


def test_statuses_are_told_in_chinese_too() -> None:
    assert good(status="退保").terms.status is Status.SURRENDERED
    assert good(status="失效").terms.status is Status.LAPSED
    assert good(status="终止").terms.status is Status.ENDED


def test_a_term_in_years_ends_the_day_before_its_anniversary() -> None:
    assert good(ends_on=None, term_years="10").terms.ends_on == date(2035, 1, 1)


def test_a_policy_for_life_names_no_end() -> None:
    assert good(ends_on=None).terms.ends_on is None


@pytest.mark.rule("A42")
def test_an_end_in_the_year_9999_is_an_insurers_word_for_life() -> None:
    assert good(ends_on="9999-12-31").terms.ends_on is None
    assert set(reasons(ends_on="9999-12-31", term_years="20")) == {
        "ends_on: lies after 2999-12-31",
        "term_years: and ends_on do not agree; leave one of them out",
    }


@pytest.mark.parametrize("column", ["effective_on", "cooling_off_end", "ends_on"])
def test_a_day_that_no_calendar_of_ours_reaches_is_refused(column: str) -> None:
    assert reasons(**{"ends_on": None, column: "3000-01-01"}) == (
        f"{column}: lies after 2999-12-31",
    )


def test_whose_policy_it_is_stands_in_the_line_or_is_told_with_the_list() -> None:
    assert good().sponsor == "default"
    assert good(sponsor="众安").sponsor == "众安"


def test_printing_a_person_gives_nothing_away() -> None:
    printed = repr(good())

    for secret in ("13800000001", "13900000002", "王芳", "李强", HOLDER_ID):
        assert secret not in printed
