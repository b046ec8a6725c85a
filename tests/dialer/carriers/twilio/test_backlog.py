"""Whoever has not dealt with what Twilio told it knows of which call, and how much that is."""

import asyncio
from datetime import datetime, timedelta

from dialer.carriers import Report
from dialer.carriers.twilio.backlog import Backlog
from terms.ids import CallId, LegId
from tests.dialer.carriers.rig import Behaviour
from tests.dialer.carriers.twilio.lines import NOON
from tests.dialer.carriers.twilio.rig import OURS, TwilioRig
from warmline.carriers.twilio import TwilioHold


class Hands:
    """A clock's hands."""

    def __init__(self) -> None:
        self.at = NOON

    def __call__(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


ONE, OTHER = CallId("call1"), CallId("call2")


def test_what_came_of_a_call_waits_until_it_is_dealt_with_or_hopeless() -> None:
    clock = Hands()
    backlog = Backlog(clock)
    backlog.add("first", ONE)
    assert (backlog.has_of(ONE), backlog.has_of(OTHER)) == (True, False)
    clock.move(10)
    backlog.add("second", ONE)
    backlog.add("first", ONE)  # told again: it came when it came
    clock.move(5)
    backlog.drop("second")
    assert not backlog.has_of(ONE)
    backlog.add("second", ONE)
    assert backlog.has_of(ONE)
    backlog.drop("second")
    backlog.drop("never seen")
    assert not backlog.has_of(ONE)


def test_what_may_be_of_any_call_counts_for_each_once_it_is_late() -> None:
    clock = Hands()
    backlog = Backlog(clock)
    backlog.add("of a phone that dialled in", None)
    clock.move(1)
    assert not backlog.has_of(ONE)
    clock.move(0.1)
    assert backlog.has_of(ONE)
    clock.move(14)
    assert not backlog.has_of(ONE)


def test_a_backlog_is_long_while_many_things_wait_for_more_than_a_second() -> None:
    clock = Hands()
    backlog = Backlog(clock)
    for number in range(10):
        backlog.add(number, ONE)
    clock.move(1)
    assert not backlog.is_long
    clock.move(0.1)
    assert backlog.is_long
    backlog.drop(0)
    assert not backlog.is_long
    backlog.add("another", OTHER)
    clock.move(1.1)
    assert backlog.is_long
    clock.move(13)  # the nine are hopeless by now
    assert not backlog.is_long


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
    assert not hold.awaits(ONE)
    phone = await rig.phone(Behaviour.ANSWERS)
    await rig.carrier.ring(LegId("call1/caller/1"), phone, shows=OURS, ring_seconds=20)
    await asyncio.wait_for(reached.wait(), 5)

    assert (hold.awaits(ONE), hold.awaits(OTHER)) == (True, False)
    gate.set()
    await rig.settle()
    assert not hold.awaits(ONE)


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

    assert (hold.awaits(ONE), hold.awaits(OTHER)) == (True, False)
    gate.set()
    await answering
    await rig.settle()
    assert not hold.awaits(ONE)
