"""Phone numbers as trunks write them."""

import re

from terms.phone import PhoneNumber

_ANYTHING_ELSE = re.compile(r"[\s().-]")
_MAINLAND_MOBILE = re.compile(r"0?(1[3-9][0-9]{9})")
_MAINLAND_LANDLINE = re.compile(r"0([1-9][0-9]{8,10})")


def caller_number(shown: str) -> PhoneNumber | None:
    """The number a trunk shows for who dials in; None if it is withheld or is no number.

    Trunks in mainland China leave the country code out; a number without one is taken for theirs.
    """
    number = _ANYTHING_ELSE.sub("", shown)
    if number.startswith("00"):
        number = f"+{number[2:]}"
    elif found := _MAINLAND_MOBILE.fullmatch(number) or _MAINLAND_LANDLINE.fullmatch(number):
        number = f"+86{found[1]}"
    elif re.fullmatch(r"86(1[3-9][0-9]{9})", number):
        number = f"+{number}"
    try:
        return PhoneNumber(number)
    except ValueError:
        return None
