"""Which numbers can take an SMS."""

import pytest

from terms.phone import PhoneNumber
from warmline.http.mobile import is_mobile


@pytest.mark.parametrize(
    "digits",
    [
        "+8613800000001",
        "+8613900000001",
        "+8613700000003",
        "+8616200000001",  # the younger prefixes of virtual operators
        "+8617012345678",
        "+8619212345678",
        "+85291234567",
        "+12025550123",  # one plan for fixed and mobile
    ],
)
def test_a_mobile_of_its_country_can_take_an_sms(digits: str) -> None:
    assert is_mobile(PhoneNumber(digits))


@pytest.mark.parametrize(
    "digits",
    [
        "+862112345678",  # a landline
        "+8610000000110",
        "+8613800000",  # too short
        "+861380000000123",  # too long
        "+864001234567",  # a shared-cost number
        "+85221234567",
        "+999123456",  # no country
        "12356",
        "110",
    ],
)
def test_no_other_number_can(digits: str) -> None:
    assert not is_mobile(PhoneNumber(digits))
