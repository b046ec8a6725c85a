"""What one cell of an insurer's list says: days, phone numbers, identity numbers, names.

Each function takes the text of a cell that is not empty and raises `CellWrong` with what to write
instead. The text itself is never repeated: it may be somebody's number.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from operator import mul

from billing.policies.faults import Fault, FaultCode, fault
from terms.phone import PhoneNumber

LONGEST_TEXT = 100
OLDEST_BIRTH = date(1900, 1, 1)

_DAY = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))(?:[ T]00:00(?::00)?)?"
)
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9]\d{9})")
_ABROAD = re.compile(r"\+[1-9]\d{6,14}")
_RESIDENT_ID = re.compile(r"\d{17}[\dX]")
_OTHER_ID = re.compile(r"[A-Z0-9()/-]{5,20}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_BETWEEN_DIGITS = str.maketrans("", "", " -\u2010\u2011\u2013\u00a0\t")


class CellWrong(ValueError):
    """A cell that cannot be read; `fault` says why, without a column."""

    def __init__(self, code: FaultCode, **given: object) -> None:
        self.fault: Fault = fault(code, None, **given)
        super().__init__(str(self.fault))


def plain(text: str) -> str:
    """One spelling: half width, no space around it."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def read_text(text: str) -> str:
    """A word or a name. Raises CellWrong."""
    if len(text) > LONGEST_TEXT:
        raise CellWrong(FaultCode.TOO_LONG, most=LONGEST_TEXT)
    if not text.isprintable():
        raise CellWrong(FaultCode.UNPRINTABLE)
    if text[0] in "=+@":
        raise CellWrong(FaultCode.LIKE_FORMULA)
    return text


@lru_cache(maxsize=8192)
def read_day(text: str) -> date:
    """A date without a time of day. Raises CellWrong."""
    found = _DAY.fullmatch(text)
    if found is None:
        raise CellWrong(FaultCode.NOT_A_DATE)
    year, month, day = (int(part) for part in found.groups() if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        raise CellWrong(FaultCode.NO_SUCH_DAY) from None


def read_phone(text: str) -> PhoneNumber:
    """A mobile number of mainland China, or any number written with + and country code.

    Raises CellWrong.
    """
    digits = text.translate(_BETWEEN_DIGITS)
    if mobile := _MOBILE.fullmatch(digits):
        return PhoneNumber(f"+86{mobile[1]}")
    if _ABROAD.fullmatch(digits) and not digits.startswith("+86"):
        return PhoneNumber(digits)
    raise CellWrong(FaultCode.NOT_A_PHONE)


def read_id_number(text: str) -> str:
    """An identity number: 18 characters whose last one checks the others, or another document's.

    Raises CellWrong.
    """
    number = text.translate(_BETWEEN_DIGITS).upper()
    if len(number) == 18 and number[:17].isdigit():
        if not _RESIDENT_ID.fullmatch(number) or _check_character(number) != number[17]:
            raise CellWrong(FaultCode.CHECK_CHARACTER)
        _day_inside(number)
        return number
    if not _OTHER_ID.fullmatch(number):
        raise CellWrong(FaultCode.NOT_AN_ID_NUMBER)
    return number


def born_on_of(id_number: str) -> date | None:
    """The day of birth that an identity number of 18 characters tells; None for other documents."""
    return _day_inside(id_number) if _RESIDENT_ID.fullmatch(id_number) else None


def _day_inside(number: str) -> date:
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise CellWrong(FaultCode.ID_NUMBER_WITHOUT_DAY) from None


def _check_character(number: str) -> str:
    total = sum(map(mul, _WEIGHTS, map(int, number[:17])))
    return _CHECK_CHARACTERS[total % 11]
