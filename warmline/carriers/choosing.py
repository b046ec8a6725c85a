"""Which carrier `WARMLINE_CARRIER` names. A new kind is one module here and one line in each."""

from contextlib import AsyncExitStack

from warmline.carriers.asterisk import AsteriskInUse, check_asterisk
from warmline.carriers.in_use import CarrierInUse, Place
from warmline.carriers.simulated import SimulatedInUse, start_handsets
from warmline.settings import Settings


def check_carrier(settings: Settings) -> None:
    """Before anything is started: whether the settings are enough to use it. Raises Unusable."""
    match settings.carrier:
        case "simulated":
            pass
        case "asterisk":
            check_asterisk(settings)
        case "twilio":
            from warmline.carriers.twilio import check_twilio  # few need it: start sooner

            check_twilio(settings)


def begin_early(settings: Settings, stack: AsyncExitStack) -> None:
    """Begin what takes a while, beside the database."""
    if settings.carrier == "simulated" and settings.handsets_url is None:
        start_handsets(settings, stack)


def carrier_in_use(place: Place) -> CarrierInUse:
    """The one that the settings name. Raises Unusable."""
    match place.settings.carrier:
        case "simulated":
            return SimulatedInUse(place)
        case "asterisk":
            return AsteriskInUse(place)
        case "twilio":
            from warmline.carriers.twilio import TwilioInUse

            return TwilioInUse(place)
