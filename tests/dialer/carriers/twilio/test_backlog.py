"""Whoever is late with what Twilio told it knows that it is."""

import asyncio
from datetime import datetime, timedelta

from dialer.carriers import Report
from dialer.carriers.twilio.backlog import Backlog
from terms.ids import LegId
from tests.dialer.carriers.rig import Behaviour
from tests.dialer.carriers.twilio.lines import NOON
from tests.dialer.carriers.twilio.rig import OURS, TwilioRig
from tests.twilio_standin.clock import VirtualClock
from warmline.carriers.twilio import TwilioHold


class Hands:
    """A clock's hands."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def test_what_waits_for_half_a_second_is_late_until_it_is_dealt_with_or_hopeless() -> None:
    clock = Hands()
    backlog = Backlog(clock)
    backlog.add("first")
    clock.move(0.5)
    assert not backlog.is_late
    clock.move(0.1)
    assert backlog.is_late
    backlog.add("second")
    backlog.add("first")  # told again: it came when it came
    clock.move(14.5)
    assert backlog.is_late  # the first is hopeless by now, and the second late
    backlog.drop("second")
    assert not backlog.is_late
    backlog.drop("never seen")


def test_who_is_late_for_ever_waits_no_longer_and_begins_anew_once_it_was_not() -> None:
    clock = Hands()
    backlog = Backlog(clock)

    def late_for(seconds: int) -> list[bool]:
        seen = []
        for second in range(seconds):
            backlog.add(second)
            clock.move(1)
            seen.append(backlog.is_late)
            backlog.drop(second)
        return seen

    assert late_for(17) == [True] * 15 + [False] * 2
    assert not backlog.is_late
    assert late_for(2) == [True] * 2


async def test_news_that_is_told_and_not_taken_yet_makes_silence_mean_nothing(
    rig: TwilioRig,
) -> None:
    hold, gate = TwilioHold(rig.twilio_carrier.backlog), asyncio.Event()
    reached = asyncio.Event()
    await rig.carrier.close()

    async def slowly(report: Report) -> None:
        reached.set()
        await gate.wait()
        await rig.receive(report)

    await rig.carrier.open(slowly)
    assert hold.hears
    phone = await rig.phone(Behaviour.ANSWERS)
    await rig.carrier.ring(LegId("call1/caller/1"), phone, shows=OURS, ring_seconds=20)
    await asyncio.wait_for(reached.wait(), 5)
    assert isinstance(rig.twilio.clock, VirtualClock)
    rig.twilio.clock.step(rig.twilio.clock.now() + timedelta(seconds=0.6))

    assert not hold.hears
    gate.set()
    await rig.settle()
    assert hold.hears


async def test_a_request_that_is_not_answered_yet_makes_silence_mean_nothing(
    rig: TwilioRig,
) -> None:
    hold, gate, reached = TwilioHold(rig.twilio_carrier.backlog), asyncio.Event(), asyncio.Event()
    change = rig.book.change

    async def slowly(*given: object, **more: object) -> object:
        reached.set()
        await gate.wait()
        return await change(*given, **more)  # type: ignore[arg-type]

    phone = await rig.phone(Behaviour.BY_HAND)
    await rig.carrier.ring(LegId("call1/caller/1"), phone, shows=OURS, ring_seconds=20)
    await rig.settle()
    rig.book.change = slowly  # type: ignore[method-assign, assignment]
    rig.twilio.pick_up(phone.digits)
    answering = asyncio.create_task(rig.twilio.settle())
    await asyncio.wait_for(reached.wait(), 5)
    assert isinstance(rig.twilio.clock, VirtualClock)
    rig.twilio.clock.step(rig.twilio.clock.now() + timedelta(seconds=0.6))

    assert not hold.hears
    gate.set()
    await answering
    await rig.settle()
    assert hold.hears
