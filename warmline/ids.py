"""New ids: time-ordered, so that an index over them grows at one end."""

import os
import time
from collections.abc import Callable
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, in its sorting order
_LENGTH = 26
_RANDOM_BYTES = 10


def new_id(
    prefix: str,
    *,
    now: datetime | None = None,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> str:
    """`prefix_` and 26 characters: 48 bits of milliseconds, then 80 random bits.

    `now` and `random_bytes` are for tests and the simulation; the machine's own by default.
    """
    milliseconds = time.time_ns() // 1_000_000 if now is None else int(now.timestamp() * 1000)
    value = milliseconds << (8 * _RANDOM_BYTES) | int.from_bytes(random_bytes(_RANDOM_BYTES))
    letters = [_ALPHABET[value >> (5 * place) & 31] for place in reversed(range(_LENGTH))]
    return f"{prefix}_{''.join(letters)}"
