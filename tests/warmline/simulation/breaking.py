"""Breaking the fold on purpose, to see which promises are found broken."""

from collections.abc import Callable
from datetime import datetime

from dialer.call import Call
from dialer.events import Event
from terms.values import replace
from warmline.desk import fold
from warmline.desk.slice import Outcome, Slice
from warmline.programs import Program, load_shipped
from warmline.simulation.deciding import Deciding
from warmline.simulation.misfortune import NONE, Misfortune
from warmline.simulation.simulation import Simulation
from warmline.simulation.watch import Promise

PROGRAMS = load_shipped()

Carry = Callable[[Slice, Event, Program, datetime], Outcome]


def broken_promises(
    deciding: Deciding, *, days: int = 2, seed: int = 1, misfortune: Misfortune = NONE
) -> set[Promise]:
    simulation = Simulation(
        PROGRAMS, seed=seed, calls_per_day=60, misfortune=misfortune, deciding=deciding
    )
    return {violation.promise for violation in simulation.run(days).violations}


def after_carry(change: Callable[[Slice, Event, Program, datetime, Outcome], Outcome]) -> Deciding:
    """The shipped fold, with its outcome changed."""

    def carry(slice_: Slice, event: Event, program: Program, now: datetime) -> Outcome:
        outcome = fold.carry(slice_, event, program, now)
        return change(slice_, event, program, now, outcome)

    return Deciding(carry=carry)


def with_call(outcome: Outcome, call: Call) -> Outcome:
    return replace(outcome, slice=replace(outcome.slice, call=call))


def call_of(outcome: Outcome) -> Call:
    assert outcome.slice.call is not None
    return outcome.slice.call
