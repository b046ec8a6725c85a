"""Which orders are sent again, after how long and how often. Pure: the simulation asks it too."""

from dialer.carriers import CarrierRefused
from dialer.orders import CarrierOrder, HangUp, Limit

ASK_AGAIN_SECONDS = 0.5
MOST_TRIES = 60
"""At half a second each: as long as an order can matter; the dialer's own timers end the wait."""

_NO_SUCH_LEG = 481  # SIP


def is_asked_again(order: CarrierOrder, refusal: CarrierRefused) -> bool:
    """Whether a no may be a yes in a moment, and has to be: a carrier that is too busy says no.

    A limit that is not lifted cuts somebody in danger (X55); a leg that is not let go talks on.
    """
    return isinstance(order, Limit | HangUp) and refusal.sip != _NO_SUCH_LEG
