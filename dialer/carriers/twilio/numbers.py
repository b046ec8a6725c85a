"""Phone numbers as Twilio writes them. Pure."""

import re

from terms.phone import PhoneNumber

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_WITHHELD = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})
"""ANONYMOUS, RESTRICTED, BLOCKED, UNKNOWN and UNAVAILABLE, spelt on a keypad: older carriers."""


def caller_number(shown: str) -> PhoneNumber | None:
    """The number of who dials in; None if it is withheld or is no number."""
    number = shown.strip()
    if number in _WITHHELD or not _E164.fullmatch(number):
        return None
    return PhoneNumber(number)


def is_e164(number: str) -> bool:
    """Whether Twilio dials it and shows it as it is."""
    return _E164.fullmatch(number) is not None
