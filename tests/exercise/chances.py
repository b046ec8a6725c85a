"""What random news and wishes look like."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import TypeVar

from billing.order import Order
from billing.policy import Policy, VoucherUse
from billing.settling import CallEnding, OnExhausted
from terms.ids import CallerId, CallId
from terms.verdict import Confidence, EndedBy, Verdict, VerdictKind

T = TypeVar("T")

POLICY = Policy(no_contact_consumes=True)
WITHOUT_VOUCHER = Policy(voucher=VoucherUse.NONE)
GRANTED_SECONDS = 1500
USES_ALLOWED = 20
PEOPLE = tuple(CallerId(f"caller-{number}") for number in range(40))

_KINDS = tuple(VerdictKind)
_ENDERS = tuple(EndedBy)
_CONFIDENCES = tuple(Confidence)


@dataclass(frozen=True, slots=True)
class Chances:
    """A source of chance that gives the same again for the same seed."""

    random: Random

    def one_of(self, things: Sequence[T]) -> T:
        """Any of them."""
        return things[int(self.random.random() * len(things))]

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens now."""
        return self.random.random() < probability

    def ending(self, order: Order, call: CallId, now: datetime) -> CallEnding:
        """How a call may end, or be found to have ended."""
        talked = order.talk_started_at is not None or self.happens(0.1)
        return CallEnding(
            call=call,
            verdict=Verdict(
                kind=self.one_of(_KINDS),
                by=self.one_of(_ENDERS),
                confidence=self.one_of(_CONFIDENCES),
                reasons=(),
            ),
            connected=talked,
            talked_seconds=int(self.random.random() * 1900) if talked else 0,
            ended_at=now,
            exhausted=self.happens(0.5),
            on_exhausted=OnExhausted.CANCEL if self.happens(0.5) else OnExhausted.KEEP,
        )
