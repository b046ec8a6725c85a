"""Proving that a phone number is in the hand of whoever types it (A10, B12, 4.7).

A code of six digits, sent by SMS, lives five minutes, bears five wrong tries, works once, and is
bound to its purpose and number. Only a keyed hash of it is kept; the newest code of a number is the
only one that works. A wrong answer must be saved as well as a right one: `answer` never raises.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType

from routing.limits import Limit, allowed_from
from terms.ids import CallerId, DeviceId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused

VerificationId = NewType("VerificationId", str)

CODE_DIGITS = 6
CODE_LIFE = timedelta(minutes=5)
CODE_TRIES = 5
RESEND_AFTER = timedelta(seconds=60)
DEVICE_LIFE = timedelta(days=180)
"""How long a verified device speaks for its number: a SIM changes hands after about half a year of
disuse, so a proof older than that proves nothing."""

NUMBER_LIMITS = (
    Limit(1, int(RESEND_AFTER.total_seconds())),
    Limit(5, 60 * 60, by_clock=True),
    Limit(10, 24 * 60 * 60),
)
"""Codes per number: the hour by the clock and the day sliding, as vendors count (4.7). Our sliding
minute is stricter than their minute of the clock."""

ADDRESS_LIMITS = (Limit(20, 60 * 60),)
"""Codes per network address, whatever the numbers."""


class Purpose(StrEnum):
    """What a code is good for; a code for one purpose is wrong for every other."""

    DEVICE = "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """One code on its way to one number. `digest` is `code_digest` of it, never the code."""

    id: VerificationId
    purpose: Purpose
    number: PhoneNumber
    digest: bytes
    sent_at: datetime
    tries: int = 0  # wrong ones
    confirmed_at: datetime | None = None
    superseded_at: datetime | None = None

    def __post_init__(self) -> None:
        assert 0 <= self.tries <= CODE_TRIES

    @property
    def expires_at(self) -> datetime:
        """From this instant on the code is no longer taken."""
        return self.sent_at + CODE_LIFE

    @property
    def resend_at(self) -> datetime:
        """The earliest instant at which another code may be asked for."""
        return self.sent_at + RESEND_AFTER


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The code was right, in time and for the first time."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Not the code; `tries_left` more before it dies."""

    tries_left: int


@dataclass(frozen=True, slots=True)
class Expired:
    """No answer can be right any more: too late, used, used up, or a newer code was sent."""


Answer = Confirmed | Wrong | Expired


def code_digest(
    key: bytes, verification: VerificationId, purpose: Purpose, number: PhoneNumber, code: str
) -> bytes:
    """The keyed hash to keep instead of the code; it binds the code to purpose and number."""
    bound = "\n".join((verification, purpose, number.digits, code))
    return hmac.digest(key, bound.encode(), hashlib.sha256)


def send_allowed_from(
    to_number: Iterable[datetime], from_address: Iterable[datetime], now: datetime
) -> datetime | None:
    """When the next code may be sent; None means now.

    The arguments are the submits that were made, delivered or not: a failed one counts (4.7).
    """
    waits = (
        allowed_from(to_number, NUMBER_LIMITS, now),
        allowed_from(from_address, ADDRESS_LIMITS, now),
    )
    return max((wait for wait in waits if wait is not None), default=None)


def answer(verification: Verification, digest: bytes, now: datetime) -> tuple[Verification, Answer]:
    """Judge one try. Save what comes back before telling the person anything."""
    if not _is_open(verification, now):
        return verification, Expired()
    if hmac.compare_digest(verification.digest, digest):
        return replace(verification, confirmed_at=now), Confirmed()
    tried = replace(verification, tries=verification.tries + 1)
    return tried, Wrong(CODE_TRIES - tried.tries)


def refusal(given: Answer) -> Refused | None:
    """What to tell the person; None when the code was right."""
    match given:
        case Confirmed():
            return None
        case Wrong(tries_left):
            detail = f"That is not the code. Tries left: {tries_left}."
            return Refused(RefusalCode.CODE_WRONG, detail)
        case Expired():
            detail = "This code can no longer be used. Ask for a new one."
            return Refused(RefusalCode.CODE_EXPIRED, detail)


def _is_open(verification: Verification, now: datetime) -> bool:
    settled = verification.confirmed_at or verification.superseded_at
    return settled is None and verification.tries < CODE_TRIES and now < verification.expires_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A phone that has proved its number, and so speaks for that caller's account (A08).

    A SIM is in one phone: verifying a number on another device supersedes this one.
    """

    id: DeviceId
    caller: CallerId
    verified_at: datetime
    superseded_at: datetime | None = None

    @property
    def verified_until(self) -> datetime:
        """From this instant on the number must be verified again."""
        return self.verified_at + DEVICE_LIFE

    def is_live(self, now: datetime) -> bool:
        """Whether the device still speaks for its number."""
        return self.superseded_at is None and now < self.verified_until
