"""What becomes of an order that could not be obeyed. Pure: the simulation decides by it too."""

from enum import Enum, auto

from dialer.call import Call
from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable
from dialer.orders import Bridge, CarrierOrder, HangUp, Limit, Part, Say
from terms.ids import LegId

ASK_AGAIN_SECONDS = 0.5
MOST_TRIES = 60
"""At half a second each: as long as an order can matter; the dialer's own timers end the wait."""

_MOST_DENIALS = 6
"""So often a bridge is asked for that may have stood before, until news must have come (3 s)."""

_LONGEST_ASIDE_SECONDS = 4.0
"""How long a limit that could not be moved waits at most before it is tried again."""

_NO_SUCH_LEG = 481  # SIP


class Next(Enum):
    """What is done about an order that failed."""

    REFUSED = auto()  # the carrier's no stands
    GIVEN_UP = auto()
    AGAIN = auto()  # in a moment; what follows in its call waits
    ASIDE = auto()  # in a while; what follows in its call goes past


def after_fault(
    order: CarrierOrder, why: CarrierRefused | CarrierUnknown, tries: int, *, was_sent: bool
) -> Next:
    """`tries` counts this one; `was_sent`: perhaps it arrived before this one already.

    A bridge that may have arrived is refused when the two have talked and are gone by now. Taken
    at its word that would be an attempt that failed; the news of the talk is on its way.
    """
    if isinstance(why, CarrierRefused) and not is_asked_again(order, why):
        may_be_over = was_sent and isinstance(order, Bridge) and tries < _MOST_DENIALS
        return Next.AGAIN if may_be_over else Next.REFUSED
    if isinstance(order, Limit):
        return Next.ASIDE  # again as long as its leg stands (X55)
    if is_dropped(order, was_sent=was_sent or may_have_arrived(why)) or tries >= MOST_TRIES:
        return Next.GIVEN_UP
    return Next.AGAIN


def is_asked_again(order: CarrierOrder, refusal: CarrierRefused) -> bool:
    """Whether a no may be a yes in a moment, and has to be: a carrier that is too busy says no.

    A limit that is not lifted cuts somebody in danger (X55); a leg that is not let go talks on.
    """
    return isinstance(order, Limit | HangUp) and refusal.sip != _NO_SUCH_LEG


def may_have_arrived(why: CarrierRefused | CarrierUnknown) -> bool:
    """Whether the carrier may have obeyed all the same."""
    return isinstance(why, CarrierUnknown) and not isinstance(why, CarrierUnreachable)


def is_dropped(order: CarrierOrder, *, was_sent: bool) -> bool:
    """Better once too few than spoken twice."""
    return was_sent and isinstance(order, Say)


def aside_seconds(times: int) -> float:
    """How long an order that has stepped aside `times` before stays there."""
    return min(ASK_AGAIN_SECONDS * 2.0 ** min(times, 8), _LONGEST_ASIDE_SECONDS)


def still_stands(order: CarrierOrder, call: Call | None) -> bool:
    """Whether an order that is tried again still has legs to act on.

    A caller who was turned away has no call to look at.
    """
    if call is None or isinstance(order, HangUp | Part):
        return True
    legs = order.legs if isinstance(order, Bridge) else (order.leg,)
    return {leg.id for leg in call.all_standing()}.issuperset(legs)


def limits(order: CarrierOrder, leg: LegId) -> bool:
    """Whether the order sets the leg's limit, so that an earlier limit would take it back."""
    return (
        leg in order.legs
        if isinstance(order, Bridge)
        else (isinstance(order, Limit) and order.leg == leg)
    )
