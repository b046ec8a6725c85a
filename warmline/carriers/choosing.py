"""Which carrier `WARMLINE_CARRIER` names. A new kind is one module here and one line in each."""

from contextlib import AsyncExitStack

from warmline.carriers.in_use import CarrierInUse, Place
from warmline.carriers.simulated import SimulatedInUse, start_handsets
from warmline.exits import Unusable
from warmline.settings import Settings

_NOT_YET = "WARMLINE_CARRIER={} is not part of this version: leave it out, or set it to simulated."


def check_carrier(settings: Settings) -> None:
    """Before anything is started: whether the settings are enough to use it. Raises Unusable."""
    match settings.carrier:
        case "simulated":
            pass
        case "asterisk":
            raise Unusable(_NOT_YET.format(settings.carrier))
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
            raise Unusable(_NOT_YET.format(place.settings.carrier))
        case "twilio":
            from warmline.carriers.twilio import TwilioInUse

            return TwilioInUse(place)
