"""What the machine promises whatever happens: by chance in a model world, and in every order."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import permutations, product
from random import Random

import pytest

from dialer.call import Call
from dialer.carriers import (
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    MediaHeard,
    MediaLost,
    News,
    ReleaseSide,
)
from dialer.machine import transition
from dialer.policy import Policy
from terms.ids import LegId
from terms.verdict import VerdictKind
from tests.dialer.modelled import World
from tests.dialer.stories import CALLER_FIRST, COUNSELOR_FIRST, NOON, Story

PARTY, PLATFORM, CARRIER, UNKNOWN = ReleaseSide


@pytest.mark.rule("X01", "X27", "X41", "X55")
@pytest.mark.parametrize("hundred", range(12))
def test_whatever_happens_the_promises_hold_and_every_call_comes_to_rest(hundred: int) -> None:
    for seed in range(100 * hundred, 100 * hundred + 100):
        world = World(seed)
        try:
            world.run()
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}, {world.now - NOON} in: {broken}") from broken


@pytest.mark.rule("A27", "A29")
def test_nobody_is_said_to_have_hung_up_who_did_not() -> None:
    for seed in range(600):
        world = World(seed)
        world.run()
        verdict = world.call.verdict
        assert verdict is not None
        if verdict.kind is VerdictKind.PARTY_ENDED:
            assert verdict.by in world.hung_up, f"seed {seed}"


def test_the_model_world_is_not_an_empty_one() -> None:
    worlds = [World(seed) for seed in range(150)]
    for world in worlds:
        world.run()
    calls = [world.call for world in worlds]

    assert sum(call.connected_at is not None for call in calls) > 40
    assert sum(call.crisis for call in calls) > 40
    assert sum(call.handed_over for call in calls) > 2
    assert len({call.end_reason for call in calls}) >= 7


@pytest.mark.parametrize("fifty", range(4))
def test_all_the_news_of_a_call_told_again_in_any_order_gives_one_verdict(fifty: int) -> None:
    for seed in range(50 * fifty, 50 * fifty + 50):
        world = World(seed)
        world.run()
        rng = Random(seed)
        tellings = []
        for _ in range(4):
            news = [*world.told, *rng.sample(world.told, len(world.told) // 2)]
            rng.shuffle(news)
            tellings.append(_told(world.call, news, world.policy))
        verdicts = {(call.verdict, call.connected_at, call.legs) for call in tellings}
        assert len(verdicts) == 1, f"seed {seed}"


def _told(call: Call, news: list[News], policy: Policy) -> Call:
    for one in news:
        call, _ = transition(call, one, policy, NOON + timedelta(days=1))
    return call


# --- in flight ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Flight:
    """News that is under way together, between two of our orders; all of it arrives at `by`."""

    by: float
    news: tuple[News, ...]


def _seconds(story: Story, at: float) -> float:
    return at - (story.now - NOON).total_seconds()


def news(kind: str, leg: str, at: float, q850: int | None = 16) -> News:
    """One piece of news, `at` seconds into the story; an end is named by its side."""
    name, moment = LegId(f"call/{leg}"), NOON + timedelta(seconds=at)
    makers: dict[str, Callable[[], News]] = {
        "ringing": lambda: LegRinging(leg=name, at=moment),
        "answered": lambda: LegAnswered(leg=name, at=moment),
        "pressed": lambda: KeyPressed(leg=name, at=moment, digit="1"),
        "bridged": lambda: LegBridged(leg=name, at=moment),
        "silent": lambda: MediaLost(leg=name, at=moment, since=moment),
        "heard": lambda: MediaHeard(leg=name, at=moment),
    }
    if kind in makers:
        return makers[kind]()
    return LegEnded(leg=name, at=moment, by=ReleaseSide(kind), q850=q850)


CALLER, COUNSELOR = "caller/1", "counselor/1"
UP_TO_BRIDGE = (
    Flight(4, (news("ringing", CALLER, 1), news("answered", CALLER, 3))),
    Flight(
        9,
        (
            news("ringing", COUNSELOR, 5),
            news("answered", COUNSELOR, 7),
            news("pressed", COUNSELOR, 8),
        ),
    ),
)
JOINED = (news("bridged", CALLER, 10), news("bridged", COUNSELOR, 10.5))
SCRIPTS: dict[str, tuple[Flight, ...]] = {
    "the caller hangs up": (
        *UP_TO_BRIDGE,
        Flight(11, JOINED),
        Flight(71, (news("party", CALLER, 70), news("platform", COUNSELOR, 70.5))),
    ),
    "a talk that is over before its beginning is told": (
        *UP_TO_BRIDGE,
        Flight(22, (*JOINED, news("party", COUNSELOR, 20))),
    ),
    "a talk that drops before its beginning is told": (
        *UP_TO_BRIDGE,
        Flight(22, (*JOINED, news("carrier", CALLER, 20, 41))),
    ),
    "both hang up at nearly the same time": (
        *UP_TO_BRIDGE,
        Flight(11, JOINED),
        Flight(71, (news("party", CALLER, 70), news("party", COUNSELOR, 70.3))),
    ),
    "one drops and the other hangs up upon it": (
        *UP_TO_BRIDGE,
        Flight(11, JOINED),
        Flight(75, (news("carrier", CALLER, 70, 41), news("party", COUNSELOR, 74))),
    ),
    "nobody says who let go, after a silence": (
        *UP_TO_BRIDGE,
        Flight(11, JOINED),
        Flight(75, (news("silent", CALLER, 60), news("unknown", CALLER, 74))),
    ),
    "the caller hangs up long after a silence that healed": (
        *UP_TO_BRIDGE,
        Flight(11, JOINED),
        Flight(
            75, (news("silent", CALLER, 50), news("heard", CALLER, 60), news("party", CALLER, 74))
        ),
    ),
    "nobody says who let go, and then somebody does": (
        *UP_TO_BRIDGE,
        Flight(11, JOINED),
        Flight(75, (news("unknown", CALLER, 70, None), news("party", CALLER, 70.2))),
    ),
    "the caller is busy": (Flight(4, (news("ringing", CALLER, 1), news("party", CALLER, 2, 17))),),
    "the caller answers and gives up": (
        Flight(
            6,
            (
                news("ringing", CALLER, 1),
                news("answered", CALLER, 3),
                news("party", CALLER, 5),
            ),
        ),
    ),
}


def _played(
    script: tuple[Flight, ...], orders: tuple[tuple[News, ...], ...], policy: Policy
) -> Call:
    story = Story(policy)
    for flight, order in zip(script, orders, strict=True):
        story.wait(_seconds(story, flight.by))
        for one in order:
            story.tell(one)
    return story.wait(7200).call


def _essence(call: Call) -> tuple[object, ...]:
    end = NOON + timedelta(hours=3)
    return call.verdict, call.connected_at, call.talked(end), call.counted, call.verdict_is_final


@pytest.mark.rule("X01", "A27", "A29")
@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_news_under_way_together_gives_one_final_verdict_in_any_order_and_told_twice(
    script: tuple[Flight, ...],
) -> None:
    in_order = _essence(_played(script, tuple(flight.news for flight in script), CALLER_FIRST))

    for orders in product(*(permutations(flight.news) for flight in script)):
        assert _essence(_played(script, orders, CALLER_FIRST)) == in_order
        twice = tuple((*order, *order) for order in orders)
        assert _essence(_played(script, twice, CALLER_FIRST)) == in_order


def test_the_scripts_do_not_all_end_alike() -> None:
    ends = {
        name: _played(script, tuple(flight.news for flight in script), CALLER_FIRST).verdict
        for name, script in SCRIPTS.items()
    }

    assert len({verdict.kind for verdict in ends.values() if verdict is not None}) >= 4
    assert all(verdict is not None for verdict in ends.values())


def test_ringing_the_counselor_first_gives_the_same_end_to_the_same_talk() -> None:
    first = (
        Flight(
            9,
            (
                news("answered", COUNSELOR, 7),
                news("pressed", COUNSELOR, 8),
            ),
        ),
        Flight(9.5, (news("answered", CALLER, 9.2),)),
        *SCRIPTS["the caller hangs up"][2:],
    )
    call = _played(first, tuple(flight.news for flight in first), COUNSELOR_FIRST)
    other = SCRIPTS["the caller hangs up"]

    assert _essence(call) == _essence(
        _played(other, tuple(flight.news for flight in other), CALLER_FIRST)
    )
