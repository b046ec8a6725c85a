import pytest

from dialer.carriers import CarrierRefused
from dialer.orders import Answer, Bridge, HangUp, Limit, Ring, Say
from terms.ids import LegId
from terms.verdict import Role
from warmline.workers.asking_again import is_asked_again

LEG = LegId("call/caller/1")
BUSY = CarrierRefused("429")
GONE = CarrierRefused("leg_gone", sip=481)


@pytest.mark.rule("X55")
def test_a_limit_that_a_busy_carrier_would_not_lift_is_lifted_in_a_moment() -> None:
    assert is_asked_again(Limit(LEG, 7200), BUSY)
    assert is_asked_again(HangUp(LEG), BUSY)


def test_nothing_is_asked_of_a_leg_that_is_gone() -> None:
    assert not is_asked_again(Limit(LEG, 7200), GONE)
    assert not is_asked_again(HangUp(LEG), GONE)


@pytest.mark.parametrize(
    "order",
    [Ring(LEG, Role.CALLER, None, 30), Bridge((LEG,), 900), Say(LEG, "queued"), Answer(LEG)],
)
def test_what_the_dialer_tries_again_by_itself_is_news_to_it(
    order: Ring | Bridge | Say | Answer,
) -> None:
    assert not is_asked_again(order, BUSY)
