"""How many voucher codes that are none somebody may try: by device, by number, by address. Pure.

Each miss costs points, and everybody has so many points to lose within an hour and within a day.
Who lost them all waits until the eldest of them are forgotten; nothing is locked for good.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from routing.limits import Limit, allowed_from, retry_after_seconds
from terms.refusals import RefusalCode, Refused

_HOUR = 60 * 60
_DAY = 24 * _HOUR


class TriedBy(StrEnum):
    """Whose tries are counted together; the value names the marks."""

    DEVICE = "voucher_code_by_device"
    NUMBER = "voucher_code_by_number"  # the account: a new device does not begin anew
    STAFF = "voucher_code_by_staff"
    ADDRESS = "voucher_code_from_address"  # many honest people may share one


class Miss(StrEnum):
    """What was wrong with a code."""

    SLIP = "slip"  # its form or its check character: whoever copies a code may do that
    GUESS = "guess"  # it could be a code, and is none


POINTS: Mapping[Miss, int] = {Miss.SLIP: 1, Miss.GUESS: 4}

LIMITS: Mapping[TriedBy, tuple[Limit, ...]] = {
    TriedBy.DEVICE: (Limit(20, _HOUR), Limit(40, _DAY)),
    TriedBy.NUMBER: (Limit(30, _HOUR), Limit(60, _DAY)),
    TriedBy.STAFF: (Limit(60, _HOUR), Limit(240, _DAY)),
    TriedBy.ADDRESS: (Limit(600, _HOUR), Limit(2400, _DAY)),
}
"""In points: five guesses an hour and ten a day from one device."""


def locked_until(lost: Mapping[TriedBy, Iterable[datetime]], now: datetime) -> datetime | None:
    """When another code may be tried; None means now. `lost` are the times of the points lost."""
    waits = [allowed_from(times, LIMITS[by], now) for by, times in lost.items()]
    return max((until for until in waits if until is not None), default=None)


def refusal(until: datetime, now: datetime) -> Refused:
    """What whoever is locked out hears."""
    seconds = retry_after_seconds(until, now)
    minutes = -(-seconds // 60)
    return Refused(
        RefusalCode.RATE_LIMITED,
        f"Too many codes were tried that do not exist. Try again in {minutes} min with the code "
        "from your message; vouchers in your account can be used meanwhile.",
        retry_after_seconds=seconds,
    )
