"""A call that a counselor of the pool turned down goes to others, and holds nobody up behind it."""

import pytest

from dialer.call import State
from dialer.carriers.simulated.script import Answers, Script
from dialer.events import CrisisRaised
from tests.house import ACCEPTS, House
from tests.people import CALLER, COUNSELOR
from tests.scenarios.hotline import HOTLINE, SECOND_CALLER, SHORT_NUMBER, trained, waiting

REJECTS = Script(answers=Answers.REJECTS, after_seconds=2)
OTHER = "+8613900000002"


async def cooled_down(line: House) -> None:
    await line.pass_time(line.programs[HOTLINE].routing.decline_cooldown_seconds + 5)


async def test_who_declined_a_call_is_given_the_one_behind_it_and_another_counselor_the_first(
    line: House,
) -> None:
    decliner = await trained(line)
    line.world.script(COUNSELOR, REJECTS)
    first = await waiting(line, CALLER, SHORT_NUMBER)
    await line.pass_time(5)
    second = await waiting(line, SECOND_CALLER, SHORT_NUMBER)
    line.world.script(COUNSELOR, ACCEPTS)
    assert (await line.see_call(second)).state is State.QUEUED  # the counselor has a moment's rest

    await cooled_down(line)

    assert (await line.see_call(first)).state is State.QUEUED
    served = await line.see_call(second)
    assert (served.state, served.counselor) == (State.BRIDGED, decliner)

    other = await trained(line, OTHER)
    line.world.script(OTHER, ACCEPTS)
    line.desk.counselor_came_free(line.desk.tenant)
    await line.pass_time(10)
    served = await line.see_call(first)
    assert (served.state, served.counselor) == (State.BRIDGED, other)


@pytest.mark.rule("X55")
async def test_in_danger_a_call_is_offered_even_to_who_declined_it_before(line: House) -> None:
    decliner = await trained(line)
    line.world.script(COUNSELOR, REJECTS)
    order = await waiting(line, CALLER, SHORT_NUMBER)
    await line.pass_time(5)
    line.world.script(COUNSELOR, ACCEPTS)
    await line.command(order, CrisisRaised())

    await cooled_down(line)

    served = await line.see_call(order)
    assert (served.state, served.counselor) == (State.BRIDGED, decliner)
