"""Whoever takes no calls that are offered is sent on a break, and told for which of them."""

from dataclasses import replace

import pytest

from routing.counselor import (
    Presence,
    Untaken,
    UntakenOffer,
    accepted,
    declined,
    led_away,
    missed,
    set_presence,
)
from terms.ids import CallId
from tests.routing.people import LI, MINUTE, NOON, SECOND

CALL = CallId("call-1")
MISSED_TWICE = (UntakenOffer(CALL, NOON, Untaken.MISSED),) * 2


@pytest.mark.parametrize("untaken", ["missed", "declined"])
def test_whoever_chose_a_break_while_it_rang_is_not_said_to_have_been_sent_on_it(
    untaken: str,
) -> None:
    pause = set_presence(replace(LI, untaken=MISSED_TWICE), Presence.BREAK, NOON, 90)

    if untaken == "missed":
        after = missed(pause, CALL, NOON, misses_before_away=1)
    else:
        after = declined(pause, CALL, NOON, 60, declines_before_away=1)

    assert (after.presence, after.sent_away_at) == (Presence.BREAK, None)
    assert led_away(after) == ()


def test_three_declined_offers_in_a_row_send_a_counselor_on_a_break_that_says_why() -> None:
    once = declined(LI, CallId("a"), NOON, 60, declines_before_away=3)
    twice = declined(once, CallId("b"), NOON + MINUTE, 60, declines_before_away=3)
    between = missed(twice, CallId("c"), NOON + 2 * MINUTE, misses_before_away=3)
    thrice = declined(between, CallId("d"), NOON + 3 * MINUTE, 60, declines_before_away=3)

    assert [one.presence for one in (once, twice, thrice)] == ["available", "available", "break"]
    assert thrice.sent_away_at == NOON + 3 * MINUTE
    assert [(one.call, one.why) for one in led_away(thrice)] == [
        ("a", "declined"),
        ("b", "declined"),
        ("d", "declined"),
    ]
    anew = declined(accepted(twice), CALL, NOON, 60, declines_before_away=3)
    assert anew.presence is Presence.AVAILABLE


def test_what_rings_on_after_the_break_began_is_no_reason_for_it() -> None:
    away = missed(LI, CALL, NOON, misses_before_away=1)

    assert led_away(missed(away, CALL, NOON + SECOND, 1)) == led_away(away)
    assert led_away(declined(away, CALL, NOON + SECOND, 60, 1)) == led_away(away)
    assert led_away(accepted(away)) == led_away(away)


def test_a_break_that_the_service_decided_says_so_until_the_counselor_decides_otherwise() -> None:
    away = declined(LI, CALL, NOON, 60, declines_before_away=1)

    confirmed = set_presence(away, Presence.BREAK, NOON + SECOND, 90)
    gone = set_presence(away, Presence.OFFLINE, NOON + SECOND, 90)
    back = set_presence(away, Presence.AVAILABLE, NOON + SECOND, 90)

    assert led_away(confirmed) == led_away(away) != ()
    assert (led_away(gone), led_away(back), back.untaken) == ((), (), ())
