"""The cap is kept whatever goes wrong, and what is allowed for lost news hides no mistake."""

from datetime import datetime

import pytest

from dialer.call import State
from dialer.carriers.simulated.script import EndsBy
from dialer.events import Event, TimerKind
from dialer.orders import Bridge, Limit
from terms.values import replace
from tests.warmline.simulation.breaking import after_carry, broken_promises, call_of, with_call
from warmline.desk.slice import Outcome, Slice
from warmline.programs import Program
from warmline.simulation import people
from warmline.simulation.deciding import Deciding
from warmline.simulation.misfortune import NONE, Misfortune, parse
from warmline.simulation.people import Town
from warmline.simulation.watch import Promise


@pytest.mark.rule("A25")
def test_a_fold_without_a_cap_is_caught() -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        call = call_of(outcome).without_timers(TimerKind.CAP)
        lifted = tuple(
            replace(one, limit_seconds=7200) if isinstance(one, Bridge | Limit) else one
            for one in outcome.effects
        )
        return replace(with_call(outcome, call), effects=lifted)

    assert Promise.CAP in broken_promises(after_carry(change))


def talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody talks until they are ended; most lines fail on the way."""
    monkeypatch.setattr(Town, "_talk_seconds", lambda town: 600.0 if town.does(0.4) else 3000.0)
    monkeypatch.setattr(people, "_CALLER_ENDS_BY", people.Table((EndsBy.DROP, 1)))


MUCH_GOES_WRONG = parse("lose=0.05,delay=2,reorder=0.2,refuse=0.05,unknown=0.05,restart=0.02")


@pytest.mark.rule("A25")
def test_what_is_allowed_for_lost_news_is_enough_for_the_shipped_fold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    talkative(monkeypatch)

    for seed in range(1, 4):
        assert broken_promises(Deciding(), seed=seed, misfortune=MUCH_GOES_WRONG) == set()


@pytest.mark.rule("A25")
@pytest.mark.parametrize("misfortune", [NONE, MUCH_GOES_WRONG])
def test_a_cap_that_is_not_set_again_after_a_drop_is_caught(
    misfortune: Misfortune, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        before, call = slice_.call, call_of(outcome)
        if before is None or before.state is not State.PARTED or call.state is not State.BRIDGED:
            return outcome
        return with_call(outcome, call.without_timers(TimerKind.CAP))

    talkative(monkeypatch)

    deciding = after_carry(change)
    assert Promise.CAP in broken_promises(deciding, days=3, misfortune=misfortune)


@pytest.mark.rule("A25")
def test_a_talk_without_the_carriers_own_limit_is_caught_where_we_die_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        unlimited = tuple(
            replace(one, limit_seconds=7200) if isinstance(one, Bridge | Limit) else one
            for one in outcome.effects
        )
        return replace(outcome, effects=unlimited)

    talkative(monkeypatch)

    deciding = after_carry(change)
    assert Promise.CAP in broken_promises(deciding, days=3, misfortune=parse("restart=0.1"))


@pytest.mark.rule("A25")
def test_a_limit_that_forgets_what_was_talked_before_a_drop_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing but the carrier's limit ends the talk: it must not grant the whole time anew."""

    def change(
        slice_: Slice, event: Event, program: Program, now: datetime, outcome: Outcome
    ) -> Outcome:
        call = call_of(outcome)
        granted = call.granted_seconds or 7200
        anew = tuple(
            replace(one, limit_seconds=granted + 2) if isinstance(one, Bridge | Limit) else one
            for one in outcome.effects
        )
        uncapped = with_call(outcome, call.without_timers(TimerKind.CAP))
        return replace(uncapped, effects=anew)

    talkative(monkeypatch)

    deciding = after_carry(change)
    assert Promise.CAP in broken_promises(deciding, days=2, misfortune=MUCH_GOES_WRONG)
