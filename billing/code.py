"""Voucher codes: what a person types from an SMS.

Fifteen characters drawn from 32 carry 75 bits: a million valid codes among 3.8 * 10**22. The
sixteenth is a check character, so that a slip of the finger is told apart from a guess. The code
itself is never stored, only a keyed hash of it.
"""

import hmac
import unicodedata

from terms.refusals import RefusalCode, Refused

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No I, L, O, U: they are read as 1, 1, 0 and V."""

LENGTH = 16
RANDOM_BYTES = 10
GROUP = 4

_DRAWN = LENGTH - 1
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_LOOKALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_FIELD_POLYNOMIAL = 0b100101  # x^5 + x^2 + 1, primitive: its powers give 31 different weights


def draw(randomness: bytes) -> str:
    """A new code from `RANDOM_BYTES` bytes of the shell's randomness."""
    if len(randomness) != RANDOM_BYTES:
        raise ValueError(f"a code takes {RANDOM_BYTES} random bytes")
    number = int.from_bytes(randomness)
    drawn = "".join(ALPHABET[(number >> (5 * place)) & 31] for place in range(_DRAWN))
    return drawn + _check_character(drawn)


def read(typed: str) -> str:
    """The code behind what a person typed: any case, spaces, dashes, full width, O for 0.

    Raises Refused(voucher_invalid) when it cannot be a code at all; no look-up is spent on it.
    """
    wide = unicodedata.normalize("NFKC", typed).upper()
    code = "".join(filter(str.isalnum, wide)).translate(_LOOKALIKE)
    if len(code) != LENGTH or any(character not in _VALUE for character in code):
        raise Refused(
            RefusalCode.VOUCHER_INVALID,
            f"A code has {LENGTH} letters and digits; please copy it from the message again.",
        )
    if _check_character(code[:_DRAWN]) != code[_DRAWN]:
        raise Refused(
            RefusalCode.VOUCHER_INVALID, "The code has a typing mistake; please compare it again."
        )
    return code


def spaced(code: str) -> str:
    """The code as it is sent: groups of four with dashes."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def hashed(code: str, key: bytes) -> bytes:
    """What is stored and looked up: HMAC-SHA-256 of the code under the house's key."""
    return hmac.digest(key, code.encode("ascii"), "sha256")


def _check_character(drawn: str) -> str:
    """Weighted sum over the field of 32 elements.

    Every place has another weight, and none is zero: one wrong character, or two that changed
    places, always change the sum.
    """
    total = 0
    for character in drawn:
        total = _doubled(total ^ _VALUE[character])
    return ALPHABET[total]


def _doubled(element: int) -> int:
    element <<= 1
    return element ^ _FIELD_POLYNOMIAL if element & 0b100000 else element
