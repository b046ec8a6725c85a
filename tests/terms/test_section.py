"""One reader for every room's section: all faults at once, none stops the reading."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from terms.section import ProgramFault, ProgramInvalid, Section


def faults(section: Section) -> list[ProgramFault]:
    with pytest.raises(ProgramInvalid) as refused:
        section.finish()
    return list(refused.value.faults)


def test_values_are_read_by_their_kind() -> None:
    section = Section(
        "dialer", {"n": 3, "ns": [2, 1], "word": "hard", "words": ["a", ""], "flag": False}
    )

    assert section.whole("n") == 3
    assert section.wholes("ns") == (2, 1)
    assert section.word("word", among=("hard", "soft")) == "hard"
    assert section.words("words") == ("a", "")
    assert section.flag("flag") is False
    section.finish()


def test_defaults_stand_in_for_keys_that_are_not_there() -> None:
    section = Section("dialer", {})

    assert section.whole("n", default=7) == 7
    assert section.wholes("ns", default=(1,)) == (1,)
    assert section.word("word", default="w") == "w"
    assert section.words("words", default=("v",)) == ("v",)
    assert section.flag("flag", default=True) is True
    section.finish()


READERS: dict[str, Callable[[Section], object]] = {
    "whole": lambda section: section.whole("key"),
    "wholes": lambda section: section.wholes("key"),
    "word": lambda section: section.word("key"),
    "words": lambda section: section.words("key"),
    "flag": lambda section: section.flag("key"),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS.keys())
def test_a_key_without_a_default_is_missed(read: Callable[[Section], object]) -> None:
    section = Section("billing", {})
    read(section)

    assert faults(section) == [ProgramFault("billing", "key", "is missing")]


@pytest.mark.parametrize(
    ("read", "value"),
    [
        ("whole", "3"),
        ("whole", 3.0),
        ("whole", True),
        ("whole", -1),
        ("wholes", 3),
        ("wholes", [1, True]),
        ("wholes", [1, -1]),
        ("wholes", [1, "2"]),
        ("wholes", "12"),
        ("word", 3),
        ("word", ""),
        ("words", "word"),
        ("words", ["a", 1]),
        ("flag", 1),
        ("flag", "true"),
    ],
)
def test_a_value_of_another_kind_is_a_fault(read: str, value: object) -> None:
    section = Section("routing", {"key": value})
    READERS[read](section)

    (fault,) = faults(section)
    assert (fault.section, fault.key) == ("routing", "key")
    assert fault.message.startswith("must be ")


def test_bounds_are_named_and_belong_to_them() -> None:
    section = Section("dialer", {"low": 4, "high": 11, "least": 5, "most": 10})
    for key in ("low", "high", "least", "most"):
        section.whole(key, least=5, most=10)

    assert [(fault.key, fault.message) for fault in faults(section)] == [
        ("low", "must be between 5 and 10"),
        ("high", "must be between 5 and 10"),
    ]


def test_the_words_to_choose_from_are_named() -> None:
    section = Section("dialer", {"key": "HARD"})
    section.word("key", among=("soft", "hard"))

    assert faults(section)[0].message == "must be one of hard, soft"


def test_a_key_that_nobody_reads_is_a_fault_for_it_may_be_a_misspelt_one() -> None:
    section = Section("dialer", {"ring_secnods": 3})

    (fault,) = faults(section)
    assert fault.key == "ring_secnods"


def test_everything_wrong_is_told_at_once_a_rooms_own_faults_too() -> None:
    section = Section("dialer", {"n": "x", "odd": 1})
    section.whole("n")
    section.flag("flag")
    section.fault("n", "contradicts flag")

    with pytest.raises(ProgramInvalid) as refused:
        section.finish()
    assert [fault.key for fault in refused.value.faults] == ["n", "flag", "n", "odd"]
    assert "[dialer] flag: is missing" in str(refused.value)


@pytest.mark.parametrize("told", ["2027-01-31", date(2027, 1, 31)])
def test_a_day_is_a_text_or_a_date(told: object) -> None:
    assert Section("billing", {"key": told}).day("key") == date(2027, 1, 31)


@pytest.mark.parametrize(
    "told", ["soon", 20270131, datetime(2027, 1, 31, tzinfo=UTC), "2027-02-30"]
)
def test_what_is_no_day_is_a_fault(told: object) -> None:
    section = Section("billing", {"key": told})

    assert section.day("key") is None
    assert [fault.key for fault in faults(section)] == ["key"]


def test_a_day_may_be_left_out_unless_it_is_required() -> None:
    section = Section("billing", {"empty": ""})

    assert section.day("empty") is None
    assert section.day("missing") is None
    section.day("needed", required=True)
    assert faults(section) == [ProgramFault("billing", "needed", "is missing")]


def test_the_faults_of_inner_tables_are_told_with_their_place() -> None:
    section = Section("billing", {"changes": [{"word": "a"}, {"word": 1, "more": 2}]})

    assert [table.word("word") for table in section.tables("changes")] == ["a", ""]
    assert [fault.key for fault in faults(section)] == ["changes[2].word", "changes[2].more"]


def test_what_is_no_list_of_tables_is_a_fault() -> None:
    section = Section("billing", {"changes": "none"})

    assert section.tables("changes") == ()
    assert [fault.key for fault in faults(section)] == ["changes"]
