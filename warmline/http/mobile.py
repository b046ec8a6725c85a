"""Numbers that can take an SMS, as far as the published numbering plans tell."""

from typing import Annotated

import phonenumbers
from phonenumbers import PhoneNumberType
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from terms.phone import PhoneNumber
from warmline.http.model import Phone

_TAKES_SMS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


def is_mobile(number: PhoneNumber) -> bool:
    """Whether its country has given the number out as a mobile, or does not tell the two apart.

    It says nothing about whether anybody owns the number. A short code is none.
    """
    if number.is_short_code:
        return False
    try:
        parsed = phonenumbers.parse(number.digits)
    except phonenumbers.NumberParseException:
        return False
    return (
        phonenumbers.is_possible_number(parsed)
        and phonenumbers.is_valid_number(parsed)
        and phonenumbers.number_type(parsed) in _TAKES_SMS
    )


def _mobile(number: PhoneNumber) -> PhoneNumber:
    if not is_mobile(number):
        raise PydanticCustomError(
            "mobile", "must be a mobile number: it is sent an SMS, which no other number can take"
        )
    return number


Mobile = Annotated[Phone, AfterValidator(_mobile)]
"""E.164 in, and a mobile by its country's plan; what goes out is the masked form."""
