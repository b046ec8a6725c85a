"""What Twilio itself recorded of our legs: to be held against what we saw of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from datetime import datetime, timedelta

from dialer.carriers.twilio.api import Api, Found
from dialer.carriers.twilio.release import is_terminal
from dialer.records import CarrierRecord
from terms.ids import LegId

AT_ONCE = timedelta(hours=6)
"""Twilio's list is read in stretches of this: a month of calls is not held at a time."""

LegsOf = Callable[[Collection[str]], Awaitable[Mapping[str, LegId]]]
"""Which legs of ours these calls are; calls that are none of ours are left out."""


class TwilioRecords:
    """Implements `dialer.records.CarrierRecords` with the account's own list of calls."""

    def __init__(self, api: Api, legs_of: LegsOf) -> None:
        self._api = api
        self._legs_of = legs_of
        self.others = 0
        """Calls of the account that are no legs of ours, or of before we remember."""

    async def records(self, since: datetime, until: datetime) -> AsyncIterator[CarrierRecord]:
        """Every leg that is over and began in that time, answered or not, once.

        Raises CarrierRefused, CarrierUnreachable, CarrierUnknown.
        """
        begin = since
        while begin < until:
            end = min(begin + AT_ONCE, until)
            found = [
                call
                for call in await self._api.calls_between(begin, end)
                if call.started_at is not None and begin <= call.started_at < end
            ]
            legs = await self._legs_of([call.sid for call in found])
            self.others += sum(call.sid not in legs for call in found)
            for call in found:
                if call.sid in legs and is_terminal(call.status):
                    yield _record(legs[call.sid], call)
            begin = end


def _record(leg: LegId, call: Found) -> CarrierRecord:
    assert call.started_at is not None
    return CarrierRecord(leg=leg, started_at=call.started_at, billed_seconds=call.seconds or 0)
