"""News from the handsets process: pushed until stored, to whichever service lives."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest

from dialer.carriers import (
    CarrierUnknown,
    CarrierUnreachable,
    LegAnswered,
    LegEnded,
    LegRinging,
    Report,
)
from dialer.carriers.simulated.address import Address
from dialer.carriers.simulated.client import NEWS_PATH
from dialer.carriers.simulated.control import RemoteHands
from dialer.carriers.simulated.faults import Faults
from dialer.carriers.simulated.handset import NotPossible
from dialer.carriers.simulated.script import Answers, Script
from terms.ids import LegId
from terms.phone import PhoneNumber
from tests.dialer.carriers.handsets import TOKEN, Service, handsets_server
from tests.dialer.carriers.test_over_http import wait_until_told

ANN = PhoneNumber("+8613800000001")
LEG = LegId("c1/caller/1")


@dataclass
class Ear:
    """A receiver's store: what was kept, and whether it fails now."""

    kept: list[Report] = field(default_factory=list)
    tried: int = 0
    broken: bool = False
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, report: Report) -> None:
        self.tried += 1
        self.more.set()
        if self.broken:
            raise ConnectionError("the store is away")
        self.kept.append(report)

    async def until(self, count: int) -> list[type]:
        """The kinds of what was kept, once that many are."""
        async with asyncio.timeout(20):
            while len(self.kept) < count:
                self.more.clear()
                await self.more.wait()
        return [type(report.news) for report in self.kept]

    async def until_tried(self, count: int) -> None:
        async with asyncio.timeout(20):
            while self.tried < count:
                self.more.clear()
                await self.more.wait()


@dataclass
class House:
    """A handsets server, hands on its phones, and services that may come and go."""

    address: Address
    hands: RemoteHands
    services: list[Service] = field(default_factory=list)

    async def locate(self) -> Address:
        return self.address

    async def service(self, ear: Ear, *, port: int = 0) -> Service:
        service = Service(self.locate, TOKEN)
        await service.start(ear.receive, port=port)
        self.services.append(service)
        return service


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with handsets_server() as address:

        async def locate() -> Address:
            return address

        house = House(address, RemoteHands(locate, TOKEN))
        await house.hands.script(ANN, Script(answers=Answers.YES))
        yield house
        for service in house.services:
            await service.stop()
        await house.hands.close()


async def ring(service: Service, leg: LegId = LEG) -> None:
    assert service.carrier is not None
    await service.carrier.ring(leg, ANN, shows="95", ring_seconds=30)


async def test_news_that_cannot_be_stored_is_told_again_in_order(house: House) -> None:
    ear = Ear(broken=True)
    service = await house.service(ear)
    await ring(service)
    await ear.until_tried(3)
    assert await house.hands.news_waiting() == 2

    ear.broken = False

    assert await ear.until(2) == [LegRinging, LegAnswered]
    assert len({report.id for report in ear.kept}) == 2
    await wait_until_told(house.hands)


async def test_news_made_while_earlier_news_fails_waits_its_turn(house: House) -> None:
    ear, fail_now = Ear(), asyncio.Event()

    async def fails_once_slowly(report: Report) -> None:
        if not fail_now.is_set():
            ear.tried += 1
            ear.more.set()
            await fail_now.wait()
            raise ConnectionError("the store is away")
        await ear.receive(report)

    service = Service(house.locate, TOKEN)
    await service.start(fails_once_slowly)
    house.services.append(service)
    await house.hands.script(ANN, Script())
    await ring(service)
    await ear.until_tried(1)
    await house.hands.answer(ANN)

    fail_now.set()

    assert await ear.until(2) == [LegRinging, LegAnswered]


async def test_a_clock_moved_close_to_a_moment_does_not_miss_it(house: House) -> None:
    ear = Ear()
    service = await house.service(ear)
    await house.hands.script(ANN, Script(answers=Answers.YES, after_seconds=25))
    await ring(service)
    await ear.until(1)

    due = await house.hands.next_due()
    assert due is not None
    assert 24.5 < (due - ear.kept[0].news.at).total_seconds() < 25.5

    await house.hands.move_clock(24.9)

    assert await ear.until(2) == [LegRinging, LegAnswered]


async def test_a_call_whose_news_fails_does_not_hold_up_another(house: House) -> None:
    ear = Ear()

    async def all_but_the_first_call(report: Report) -> None:
        if report.news.leg == LEG:
            raise ConnectionError("this one cannot be stored")
        await ear.receive(report)

    service = Service(house.locate, TOKEN)
    carrier = await service.start(all_but_the_first_call)
    house.services.append(service)
    await ring(service)
    await carrier.ring(
        LegId("c2/caller/1"), PhoneNumber("+8613800000002"), shows="95", ring_seconds=30
    )

    assert await ear.until(1) == [LegRinging]
    assert await house.hands.news_waiting() >= 2


async def test_each_report_goes_to_one_of_two_services(house: House) -> None:
    ears = [Ear(), Ear()]
    first, _ = [await house.service(ear) for ear in ears]
    for number in range(12):
        await house.hands.script(
            PhoneNumber(f"+8613900000{number:03}"), Script(answers=Answers.YES)
        )
        assert first.carrier is not None
        phone = PhoneNumber(f"+8613900000{number:03}")
        await first.carrier.ring(LegId(f"d{number}/caller/1"), phone, shows="95", ring_seconds=9)

    await wait_until_told(house.hands)

    kept = [report.id for ear in ears for report in ear.kept]
    assert len(kept) == len(set(kept)) == 24
    assert ears[0].kept
    assert ears[1].kept


async def test_news_goes_to_the_living_service_when_the_other_has_died(house: House) -> None:
    dead, living = Ear(), Ear()
    dying = await house.service(dead)
    alive = await house.service(living)
    assert dying.runner is not None
    await dying.runner.cleanup()  # its lease still runs

    for number in range(6):
        await ring(alive, LegId(f"e{number}/caller/1"))

    await wait_until_told(house.hands)
    assert len({report.news.leg for report in living.kept}) == 6
    assert dead.kept == []
    assert await house.hands.receivers() == 1


async def test_news_waits_while_nobody_listens(house: House) -> None:
    gone, next_ear = Ear(), Ear()
    service = await house.service(gone)
    await ring(service)
    await gone.until(2)
    await service.stop()
    house.services.clear()
    await house.hands.hang_up(ANN)
    assert await house.hands.news_waiting() == 1

    await house.service(next_ear)

    assert await next_ear.until(1) == [LegEnded]


async def test_doubled_news_is_pushed_twice_under_one_id(house: House) -> None:
    ear = Ear()
    service = await house.service(ear)
    await house.hands.set_faults(Faults(duplicate=1))
    await ring(service)
    await house.hands.move_clock(5)

    await ear.until(4)

    assert len({report.id for report in ear.kept}) == 2


async def test_an_order_nobody_listens_to_was_never_sent(house: House) -> None:
    service = Service(house.locate, TOKEN)
    async with handsets_server() as other:
        house.address = other
        await service.start(Ear().receive)
    house.services.append(service)

    with pytest.raises(CarrierUnreachable):
        await ring(service)


async def test_an_order_without_an_answer_is_unknown_not_unreachable(house: House) -> None:
    service = await house.service(Ear())
    await house.hands.set_faults(Faults(unknown=1))

    with pytest.raises(CarrierUnknown) as unknown:
        await ring(service)

    assert not isinstance(unknown.value, CarrierUnreachable)


async def test_orders_given_at_once_keep_their_own_outcomes(house: House) -> None:
    ear = Ear()
    service = await house.service(ear)
    carrier = service.carrier
    assert carrier is not None
    rings = [
        carrier.ring(
            LegId(f"f{n}/caller/1"), PhoneNumber(f"+86137{n:08}"), shows="95", ring_seconds=9
        )
        for n in range(100)
    ]
    lost = [carrier.say(LegId(f"g{n}/caller/1"), "hello", language="en") for n in range(100)]

    outcomes = await asyncio.gather(*rings, *lost, return_exceptions=True)

    assert outcomes[:100] == [None] * 100
    assert {str(outcome) for outcome in outcomes[100:]} == {"leg_gone"}
    assert len(await carrier.live_legs()) == 100


async def test_nobody_gets_in_without_the_token(house: House) -> None:
    service = await house.service(Ear())
    address = house.address.url
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer guess"}) as stranger:
        for method, path in (("GET", "/handsets"), ("POST", "/orders"), ("POST", "/stop")):
            async with stranger.request(method, address + path) as answer:
                assert answer.status == 401
        news = f"http://127.0.0.1:{service.port}{NEWS_PATH}"
        async with stranger.post(news, json={"reports": []}) as answer:
            assert answer.status == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/receivers", {"url": "http://192.0.2.1/news"}),
        ("PUT", "/receivers", {"url": 5}),
        ("PUT", "/handsets/not-a-number", {}),
        ("PUT", "/handsets/+8613800000001", {"answers": "maybe"}),
        ("PUT", "/handsets/+8613800000001", [1]),
        ("POST", "/handsets/+8613800000001/dial", {"to": "+1", "withhold": 1}),
        ("POST", "/handsets/+8613800000001/dial", {"to": "95188", "withhold": 1}),
        ("POST", "/handsets/+8613800000001/press", {"digits": "x"}),
        ("PUT", "/faults", {"lose": 2}),
        ("PUT", "/clock", {"offset_seconds": "soon"}),
        ("POST", "/orders", {"order": "ring"}),
    ],
)
async def test_nonsense_is_refused_and_changes_nothing(
    house: House, method: str, path: str, body: object
) -> None:
    token = {"Authorization": f"Bearer {TOKEN}"}
    before = await house.hands.handsets()
    async with (
        aiohttp.ClientSession(headers=token) as session,
        session.request(method, house.address.url + path, json=body) as answer,
    ):
        assert answer.status == 422
        assert "detail" in await answer.json()
    assert await house.hands.handsets() == before


async def test_news_leaves_the_machine_only_when_that_was_opened() -> None:
    token = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        handsets_server(open_to_network=True) as address,
        aiohttp.ClientSession(headers=token) as session,
        session.put(
            f"{address.url}/receivers", json={"url": "http://warmline-1:8080/news"}
        ) as answer,
    ):
        assert answer.status == 200


async def test_what_a_phone_cannot_do_is_told_by_its_code(house: House) -> None:
    with pytest.raises(NotPossible, match="not_in_call"):
        await house.hands.answer(ANN)


async def test_the_log_tells_what_happened_without_numbers(house: House) -> None:
    service = await house.service(Ear())
    await ring(service)
    await house.hands.dial(PhoneNumber("+8613700000009"), "4008001111")

    events = await house.hands.events()

    assert [event["event"] for event in events] == [
        "hand",
        "report",
        "report",
        "order",
        "hand",
        "report",
    ]
    assert ANN.digits not in str(events)
    assert "13700000009" not in str(events)
    last = events[-1]["n"]
    assert isinstance(last, int)
    assert await house.hands.events(last) == []
    assert await house.hands.events(last - 1) == events[-1:]
