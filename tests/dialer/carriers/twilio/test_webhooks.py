"""Webhooks that are replayed, reordered, forged: they change nothing they should not."""

from collections.abc import Callable, Mapping
from random import Random
from typing import TYPE_CHECKING

import pytest

from dialer.carriers import LegBridged, LegEnded, Report
from dialer.carriers.twilio.book import Change, MemoryBook
from dialer.carriers.twilio.events import Event
from dialer.carriers.twilio.line import Line
from terms.ids import LegId
from tests.dialer.carriers.joined import live, talk
from tests.dialer.carriers.rig import Behaviour
from tests.dialer.carriers.twilio.rig import PUBLIC, TwilioRig, a_rig
from tests.twilio_standin.hooks import Answer, Post, signature
from tests.twilio_standin.operations import Operations

if TYPE_CHECKING:
    from asyncpg import Pool, Record


def by_id(told: list[Report]) -> dict[str, object]:
    return {report.id: report.news for report in told}


async def a_whole_call(rig: TwilioRig) -> None:
    """Two phones, a prompt, a key, a hang-up on either side, and one who dials in."""
    call = await talk(rig)
    await rig.carrier.say(call.caller_leg, "ending_soon", language="en")
    await rig.settle()
    await rig.carrier.part(call.counselor_leg)
    await rig.settle()
    await rig.press(call.counselor, "1")
    await rig.put_down(call.caller)
    await rig.news(LegEnded, call.caller_leg)
    await rig.carrier.hang_up(call.counselor_leg)
    await rig.news(LegEnded, call.counselor_leg)
    await rig.dial_in(await rig.phone(Behaviour.BY_HAND))
    await rig.settle()


def listening(rig: TwilioRig) -> tuple[list[Post], dict[int, str]]:
    """Every webhook from now on, and what each was answered."""
    sent: list[Post] = []
    answers: dict[int, str] = {}

    def listen(post: Post, answer: Answer | None) -> None:
        sent.append(post)
        answers[id(post)] = answer.text if answer else ""

    rig.twilio.mouth.listener = listen
    return sent, answers


def kinds(posts: list[Post]) -> set[str]:
    """The doors the posts came to."""
    return {post.url.removeprefix(PUBLIC).split("/")[3].partition("#")[0] for post in posts}


DOORS = {"voice", "calls", "conferences", "announce", "inbound"}


@pytest.mark.parametrize("seed", range(3))
async def test_a_webhook_sent_again_changes_nothing_and_is_answered_the_same(
    rig: TwilioRig, seed: int
) -> None:
    """All of them, in any order, long after: what was stored is stored once."""
    sent, answers = listening(rig)
    await a_whole_call(rig)
    assert kinds(sent) == DOORS
    assert isinstance(rig.book, MemoryBook)
    told, events, lines = list(rig.told), dict(rig.book.events), dict(rig.book.lines)
    asked = len(rig.twilio.rest.asked)

    again = list(sent)
    Random(seed).shuffle(again)
    for post in again:
        answered = await rig.send(post.url, post.params, _signed(rig, post))
        assert answered.status in (200, 204)
        assert answered.text == answers[id(post)]
    await rig.settle()

    assert rig.told == told
    assert rig.book.events == events
    assert rig.book.lines == lines
    assert len(rig.twilio.rest.asked) == asked


def _signed(rig: TwilioRig, post: Post) -> str:
    return signature(rig.twilio.account.token, post.url, post.params)


def _with(params: Mapping[str, str], **changed: str) -> dict[str, str]:
    return {**params, **changed}


@pytest.mark.parametrize(
    "forgery",
    ["missing", "empty", "nonsense", "another_token", "another_address", "changed", "added"],
)
async def test_a_forged_webhook_is_refused_and_nothing_of_it_is_stored(
    kept: TwilioRig, database: "Pool[Record]", forgery: str
) -> None:
    rig = kept
    sent, _ = listening(rig)
    await a_whole_call(rig)
    assert kinds(sent) == DOORS
    told, stored = by_id(rig.told), await _stored(database)

    for post in sent:
        url, params = post.url, dict(post.params)
        good = _signed(rig, post)
        match forgery:
            case "missing":
                answered = await rig.send(url, params, None)
            case "empty":
                answered = await rig.send(url, params, "")
            case "nonsense":
                answered = await rig.send(url, params, "\N{LATIN SMALL LETTER E WITH ACUTE}" * 9)
            case "another_token":
                answered = await rig.send(url, params, signature("0" * 32, url, params))
            case "another_address":
                elsewhere = url.replace("https://", "http://")
                token = rig.twilio.account.token
                answered = await rig.send(url, params, signature(token, elsewhere, params))
            case "changed":
                other = _with(params, CallSid="CA" + "0" * 32, AccountSid="AC" + "0" * 32)
                answered = await rig.send(url, other, good)
            case _:
                answered = await rig.send(url, _with(params, Extra="1"), good)
        assert answered.status == 403
    await rig.settle()

    assert by_id(rig.told) == told
    assert await _stored(database) == stored


_LATER = ("told_at", "caller_sealed")
"""Written once what was stored is told."""


async def _stored(database: "Pool[Record]") -> dict[str, list[str]]:
    """Every row of every table that the carrier has."""
    async with database.acquire() as connection:
        tables = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' "
            "AND tablename LIKE 'twilio%' ORDER BY 1"
        )
        names = [str(row["tablename"]) for row in tables]
        assert names
        return {
            name: sorted(
                str({key: value for key, value in row.items() if key not in _LATER})
                for row in await connection.fetch(f"SELECT * FROM {name}")
            )
            for name in names
        }


async def test_both_tokens_hold_while_they_are_changed(rig: TwilioRig) -> None:
    rig.twilio.mouth.signing_token = rig.twilio.account.secondary_token

    call = await talk(rig)
    rig.twilio.mouth.signing_token = rig.twilio.account.token
    await rig.put_down(call.caller)

    await rig.news(LegEnded, call.caller_leg)
    assert len(await rig.all_news(LegBridged, call.caller_leg)) == 1


async def test_news_of_an_end_that_comes_before_its_beginning_leaves_nobody_standing(
    rig: TwilioRig,
) -> None:
    """The last callback first, the others after it: the leg is over and stays so."""
    held: list[Post] = []

    def hold(post: Post) -> bool:
        held.append(post)
        return True

    rig.twilio.misdelivery.drop_if = hold
    call = rig.call()
    phone = await rig.phone(Behaviour.ANSWERS)
    leg = await rig.ring(phone, call, "caller")
    await rig.settle()
    await rig.put_down(phone)
    assert [post.what for post in held] == [
        "call ringing",
        "call completed",
    ]

    for post in reversed(held):
        assert (await rig.send(post.url, post.params, _signed(rig, post))).status == 204
    await rig.settle()

    assert len({report.id for report in rig.told if isinstance(report.news, LegEnded)}) == 1
    assert await live(rig, call) == {}
    assert leg


async def test_somebody_elses_call_passes_for_none_of_ours(rig: TwilioRig) -> None:
    """Signed by Twilio, and about another call: its own token opens nothing of ours."""
    call = await talk(rig)
    sent = [one.post for one in rig.twilio.mouth.sent if one.post.what == "twiml"]
    told = by_id(rig.told)

    for post in sent:
        params = _with(post.params, CallSid="CA" + "f" * 32)
        url = post.url.partition("#")[0]
        answered = await rig.send(url, params, signature(rig.twilio.account.token, url, params))
        assert answered.status == 200
        assert "<Hangup" in answered.text
    await rig.settle()

    assert by_id(rig.told) == told
    assert len(await live(rig, call.call)) == 2


class Counting(MemoryBook):
    """Knows how often it was written to."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[str] = []

    async def change(
        self, leg: LegId, change: Change, event: Callable[[Line], Event | None] = lambda line: None
    ) -> tuple[Line | None, bool]:
        """Change a line."""
        self.written.append("line")
        return await super().change(leg, change, event)


async def test_what_a_webhook_tells_and_what_that_makes_of_its_leg_are_one_write(
    operations: Operations,
) -> None:
    book = Counting()
    async with a_rig(operations, book) as rig:
        phone = await rig.phone(Behaviour.BY_HAND)
        await rig.ring(phone, rig.call(), "caller")
        await rig.settle()
        sent, _ = listening(rig)
        book.written.clear()

        await rig.pick_up(phone)
        await rig.settle()
        await rig.put_down(phone)
        await rig.settle()

    assert len(sent) == len(book.written) == 2  # its first document, which answers it; and its end
