"""The last look: whether an order is still ours to give, asked when its first byte is to go out.

Between deciding to send and sending lies time: for a connection, for a turn, for whatever else the
process does, or because the machine stood still. Somebody else may have the order by then.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar, copy_context

from aiohttp.abc import AbstractStreamWriter
from aiohttp.payload import BytesPayload

from dialer.carriers import CarrierUnreachable

Holds = Callable[[], bool]
"""Looks now, and waits for nothing."""


def _always() -> bool:
    return True


_holds: ContextVar[Holds] = ContextVar("holds", default=_always)


@contextmanager
def only_while(holds: Holds) -> Iterator[None]:
    """Whatever is sent within the block, and by tasks begun in it, is sent only while it holds."""
    outer = _holds.get()
    within = holds if outer is _always else lambda: outer() and holds()
    token = _holds.set(within)
    try:
        yield
    finally:
        _holds.reset(token)


def last_look() -> Holds:
    """What is to be looked at before anything is sent from here."""
    return _holds.get()


def apart() -> Context:
    """For a task that is begun within such a block and is no part of what is sent there.

    An order may bring news, and news other orders: those are to be looked at for themselves.
    """
    context = copy_context()
    context.run(_holds.set, _always)
    return context


class NotOurs(CarrierUnreachable):
    """It was not sent, for it is somebody else's to send by now."""

    def __init__(self) -> None:
        super().__init__("somebody else may give this order by now")


class Body(BytesPayload):
    """A request's body, with which its head goes out: all of it at once if `holds`, or nothing.

    What the HTTP client raises where it does not hold says little: ask `is_withheld`.
    """

    def __init__(
        self, body: bytes, holds: Holds, *, content_type: str = "application/json"
    ) -> None:
        super().__init__(body, content_type=content_type)
        self.is_withheld = False
        self._holds = holds

    async def write_with_length(
        self, writer: AbstractStreamWriter, content_length: int | None
    ) -> None:
        """Look, and hand the bytes to the machine: no loop's turn lies in between."""
        if not self._holds():
            self.is_withheld = True
            raise NotOurs
        await super().write_with_length(writer, content_length)
