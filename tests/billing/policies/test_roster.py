"""Lines put together into policies, headers, and what a list changes."""

import pytest

from billing.policies.columns import CHINESE, Column, HeadersWrong, read_headers
from billing.policies.diff import FieldChange, Stored, compare, fingerprint
from billing.policies.policy import ListedPolicy
from terms.ids import PersonId, PolicyId
from tests.billing.policies.lists import GOOD, cells, policy, roster

ANOTHER = {"insured_name": "李小红", "insured_id_number": None, "insured_birth_date": "1990-01-01"}


def stored(one: ListedPolicy) -> Stored:
    ids = tuple(PersonId(f"person_{place}") for place in range(len(one.insured)))
    return Stored(id=PolicyId("policy_1"), policy=one, insured_ids=ids)


def test_several_insured_people_of_one_policy_stand_in_several_lines() -> None:
    found = roster(cells(), cells(**ANOTHER))

    assert len(found.policies) == 1
    assert [one.person.name for one in found.policies[0].insured] == ["李强", "李小红"]
    assert found.policies[0].lines == (2, 3)


def test_lines_of_one_policy_must_agree() -> None:
    found = roster(cells(), cells(**ANOTHER, product="other", policyholder_name="王二"))

    assert found.policies == ()
    assert [(row.line, row.reasons) for row in found.rejected] == [
        (2, ("line 3 of the same policy is rejected",)),
        (
            3,
            (
                "product: differs from line 2 of the same policy",
                "the policyholder differs from line 2 of the same policy",
            ),
        ),
    ]


def test_the_same_insured_person_twice_is_refused() -> None:
    found = roster(cells(), cells())

    assert found.rejected[-1].reasons == ("the same insured person stands in line 2 already",)


def test_a_bad_line_takes_its_whole_policy_along_and_no_other() -> None:
    found = roster(cells(), cells(**ANOTHER, status="?"), cells(policy_number="P-2"))

    assert [one.number for one in found.policies] == ["P-2"]
    assert [row.line for row in found.rejected] == [2, 3]


@pytest.mark.rule("A42")
def test_the_same_number_at_two_insurers_is_two_policies() -> None:
    found = roster(cells(sponsor="众安"), cells(sponsor="平安"))

    assert {one.key for one in found.policies} == {("众安", "P-1"), ("平安", "P-1")}


def test_headers_may_be_english_or_chinese_in_any_order() -> None:
    english = [column.value for column in GOOD]
    chinese = [CHINESE[column][-1] for column in reversed(GOOD)]

    assert read_headers(english) == tuple(GOOD)
    assert read_headers(chinese) == tuple(reversed(GOOD))
    assert read_headers([*english[:-1], " Insured_ID_Number ", ""]) == (*GOOD, None)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (["shoe size"], "column 14: the header 'shoe size' is not known"),
        (["保单号"], "column 14: there are two columns for policy_number (保单号)"),
        (["", "contact_name"], "column 14 has no header"),
    ],
)
def test_a_header_that_is_not_known_is_an_error_that_names_it(
    changed: list[str], fault: str
) -> None:
    with pytest.raises(HeadersWrong) as raised:
        read_headers([*(column.value for column in GOOD), *changed])

    assert [str(one) for one in raised.value.faults] == [fault]


def test_every_missing_column_is_named_in_both_languages() -> None:
    with pytest.raises(HeadersWrong) as raised:
        read_headers([column.value for column in GOOD if column is not Column.STATUS])

    assert [str(one) for one in raised.value.faults] == ["there is no column status (保单状态)"]


def test_no_chinese_header_stands_for_two_columns() -> None:
    words = [word for some in CHINESE.values() for word in some]

    assert len(words) == len(set(words))
    assert set(CHINESE) == set(Column)


def test_the_same_list_again_changes_nothing() -> None:
    assert compare(stored(policy()), policy()) is None
    assert fingerprint(policy()) == fingerprint(policy())


def test_the_order_of_lines_makes_no_other_policy() -> None:
    one, other = cells(), cells(**ANOTHER)

    assert fingerprint(roster(one, other).policies[0]) == fingerprint(
        roster(other, one).policies[0]
    )


def test_a_change_is_told_field_by_field_with_people_masked() -> None:
    changed = compare(
        stored(policy()),
        policy(status="surrendered", policyholder_phone="13800000009", ends_on="2036-01-01"),
    )

    assert changed is not None
    assert changed.changes == (
        FieldChange(field="status", before="in_force", after="surrendered"),
        FieldChange(field="ends_on", before="2035-01-01", after="2036-01-01"),
        FieldChange(field="policyholder.phone", before="+86138****0001", after="+86138****0009"),
    )


def test_people_are_known_again_by_id_number_by_name_and_birth_or_by_name() -> None:
    before = roster(cells(), cells(**ANOTHER)).policies[0]
    after = roster(
        cells(**ANOTHER | {"insured_birth_date": "1990-01-02"}),
        cells(insured_name="李强强"),
    ).policies[0]

    changed = compare(stored(before), after)

    assert changed is not None
    assert changed.insured_ids == ("person_1", "person_0")


def test_a_person_who_is_added_or_left_out_is_told() -> None:
    both = roster(cells(), cells(**ANOTHER)).policies[0]

    added = compare(stored(policy()), both)
    left_out = compare(stored(both), policy())

    assert added is not None
    assert added.insured_ids == ("person_0", None)
    assert added.changes == (FieldChange(field="insured 李**", before=None, after="added"),)
    assert left_out is not None
    assert left_out.changes == (FieldChange(field="insured 李**", before="insured", after=None),)


def test_a_change_of_each_field_makes_another_policy() -> None:
    for column in GOOD:
        text = {
            Column.NUMBER: "P-2",
            Column.PRODUCT: "other",
            Column.STATUS: "lapsed",
            Column.RELATION: "sibling",
            Column.HOLDER_NAME: "王二",
            Column.INSURED_NAME: "李二",
            Column.HOLDER_PHONE: "13800000008",
            Column.INSURED_PHONE: "13800000008",
            Column.HOLDER_ID_NUMBER: "E1234567",
            Column.INSURED_ID_NUMBER: INSURED_TWIN,
        }.get(column, "2024-12-30" if column is not Column.ENDS_ON else "2040-01-01")
        other = policy(**{column.value: text})

        assert fingerprint(other) != fingerprint(policy()), column


INSURED_TWIN = "110101198703030040"
