"""What no webhook told is found by asking: that a leg joined, as well as that it ended."""

from dialer.carriers import CallIn, LegAnswered, LegBridged, LegEnded, LiveLeg, ReleaseSide
from tests.dialer.carriers.joined import LONG, live
from tests.dialer.carriers.rig import Behaviour
from tests.dialer.carriers.twilio.rig import TwilioRig


async def test_a_leg_that_joined_unheard_is_found_in_its_conference(rig: TwilioRig) -> None:
    rig.twilio.misdelivery.drop_if = lambda post: "participant-join" in post.params.values()
    call = rig.call()
    legs = [
        await rig.ring(await rig.phone(Behaviour.ANSWERS), call, role)
        for role in ("caller", "counselor")
    ]
    for leg in legs:
        await rig.news(LegAnswered, leg)
    await rig.carrier.bridge(call, tuple(legs), limit_seconds=LONG)
    await rig.settle()
    assert [await rig.all_news(LegBridged, leg) for leg in legs] == [[], []]

    await rig.carrier.live_legs()

    for leg in legs:
        await rig.news(LegBridged, leg)
    assert await live(rig, call) == {
        leg: LiveLeg(leg=leg, answered=True, bridged=True) for leg in legs
    }
    await rig.carrier.live_legs()
    assert [len(await rig.all_news(LegBridged, leg)) for leg in legs] == [1, 1]


async def test_a_leg_that_is_in_no_conference_is_not_taken_for_joined(rig: TwilioRig) -> None:
    rig.twilio.misdelivery.drop_if = lambda post: "participant-join" in post.params.values()
    call = rig.call()
    leg = await rig.ring(await rig.phone(Behaviour.ANSWERS), call, "caller")
    await rig.news(LegAnswered, leg)
    await rig.carrier.bridge(call, (leg,), limit_seconds=LONG)
    await rig.carrier.part(leg)
    await rig.settle()

    await rig.carrier.live_legs()

    assert await rig.all_news(LegBridged, leg) == []


async def test_an_end_nobody_told_is_told_once_and_by_whom_as_far_as_the_record_says(
    rig: TwilioRig,
) -> None:
    phone = await rig.phone(Behaviour.ANSWERS)
    leg = await rig.ring(phone, rig.call(), "caller")
    await rig.news(LegAnswered, leg)
    rig.twilio.misdelivery.drop_if = lambda _post: True
    await rig.pass_time(10)
    await rig.put_down(phone)
    assert await rig.all_news(LegEnded, leg) == []

    await rig.carrier.live_legs()
    await rig.carrier.live_legs()

    (ended,) = await rig.all_news(LegEnded, leg)
    assert ended.by is ReleaseSide.PARTY


async def test_a_phone_nobody_takes_is_turned_away_in_the_end_and_by_us(rig: TwilioRig) -> None:
    await rig.dial_in(await rig.phone(Behaviour.BY_HAND))
    leg = (await rig.news(CallIn)).leg

    await rig.pass_time(80)
    assert await rig.all_news(LegEnded, leg) == []
    await rig.pass_time(20)

    ended = await rig.news(LegEnded, leg)
    assert ended.by is ReleaseSide.PLATFORM
    assert await rig.all_news(LegAnswered, leg) == []
