"""What every carrier must do, told once. A carrier's test module subclasses `CarrierConformance`
and gives it a `rig`; nothing here knows which carrier it tests.
"""

from tests.dialer.carriers.conformance_ringing import RingingConformance
from tests.dialer.carriers.conformance_talking import TalkingConformance
from tests.dialer.carriers.conformance_telling import TellingConformance


class CarrierConformance(RingingConformance, TalkingConformance, TellingConformance):
    """The suite. `rig` is a fixture of the subclass; the carrier is open and its world is empty."""
