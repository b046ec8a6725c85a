"""Waiting for something to come true, never for ever."""

import asyncio
import time
from collections.abc import Callable

_LOOK_SECONDS = 0.005


class NotMeasured(Exception):
    """A step did not come to its end in time; the text names it."""


async def until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once `condition` holds. Raises NotMeasured after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotMeasured(f"{what}: not within {seconds:.0f} s")
        await asyncio.sleep(_LOOK_SECONDS)
