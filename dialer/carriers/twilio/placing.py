"""Asking Twilio for a call, which knows no repeated request: by one at a time, and not too late."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable
from dialer.carriers.last_look import only_while
from dialer.carriers.twilio.api import Api, Placed
from dialer.carriers.twilio.asking import SENT_WITHIN
from dialer.carriers.twilio.book import Book
from dialer.carriers.twilio.budget import Budget
from dialer.carriers.twilio.line import Line

_AT_ONCE = timedelta(seconds=1)


class Placer:
    """Whoever asks writes down that it does, first; nobody else asks within the time in which that
    request may be on its way.
    """

    def __init__(
        self,
        api: Api,
        book: Book,
        budget: Budget,
        now: Callable[[], datetime],
        new_secret: Callable[[], str],
    ) -> None:
        self._api = api
        self._book = book
        self._budget = budget
        self._now = now
        self._new_secret = new_secret

    async def place(
        self, line: Line, before: Line | None, order: Mapping[str, object], *, urgent: bool
    ) -> Placed:
        """Ask for the call of a line: one just added, or one that was asked for in vain `before`.

        Raises CarrierRefused and CarrierUnreachable, which leave the line as it was or not at all,
        and CarrierUnknown.
        """
        asked = line if before is None else await self._ask_anew(before, self._now())
        try:
            await self._budget.take(urgent=urgent)
            if self._now() - asked.asked_at > _AT_ONCE:  # it waited for its second
                asked = await self._ask_anew(asked, self._now())
            too_late = asked.asked_at + SENT_WITHIN
            with only_while(lambda: self._now() < too_late):
                return await self._api.place(**order)
        except CarrierRefused:
            await self._book.forget(asked)
            raise
        except CarrierUnreachable:
            if before is None:
                await self._book.forget(asked)
            else:
                await self._ask_anew(asked, before.asked_at)
            raise

    async def _ask_anew(self, known: Line, asked_at: datetime) -> Line:
        """Write down that we ask for it, as of then, unless somebody else did since it was `known`.

        Raises CarrierUnknown.
        """
        asked_by = self._new_secret()

        def ours(now: Line) -> Line:
            if now.asked_by != known.asked_by or now.sid is not None or now.is_over:
                return now
            return replace(now, asked_at=asked_at, asked_by=asked_by)

        line, _ = await self._book.change(known.leg, ours)
        if line is None or line.asked_by != asked_by:
            raise CarrierUnknown("somebody else asks for this call, or it is there")
        return line
