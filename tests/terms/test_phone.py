"""A phone number cannot leak by being printed."""

import traceback

import pytest

from terms.phone import PhoneNumber


@pytest.mark.parametrize(
    ("digits", "masked"),
    [
        ("+8613800000001", "+86138****0001"),
        ("+862112345678", "+8621****5678"),
        ("+33612345678", "+336****5678"),
        ("+4915112345", "+4915****45"),
        ("+85221234567", "+852****4567"),
        ("+299321000", "+299****00"),
    ],
)
def test_enough_is_shown_to_know_ones_own_number_and_too_little_to_call_it(
    digits: str, masked: str
) -> None:
    assert PhoneNumber(digits).masked == masked


def test_printing_in_any_way_masks() -> None:
    number = PhoneNumber("+8613800000001")

    for printed in (str(number), repr(number), f"{number}", f"{number!r}", f"{[number]}"):
        assert "+86138****0001" in printed
        assert "13800000001" not in printed


@pytest.mark.rule("D01")
@pytest.mark.parametrize("code", ["110", "12356", "4008156688"])
def test_a_short_code_is_no_secret_and_no_e164_number(code: str) -> None:
    number = PhoneNumber(code)

    assert number.is_short_code
    assert str(number) == code


def test_a_number_with_its_country_is_no_short_code() -> None:
    assert not PhoneNumber("+8613800000001").is_short_code


def test_two_numbers_are_equal_by_their_digits_and_can_be_keys() -> None:
    assert PhoneNumber("110") == PhoneNumber("110")
    assert len({PhoneNumber("110"), PhoneNumber("110"), PhoneNumber("120")}) == 2


@pytest.mark.parametrize(
    "text",
    ["", "+", "12", "+86 138", "138-0000", "+861380000000123456", "one", "+86138\n", "１１０"],
)
def test_anything_else_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="not a phone number") as refused:
        PhoneNumber(text)
    assert str(refused.value) == "not a phone number"


def test_an_error_about_a_number_does_not_hold_it() -> None:
    try:
        raise LookupError(PhoneNumber("+8613800000001"))
    except LookupError as error:
        told = "".join(traceback.format_exception(error))
    assert "+86138****0001" in told
