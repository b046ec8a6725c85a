"""No phone rings twice for one ring, however its answer, its asker or its time is lost."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta

import pytest

from dialer.carriers import Carrier, CarrierUnknown, CarrierUnreachable, Report
from dialer.carriers.last_look import Holds, NotOurs, last_look, only_while
from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.budget import Budget, unlimited
from dialer.carriers.twilio.carrier import Presence, TwilioCarrier
from terms.ids import LegId
from terms.phone import PhoneNumber
from tests.dialer.carriers.rig import Behaviour
from tests.dialer.carriers.twilio.rig import OURS, PUBLIC, TwilioRig
from tests.twilio_standin.clock import VirtualClock
from tests.twilio_standin.faults import Failure

LEG = LegId("call1/caller/1")


async def ring(carrier: Carrier, phone: PhoneNumber) -> None:
    await carrier.ring(LEG, phone, shows=OURS, ring_seconds=20)


def rung(rig: TwilioRig, phone: PhoneNumber) -> int:
    return rig.twilio.phone(phone.digits).rung


@asynccontextmanager
async def another_process(
    rig: TwilioRig, budget: Budget | None = None
) -> AsyncIterator[TwilioCarrier]:
    """With the same account and the same book, and orders of its own."""
    account = rig.twilio.account
    carrier = TwilioCarrier(
        Access(account_sid=account.sid, auth_token=account.token, api_url=rig.twilio.url),
        rig.book,
        Presence(public_url=PUBLIC, numbers=(OURS,), words=lambda prompt, _: prompt),
        budget or unlimited(),
        now=rig.twilio.clock.now,
        new_secret=lambda: secrets.token_hex(8),
    )
    await carrier.open(rig.receive)
    try:
        yield carrier
    finally:
        await carrier.close()


class Held:
    """A second of the account's that is waited for until the test gives it."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.given = asyncio.Event()
        self.budget = Budget(self._hit, 1)

    async def _hit(self, _name: str, _most: int) -> bool:
        self.reached.set()
        await self.given.wait()
        return True


async def test_a_list_that_took_long_to_come_proves_nothing_about_what_came_after_it(
    rig: TwilioRig,
) -> None:
    """Asked at once, answered ten seconds later: the call may have got into the list meanwhile."""
    rig.twilio.failures.plan("CreateCall", Failure.DISCONNECT_BEFORE)
    phone = await rig.phone(Behaviour.BY_HAND)
    with pytest.raises(CarrierUnknown):
        await ring(rig.carrier, phone)

    async def time_goes_by() -> None:
        _meanwhile(rig, 11)

    rig.twilio.rest.before_answering = time_goes_by
    with pytest.raises(CarrierUnknown):
        await ring(rig.carrier, phone)
    rig.twilio.rest.before_answering = None

    assert rung(rig, phone) == 0
    await ring(rig.carrier, phone)
    await rig.settle()
    assert rung(rig, phone) == 1


async def test_who_waited_too_long_between_saying_and_asking_does_not_ask(rig: TwilioRig) -> None:
    phone = await rig.phone(Behaviour.BY_HAND)
    with _delayed(rig, 4), pytest.raises(CarrierUnreachable):
        await ring(rig.carrier, phone)
    assert rung(rig, phone) == 0

    await ring(rig.carrier, phone)
    await rig.settle()
    assert rung(rig, phone) == 1


async def test_an_order_that_is_anothers_by_now_is_not_asked_of_twilio(rig: TwilioRig) -> None:
    phone = await rig.phone(Behaviour.BY_HAND)
    looks: list[bool] = []

    def until_the_request_is_made() -> bool:
        looks.append(True)
        return False

    with only_while(until_the_request_is_made), pytest.raises(NotOurs):
        await ring(rig.carrier, phone)

    assert looks
    assert rung(rig, phone) == 0
    await ring(rig.carrier, phone)
    await rig.settle()
    assert rung(rig, phone) == 1


async def test_of_two_processes_that_find_an_order_came_to_nothing_one_asks_again(
    rig: TwilioRig,
) -> None:
    rig.twilio.failures.plan("CreateCall", Failure.SERVER_ERROR)
    phone = await rig.phone(Behaviour.BY_HAND)
    with pytest.raises(CarrierUnknown):
        await ring(rig.carrier, phone)
    await rig.pass_time(11)

    held = Held()
    async with another_process(rig, held.budget) as frozen:
        waiting = asyncio.create_task(ring(frozen, phone))
        await asyncio.wait_for(held.reached.wait(), 5)
        with pytest.raises(CarrierUnknown):  # the other may be asking just now
            await ring(rig.carrier, phone)
        await rig.pass_time(11)
        await ring(rig.carrier, phone)
        held.given.set()
        with pytest.raises(CarrierUnknown):
            await waiting
    await rig.settle()

    assert rung(rig, phone) == 1


async def test_who_gives_up_an_asking_forgets_nothing_that_another_asked_since(
    rig: TwilioRig,
) -> None:
    phone = await rig.phone(Behaviour.BY_HAND)
    held = Held()
    async with another_process(rig, held.budget) as frozen:
        waiting = asyncio.create_task(ring(frozen, phone))
        await asyncio.wait_for(held.reached.wait(), 5)
        await rig.pass_time(11)
        rig.twilio.failures.plan("CreateCall", Failure.DISCONNECT_AFTER)
        rig.twilio.misdelivery.drop = 1.0
        with pytest.raises(CarrierUnknown):
            await ring(rig.carrier, phone)
        held.given.set()
        with pytest.raises(CarrierUnknown):
            await waiting
    for _ in range(3):
        await rig.pass_time(5)
        await ring(rig.carrier, phone)
    await rig.settle()

    assert rung(rig, phone) == 1


async def test_a_second_asking_that_was_turned_away_leaves_the_first_to_be_looked_for(
    rig: TwilioRig,
) -> None:
    """The first was accepted, and told of so late that everybody had given it up."""
    rig.twilio.failures.plan("CreateCall", Failure.SERVER_ERROR, Failure.TOO_MANY)
    phone = await rig.phone(Behaviour.BY_HAND)
    with pytest.raises(CarrierUnknown):
        await ring(rig.carrier, phone)
    before = await rig.book.load(LEG)
    await rig.pass_time(11)

    with pytest.raises(CarrierUnreachable):
        await ring(rig.carrier, phone)

    after = await rig.book.load(LEG)
    assert before is not None
    assert after is not None
    assert (after.token, after.asked_at, after.sid) == (before.token, before.asked_at, None)
    await ring(rig.carrier, phone)
    await rig.settle()
    assert rung(rig, phone) == 1


def _meanwhile(rig: TwilioRig, seconds: float) -> None:
    """Time goes by while a request is under way."""
    clock = rig.twilio.clock
    assert isinstance(clock, VirtualClock)
    until = clock.now() + timedelta(seconds=seconds)
    while clock.step(until):
        pass


@contextmanager
def _delayed(rig: TwilioRig, seconds: float) -> Iterator[None]:
    """Requests leave that much later than they are made."""
    http = rig.twilio_carrier._open()._http
    request: Callable[..., Awaitable[object]] = http.request

    async def late(*given: object, **more: object) -> object:
        _meanwhile(rig, seconds)
        return await request(*given, **more)

    http.request = late  # type: ignore[method-assign]
    try:
        yield
    finally:
        del http.request


async def test_news_that_an_order_brings_is_not_bound_to_that_order(rig: TwilioRig) -> None:
    """What follows from it goes out although the order itself is somebody else's by then."""
    looks: list[Holds] = []

    async def receive(report: Report) -> None:
        looks.append(last_look())
        await rig.receive(report)

    phone = await rig.phone(Behaviour.BY_HAND)
    await ring(rig.carrier, phone)
    await rig.settle()
    await rig.carrier.close()
    await rig.carrier.open(receive)
    is_ours = True
    with only_while(lambda: is_ours):
        await rig.carrier.hang_up(LEG)
    is_ours = False
    await rig.settle()

    assert looks
    assert all(look() for look in looks)
