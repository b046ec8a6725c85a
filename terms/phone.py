"""A phone number that cannot leak by being printed."""

import re
from dataclasses import dataclass
from typing import Protocol

_DIALLABLE = re.compile(r"\+?[0-9]{3,15}")


@dataclass(frozen=True, slots=True, repr=False, order=True)
class PhoneNumber:
    """A number as the network dials it: E.164 (`+86138...`), or a short code (`12356`, `110`).

    `str()` and `repr()` give the masked form, so that a log line or an error text can never hold
    the number; only `.digits` gives it away.
    """

    digits: str

    def __post_init__(self) -> None:
        if not _DIALLABLE.fullmatch(self.digits):
            raise ValueError("not a phone number")

    @property
    def is_short_code(self) -> bool:
        """Short codes (12356, 110) are dialled as they are and are not E.164 (D01)."""
        return not self.digits.startswith("+")

    @property
    def masked(self) -> str:
        """`+86138****0001`: enough to recognise one's own number, too little to call it."""
        if self.is_short_code:
            return self.digits
        if len(self.digits) >= 12:
            return f"{self.digits[:-8]}****{self.digits[-4:]}"
        return f"{self.digits[:-6]}****{self.digits[-2:]}"

    def __str__(self) -> str:
        return self.masked

    def __repr__(self) -> str:
        return f"PhoneNumber({self.masked})"


class Seal(Protocol):
    """Keeps numbers unreadable at rest and still findable."""

    def seal(self, number: PhoneNumber) -> bytes:
        """Encrypt; the same number sealed twice differs."""
        ...

    def open(self, sealed: bytes) -> PhoneNumber:
        """Decrypt what `seal` gave."""
        ...

    def index(self, number: PhoneNumber) -> bytes:
        """A keyed hash, equal for equal numbers: what look-ups compare."""
        ...
