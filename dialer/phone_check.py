"""Whether somebody's phone can be reached: it is rung by itself, outside any call.

The phone is a leg like any other, named after the check as others are after their call; so every
carrier rings it as it rings any. Nothing is attempted, billed or counted.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dialer.carriers import News
from dialer.leg import Failure, Leg, failure_of, observe
from dialer.orders import CarrierOrder, HangUp, Ring, Say
from terms.ids import CallId, LegId
from terms.values import replace
from terms.verdict import Role

PREFIX = "phonecheck"
RING_SECONDS = 25
LONGEST = timedelta(seconds=50)
"""After so long the phone is let go, whatever it did."""

_UNHEARD = timedelta(seconds=10)
"""Nothing is expected of the carrier so long after that."""


class CheckState(StrEnum):
    """What is known of the phone by now."""

    RINGING = "ringing"
    REACHED = "reached"  # somebody answered and pressed 1
    NOT_REACHED = "not_reached"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCheck:
    """A phone that was rung to see whether it can be."""

    id: CallId
    party: str
    asked_at: datetime
    leg: Leg

    def state(self, now: datetime) -> CheckState:
        """Answering alone is not enough: a voicemail does that too."""
        if self.leg.accepted_at is not None:
            return CheckState.REACHED
        is_over = self.leg.release is not None or now >= self.asked_at + LONGEST + _UNHEARD
        return CheckState.NOT_REACHED if is_over else CheckState.RINGING

    def why_not(self, now: datetime) -> Failure | None:
        """What kept the phone from being reached."""
        if self.state(now) is not CheckState.NOT_REACHED:
            return None
        if self.leg.answered_at is not None:
            return Failure.NOT_ACCEPTED
        return failure_of(self.leg)


def is_check(name: CallId) -> bool:
    """Whether what a leg is named after is a check, and no call."""
    return name.startswith(f"{PREFIX}_")


def begin(id: CallId, party: str, now: datetime) -> tuple[PhoneCheck, tuple[CarrierOrder, ...]]:
    """Ring; the order to let the phone go is for `LONGEST` from now, or for when it is over."""
    leg = Leg(id=LegId(f"{id}/{Role.COUNSELOR}/1"), role=Role.COUNSELOR, rung_at=now, party=party)
    check = PhoneCheck(id=id, party=party, asked_at=now, leg=leg)
    return check, (Ring(leg.id, leg.role, party, RING_SECONDS),)


def heard(
    check: PhoneCheck, news: News, now: datetime
) -> tuple[PhoneCheck, tuple[CarrierOrder, ...]]:
    """Whoever answers is asked to press 1, and let go once they did."""
    before, leg = check.leg, observe(check.leg, news, now)
    check = replace(check, leg=leg)
    if leg.release is not None:
        return check, ()
    if leg.accepted_at is not None:
        return check, () if before.accepted_at is not None else (HangUp(leg.id),)
    if leg.answered_at is not None and before.answered_at is None:
        return check, (Say(leg.id, "phone_check"),)
    return check, ()
