"""Each knob does what it says, at about its rate, and nothing else."""

import pytest

from dialer.carriers import (
    CarrierRefused,
    CarrierUnknown,
    LegAnswered,
    LegRinging,
    MediaLost,
    Report,
)
from dialer.carriers.simulated.faults import Faults
from dialer.carriers.simulated.script import Answers, Script
from terms.ids import LegId
from terms.phone import PhoneNumber
from tests.dialer.carriers.talks import (
    ANN,
    ANN_LEG,
    BEN_LEG,
    NOON,
    a_world,
    after,
    ring,
    rung,
)


def reports_of_a_talk(faults: Faults, seed: int = 7) -> list[Report]:
    """Everything told of 200 answered rings, in the order in which it came in."""
    world = a_world(seed, faults)
    reports: list[Report] = []
    for number in range(200):
        phone = PhoneNumber(f"+86139{number:08}")
        world.script(phone.digits, Script(answers=Answers.YES, after_seconds=1, presses="1"))
        reports += world.order(ring(LegId(f"c{number}/caller/1"), phone), after(number * 10))
        reports += world.advance(after(number * 10 + 9.9))
    return reports + world.advance(after(1e6))


def test_without_faults_news_is_whole_in_order_and_single() -> None:
    reports = reports_of_a_talk(Faults())

    assert len(reports) == 200 * 3
    assert [r.news.at for r in reports] == sorted(r.news.at for r in reports)
    assert len({r.id for r in reports}) == len(reports)


def test_lost_news_is_lost_at_about_its_rate() -> None:
    assert 600 * 0.6 < len(reports_of_a_talk(Faults(lose=0.3))) < 600 * 0.8
    assert reports_of_a_talk(Faults(lose=1)) == []


def test_doubled_news_comes_twice_under_one_id() -> None:
    reports = reports_of_a_talk(Faults(duplicate=1))

    assert len(reports) == 2 * 600
    assert len({r.id for r in reports}) == 600
    assert len(set(reports)) == 600


def test_delayed_news_comes_late_and_keeps_its_order() -> None:
    world = a_world(faults=Faults(delay_ms=1500))
    world.script(ANN.digits, Script(answers=Answers.YES))

    assert world.order(ring(ANN_LEG, ANN), NOON) == []
    assert world.next_due() == after(1.5)
    assert world.advance(after(1.4)) == []
    assert [type(r.news) for r in world.advance(after(1.5))] == [LegRinging, LegAnswered]


def test_reordered_news_overtakes_but_nothing_is_lost() -> None:
    reports = reports_of_a_talk(Faults(reorder=0.5))

    assert len({r.id for r in reports}) == len(reports) == 600
    assert [r.news.at for r in reports] != sorted(r.news.at for r in reports)


def test_a_refused_order_has_no_effect() -> None:
    world = a_world(faults=Faults(refuse=1))
    codes = set()
    for number in range(20):
        with pytest.raises(CarrierRefused) as refusal:
            world.order(ring(LegId(f"c{number}/caller/1"), ANN), NOON)
        codes.add((refusal.value.code, refusal.value.q850))

    assert codes == {("429", None), ("503", 38)}
    assert world.standing_legs() == ()


def test_an_order_without_an_answer_took_effect_about_every_second_time() -> None:
    world = a_world(faults=Faults(unknown=1))
    for number in range(200):
        with pytest.raises(CarrierUnknown):
            world.order(ring(LegId(f"c{number}/caller/1"), PhoneNumber(f"+86139{number:08}")), NOON)

    assert 60 < len(world.standing_legs()) < 140
    with pytest.raises(CarrierUnknown):
        world.live_legs()


def test_a_half_open_fault_silences_legs_as_they_are_joined() -> None:
    world = a_world(faults=Faults(half_open=1))
    rung(world, Script(answers=Answers.YES), Script(answers=Answers.YES))

    reports = world.advance(after(20))

    assert {r.news.leg for r in reports if isinstance(r.news, MediaLost)} == {ANN_LEG, BEN_LEG}


def test_equal_seeds_give_equal_worlds() -> None:
    faults = Faults(lose=0.2, duplicate=0.2, reorder=0.3, delay_ms=40)

    assert reports_of_a_talk(faults, seed=3) == reports_of_a_talk(faults, seed=3)
    assert reports_of_a_talk(faults, seed=3) != reports_of_a_talk(faults, seed=4)
