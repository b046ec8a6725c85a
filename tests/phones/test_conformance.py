"""The conformance suite over a real Asterisk: SIP and audio on loopback, in real time."""

from tests.dialer.carriers.conformance import CarrierConformance


class TestAsteriskCarrier(CarrierConformance):
    """`rig` is in conftest."""
