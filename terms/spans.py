"""Lengths of time, each made once: decisions add the same few of them to instants all day long."""

from datetime import timedelta
from functools import lru_cache


@lru_cache(maxsize=4096)
def seconds(number: float) -> timedelta:
    """That many seconds."""
    return timedelta(seconds=number)
