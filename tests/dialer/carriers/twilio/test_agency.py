"""A third party in a crisis: only the agency learns the caller's number, and it does (4.2)."""

from dialer.carriers import LegAnswered, LegBridged
from terms.ids import LegId
from tests.dialer.carriers.joined import LONG, Talk, talk
from tests.dialer.carriers.rig import Behaviour
from tests.dialer.carriers.twilio.rig import OURS, TwilioRig


async def an_agency_joins(rig: TwilioRig, call: Talk, role: str, shows: str) -> str:
    """The digits of the phone that joined."""
    phone = await rig.phone(Behaviour.ANSWERS)
    leg = LegId(f"{call.call}/{role}/1")
    await rig.carrier.ring(leg, phone, shows=shows, ring_seconds=20)
    await rig.news(LegAnswered, leg)
    await rig.carrier.bridge(call.call, (leg,), limit_seconds=LONG)
    await rig.news(LegBridged, leg)
    await rig.settle()
    return phone.digits


async def test_the_agency_is_told_the_callers_number_and_nobody_else_is(rig: TwilioRig) -> None:
    call = await talk(rig)

    agency = await an_agency_joins(rig, call, "agency", shows=call.caller.digits)

    heard = rig.twilio.phone(agency).heard
    spoken = " ".join(call.caller.digits.removeprefix("+"))
    assert heard == [spoken, spoken]
    assert await rig.heard(call.caller) == []
    assert await rig.heard(call.counselor) == []
    assert set(rig.twilio.phone(agency).shown) == {OURS}  # Twilio shows no number that is not ours


async def test_nobody_but_an_agency_is_ever_told_a_number(rig: TwilioRig) -> None:
    call = await talk(rig)

    supervisor = await an_agency_joins(rig, call, "supervisor", shows=call.caller.digits)

    assert rig.twilio.phone(supervisor).heard == []


async def test_an_agency_that_a_closed_program_forwards_to_is_shown_ours_and_told_nothing(
    rig: TwilioRig,
) -> None:
    call = await talk(rig)

    agency = await an_agency_joins(rig, call, "agency", shows=OURS)

    assert rig.twilio.phone(agency).heard == []
