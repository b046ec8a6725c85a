"""News waits until it is stored, and one call's does not overtake itself."""

import asyncio
from datetime import UTC, datetime

from dialer.carriers import LegRinging, Report
from dialer.carriers.asterisk.telling import Teller
from terms.ids import LegId

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def report(call: str, number: int) -> Report:
    leg = LegId(f"{call}/caller/{number}")
    return Report(id=f"{leg}:ringing", news=LegRinging(leg=leg, at=NOON))


class Store:
    """Refuses the first reports of a call."""

    def __init__(self, refuses: dict[str, int]) -> None:
        self.refuses = refuses
        self.took: list[str] = []
        self.full = asyncio.Event()
        self.awaits = 0

    async def receive(self, one: Report) -> None:
        call = one.news.leg.partition("/")[0]
        if self.refuses.get(call, 0) > 0:
            self.refuses[call] -= 1
            raise ConnectionError("the store is away")
        self.took.append(one.id)
        if len(self.took) == self.awaits:
            self.full.set()


async def told(teller: Teller, store: Store, awaits: int) -> None:
    store.awaits = awaits
    async with asyncio.timeout(10):
        await store.full.wait()
    store.full.clear()


async def test_a_report_refused_is_told_again_before_the_next_of_its_call_alone() -> None:
    teller, store = Teller(), Store({"a": 2})
    teller.start(store.receive)
    for one in (report("a", 1), report("a", 2), report("b", 1)):
        teller.tell(one)

    await told(teller, store, 3)

    assert store.took == ["b/caller/1:ringing", "a/caller/1:ringing", "a/caller/2:ringing"]
    await teller.stop()
    assert teller.untold == 0


async def test_what_is_stored_is_said_to_be_only_then() -> None:
    teller, store = Teller(), Store({"a": 1})
    stored: list[str] = []
    teller.start(store.receive)
    teller.tell(report("a", 1), lambda: stored.extend(store.took))

    await told(teller, store, 1)
    await asyncio.sleep(0)

    assert stored == ["a/caller/1:ringing"]
    await teller.stop()


async def test_news_of_a_closed_carrier_waits_for_the_next_opening() -> None:
    teller, store = Teller(), Store({})
    teller.tell(report("a", 1))
    assert teller.untold == 1

    teller.start(store.receive)
    await told(teller, store, 1)
    await teller.stop()

    assert store.took == ["a/caller/1:ringing"]
