"""Which orders are sent again after a no. Pure: the simulation asks it too."""

from dialer.carriers import CarrierRefused
from dialer.orders import CarrierOrder, HangUp, Limit

_NO_SUCH_LEG = 481  # SIP


def is_asked_again(order: CarrierOrder, refusal: CarrierRefused) -> bool:
    """Whether a no may be a yes in a moment, and has to be: a carrier that is too busy says no.

    A limit that is not lifted cuts somebody in danger (X55); a leg that is not let go talks on.
    """
    return isinstance(order, Limit | HangUp) and refusal.sip != _NO_SUCH_LEG
