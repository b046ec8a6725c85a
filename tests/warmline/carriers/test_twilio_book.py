"""What the carrier on Twilio must not forget, in PostgreSQL: whole, sealed, and not for ever."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from dialer.carriers.twilio.events import Event, read_call, read_inbound
from dialer.carriers.twilio.line import Ended, Line, asked_to_say, limited, redirected, serve
from dialer.store.twilio import read_line, write_line
from terms.ids import LegId, TenantId
from terms.phone import PhoneNumber
from tests.dialer.carriers.twilio.lines import (
    CALLER,
    LEG,
    OTHER_SID,
    OURS,
    SID,
    TOKEN,
    a_dial_in,
    a_line,
    after,
    call_fields,
)
from warmline.carriers.twilio_book import StoredBook
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

TENANT = TenantId("default")


@pytest.fixture
def book(database: "Pool[Record]", seal: AesSeal) -> StoredBook:
    return StoredBook(database, seal, TENANT)


def full() -> Line:
    """A line with something in every field."""
    line = serve(asked_to_say(serve(a_line(), 0, 0), "zh-CN/welcome"), 1, 0)
    line = limited(redirected(line, "call-call7"), 900, after(3))
    return replace(
        line,
        is_taken=True,
        conference="CF" + "3" * 32,
        conference_seq=4,
        joined=True,
        pending=("zh-CN/a", "en/b"),
        let_go_at=after(9),
        left_why="participant_hung_up",
        ended=Ended(at=after(10), status="completed", seconds=10, sip=200),
        release="party:16:200:None",
        released_by="call:3",
    )


@pytest.mark.parametrize("make", [a_line, a_dial_in, full])
def test_a_line_is_read_as_it_was_written(make: Callable[[], Line]) -> None:
    assert read_line(write_line(make())) == make()


async def test_a_line_is_kept_once_and_changed_in_place(book: StoredBook) -> None:
    assert await book.add(a_line())
    assert not await book.add(a_line(token="another"))

    changed = await book.change(LEG, lambda line: replace(line, joined=True))

    assert changed == (a_line(joined=True), False)
    assert await book.load(LEG) == a_line(joined=True)
    assert await book.change(LegId("no/such/1"), lambda line: line) == (None, False)


async def test_a_line_is_forgotten_by_who_asked_last_and_as_long_as_it_has_no_call(
    book: StoredBook,
) -> None:
    asked = a_line(sid=None, asked_by="one")
    await book.add(asked)
    await book.change(LEG, lambda line: replace(line, asked_by="another"))
    await book.forget(asked)
    assert await book.load(LEG) is not None

    asked = replace(asked, asked_by="another")
    await book.change(LEG, lambda line: replace(line, sid=SID))
    await book.forget(asked)
    assert await book.load(LEG) is not None

    await book.change(LEG, lambda line: replace(line, sid=None))
    await book.forget(asked)
    assert await book.load(LEG) is None


async def test_a_number_an_agency_is_told_is_kept_under_seal(
    book: StoredBook, database: "Pool[Record]"
) -> None:
    line = a_line(shown=PhoneNumber(CALLER))
    await book.add(line)
    await book.change(LEG, lambda known: replace(known, joined=True))

    found = await book.load(LEG)

    assert found == replace(line, joined=True)
    async with database.acquire() as connection:
        row = await connection.fetchrow("SELECT * FROM twilio_lines")
    assert CALLER.removeprefix("+86") not in str(row)


async def test_lines_that_stand_and_calls_that_are_ours_are_found(book: StoredBook) -> None:
    await book.add(a_line())
    over = LegId("call7/caller/1")
    await book.add(replace(full(), leg=over, sid=OTHER_SID))

    assert [line.leg for line in await book.standing()] == [LEG]
    assert await book.known([SID, OTHER_SID, "CA" + "9" * 32]) == {SID, OTHER_SID}


async def test_an_event_is_kept_once_and_told_once_and_its_caller_only_until_then(
    book: StoredBook, database: "Pool[Record]", noon: datetime
) -> None:
    event = read_inbound({**call_fields("ringing"), "From": CALLER, "To": OURS}, noon)
    assert event is not None

    assert await book.add_event(event)
    assert not await book.add_event(replace(event, received_at=noon + timedelta(seconds=9)))
    async with database.acquire() as connection:
        stored = str(await connection.fetchrow("SELECT * FROM twilio_events"))
    assert CALLER.removeprefix("+86") not in stored
    assert await book.untold(noon) == ()
    assert await book.untold(noon + timedelta(seconds=1)) == (event,)

    await book.told([event.key])

    assert await book.untold(noon + timedelta(seconds=1)) == ()
    async with database.acquire() as connection:
        assert await connection.fetchval("SELECT caller_sealed FROM twilio_events") is None


def an_end(leg: LegId = LEG, sid: str = SID) -> Event:
    event = read_call(call_fields("completed", 3, CallSid=sid), leg, TOKEN, after(60))
    assert event is not None
    return event


async def test_changes_made_at_once_are_all_made(book: StoredBook) -> None:
    await book.add(a_line())

    await asyncio.gather(
        *(book.change(LEG, lambda line: replace(line, strand=line.strand + 1)) for _ in range(8))
    )

    found = await book.load(LEG)
    assert found is not None
    assert found.strand == 8


async def test_a_change_and_its_event_are_kept_together_and_the_event_once(
    book: StoredBook,
) -> None:
    await book.add(a_line())

    first = await book.change(LEG, lambda line: replace(line, joined=True), lambda _: an_end())
    again = await book.change(LEG, lambda line: line, lambda _: an_end())

    assert first == (a_line(joined=True), True)
    assert again == (a_line(joined=True), False)
    assert await book.untold(after(3600)) == (an_end(),)


async def test_what_is_over_is_not_kept_for_ever(book: StoredBook) -> None:
    over, unknown = LegId("call7/caller/1"), LegId("call7/agency/1")
    lines = [a_line(), replace(full(), leg=over, sid=OTHER_SID), a_line(leg=unknown, sid=None)]
    for line in lines:
        await book.add(line)
    await book.add_event(an_end())
    await book.add_event(an_end(over, OTHER_SID))
    await book.told([an_end(over, OTHER_SID).key])

    assert await book.prune(after(-60)) == 0
    assert await book.prune(after(3600)) == 3  # two lines and one event

    assert await book.load(LEG) == a_line()
    assert [event.leg for event in await book.untold(after(3600))] == [LEG]


async def test_what_another_process_changed_is_not_written_over(
    book: StoredBook, database: "Pool[Record]", seal: AesSeal
) -> None:
    other = StoredBook(database, seal, TENANT)
    await book.add(a_line())
    await other.change(LEG, lambda line: replace(line, let_go_at=after(1)))

    changed = await book.change(LEG, lambda line: replace(line, joined=True))
    seen = await other.change(LEG, lambda line: line)

    assert changed == seen == (a_line(joined=True, let_go_at=after(1)), False)
    assert await book.load(LEG) == changed[0]


async def test_what_another_process_forgot_is_gone(
    book: StoredBook, database: "Pool[Record]", seal: AesSeal
) -> None:
    asked = a_line(sid=None, asked_by="one")
    await book.add(asked)
    await StoredBook(database, seal, TENANT).forget(asked)

    assert await book.change(LEG, lambda line: replace(line, joined=True)) == (None, False)
    assert await book.add(a_line())


async def test_changes_made_at_once_are_made_one_after_the_other_and_none_of_them_twice(
    book: StoredBook,
) -> None:
    await book.add(a_line())
    made: list[int] = []

    def once_more(line: Line) -> Line:
        made.append(line.strand)
        return replace(line, strand=line.strand + 1)

    await asyncio.gather(*(book.change(LEG, once_more) for _ in range(8)))

    assert made == list(range(8))


async def ten_lines(book: StoredBook) -> list[LegId]:
    legs = [LegId(f"call{n}/caller/1") for n in range(10)]
    for n, leg in enumerate(legs):
        await book.add(a_line(leg=leg, sid=f"CA{n:032x}"))
    return legs


async def test_changes_of_many_lines_at_once_share_a_transaction_and_each_keeps_its_event(
    book: StoredBook, database: "Pool[Record]"
) -> None:
    legs = await ten_lines(book)
    events = {leg: an_end(leg, f"CA{n:032x}") for n, leg in enumerate(legs)}

    def kept(line: Line) -> Event | None:
        return events[line.leg] if line.strand == 1 and line.leg != legs[0] else None

    changed = await asyncio.gather(
        *(book.change(leg, lambda line: replace(line, strand=1), kept) for leg in legs)
    )

    assert [line.leg for line, _ in changed if line is not None] == legs
    assert [is_new for _, is_new in changed] == [False] + [True] * 9
    assert {event.leg for event in await book.untold(after(3600))} == set(legs[1:])
    async with database.acquire() as connection:
        transactions = await connection.fetchval(
            "SELECT count(DISTINCT xmin::text) FROM twilio_lines"
        )
    assert transactions == 1


async def test_a_change_that_cannot_be_written_keeps_no_other_from_being(
    book: StoredBook,
) -> None:
    legs = await ten_lines(book)
    bad = "CA\x00"

    changed = await asyncio.gather(
        *(
            book.change(leg, lambda line: replace(line, sid=bad if line.leg == legs[3] else "CA1"))
            for leg in legs
        ),
        return_exceptions=True,
    )

    assert [
        leg for leg, done in zip(legs, changed, strict=True) if isinstance(done, Exception)
    ] == [legs[3]]
    found = [await book.load(leg) for leg in legs]
    assert [line.sid for line in found if line is not None].count("CA1") == 9


async def test_a_change_that_nobody_waits_for_any_more_does_not_take_the_place_of_another(
    book: StoredBook,
) -> None:
    legs = await ten_lines(book)

    def joined(line: Line) -> Line:
        return replace(line, joined=True)

    def let_go(line: Line) -> Line:
        return replace(line, let_go_at=after(1))

    # The first two are being written, so what comes now waits and is written together.
    busy = [asyncio.create_task(book.change(leg, joined)) for leg in legs[:2]]
    await asyncio.sleep(0)
    left = asyncio.create_task(book.change(legs[2], joined))
    await asyncio.sleep(0)
    left.cancel()
    changed, _ = await book.change(legs[2], let_go)
    await asyncio.gather(*busy, left, return_exceptions=True)

    assert left.cancelled()
    assert changed == await book.load(legs[2])
    assert changed is not None
    assert (changed.let_go_at, changed.joined) == (after(1), False)
