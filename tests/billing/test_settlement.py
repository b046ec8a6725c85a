"""What a month's settlement counts as effective, and what it deducts."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing.order import Order, start_call
from billing.policy import Policy
from billing.settlement import (
    DEDUCTED,
    GivenBack,
    Grade,
    GradeLine,
    Month,
    grade_line,
    graded,
    read_month,
)
from billing.settling import CallEnding, settle
from terms.ids import CallId, OrderId
from terms.verdict import Confidence, EndedBy, Verdict, VerdictKind
from tests.billing.stories import ANA, DAY, FIRST, LISTENING, MINUTE, NOON, POLICY, SECOND, an_order

SHANGHAI = ZoneInfo("Asia/Shanghai")


def ended(
    kind: VerdictKind, seconds: int, *, call: CallId = FIRST, connected: bool = True
) -> CallEnding:
    """A call that ended some seconds after noon."""
    verdict = Verdict(kind=kind, by=EndedBy.CALLER, confidence=Confidence.HIGH, reasons=("seen",))
    return CallEnding(
        call=call,
        verdict=verdict,
        connected=connected,
        talked_seconds=seconds,
        ended_at=NOON + timedelta(seconds=seconds),
    )


def after_call(order: Order, ending: CallEnding, policy: Policy = POLICY) -> Order:
    """The order once that call began and ended."""
    calling = start_call(order, ending.call, NOON)
    return settle(calling, ending, policy, ending.ended_at).order


def lines(before: Order, after: Order, now: datetime = NOON) -> tuple[GradeLine, ...]:
    """What the settlement learns, for Ana's call."""
    line = grade_line(before, after, counselor=ANA, policy=POLICY, now=now)
    return () if line is None else (line,)


def grade(kind: VerdictKind, seconds: int) -> Grade:
    """What a first call of this end counts as."""
    order = an_order()
    (line,) = lines(order, after_call(order, ended(kind, seconds)))
    assert (line.from_grade, line.talked_seconds) == (Grade.NONE, seconds)
    return line.to_grade


@pytest.mark.rule("A35", "X09")
def test_a_talk_of_less_than_a_minute_is_not_effective_and_one_of_a_minute_is() -> None:
    assert grade(VerdictKind.PARTY_ENDED, 59) is Grade.SHORT
    assert grade(VerdictKind.PARTY_ENDED, 60) is Grade.EFFECTIVE


@pytest.mark.rule("X08")
def test_a_drop_within_the_first_minute_is_a_drop_and_not_a_short_call() -> None:
    assert grade(VerdictKind.SYSTEM_DROP, 40) is Grade.RESUMED


@pytest.mark.rule("A27")
def test_a_call_that_was_lost_counts_by_the_one_that_goes_on_with_it() -> None:
    assert grade(VerdictKind.SYSTEM_DROP, 600) is Grade.RESUMED
    assert grade(VerdictKind.SYSTEM_DROP, 1500) is Grade.EFFECTIVE, "nothing was left to resume"


@pytest.mark.parametrize(
    "kind",
    [
        VerdictKind.PARTY_ENDED,
        VerdictKind.CAP_REACHED,
        VerdictKind.SUSPECTED_DROP,
        VerdictKind.OPERATOR_ENDED,
        VerdictKind.INDETERMINATE,
    ],
)
def test_every_other_end_of_a_talk_is_effective_until_somebody_gives_it_back(
    kind: VerdictKind,
) -> None:
    assert grade(kind, 600) is Grade.EFFECTIVE


@pytest.mark.rule("X01")
def test_a_call_that_never_connected_counts_for_nobody() -> None:
    order = an_order()
    missed = ended(VerdictKind.NOT_CONNECTED, 0, connected=False)
    assert lines(order, after_call(order, missed)) == ()


def test_a_better_verdict_corrects_by_a_line_of_its_own_and_leaves_the_first_alone() -> None:
    order = an_order()
    first = after_call(order, ended(VerdictKind.PARTY_ENDED, 600))
    later = first.settled is not None and first.settled.ended_at + 20 * MINUTE
    assert later
    better = settle(first, ended(VerdictKind.SYSTEM_DROP, 590), POLICY, later).order
    (line,) = lines(first, better, later)
    assert (line.from_grade, line.to_grade) == (Grade.EFFECTIVE, Grade.RESUMED)
    assert (line.talked_seconds, line.at) == (-10, later)
    assert lines(better, better) == ()


def test_the_next_call_of_an_order_has_lines_of_its_own() -> None:
    order = an_order()
    dropped = after_call(order, ended(VerdictKind.SYSTEM_DROP, 600))
    again = after_call(dropped, ended(VerdictKind.PARTY_ENDED, 300, call=SECOND))
    (line,) = lines(dropped, again)
    assert (line.call, line.from_grade, line.to_grade) == (SECOND, Grade.NONE, Grade.EFFECTIVE)
    assert line.talked_seconds == 300


@pytest.mark.rule("X10", "X11", "A36")
def test_what_is_given_back_is_held_against_the_orders_last_talk_once() -> None:
    order = an_order()
    dropped = after_call(order, ended(VerdictKind.SYSTEM_DROP, 600))
    again = after_call(dropped, ended(VerdictKind.PARTY_ENDED, 300, call=SECOND))
    written = [*lines(order, dropped, NOON), *lines(dropped, again, NOON + MINUTE)]
    decided = GivenBack(order.id, None, NOON + 40 * DAY)
    again_decided = GivenBack(order.id, SECOND, NOON + 41 * DAY)
    added = graded(written, [again_decided, decided])[len(written) :]
    (line,) = added
    assert (line.call, line.from_grade, line.to_grade) == (
        SECOND,
        Grade.EFFECTIVE,
        Grade.GIVEN_BACK,
    )
    assert (line.talked_seconds, line.at) == (0, decided.at)
    assert line.ended_at < NOON + DAY, "it still says which month it corrects"


@pytest.mark.rule("X10")
def test_a_claim_is_held_against_the_call_it_is_about() -> None:
    order = an_order()
    dropped = after_call(order, ended(VerdictKind.SYSTEM_DROP, 600))
    again = after_call(dropped, ended(VerdictKind.PARTY_ENDED, 300, call=SECOND))
    written = [*lines(order, dropped, NOON), *lines(dropped, again, NOON + MINUTE)]
    by_claim = GivenBack(order.id, FIRST, NOON + DAY)
    voucher_moved = GivenBack(order.id, None, NOON + DAY)
    (line,) = graded(written, [voucher_moved, by_claim])[len(written) :]
    assert (line.call, line.from_grade) == (FIRST, Grade.RESUMED), "one instant, one decision"


def test_giving_back_what_nobody_talked_for_deducts_nothing() -> None:
    assert graded([], [GivenBack(OrderId("order-9"), None, NOON)]) == []


def test_deductions_are_all_grades_of_a_talk_but_the_effective_one() -> None:
    assert set(Grade) - {Grade.NONE, Grade.EFFECTIVE} == DEDUCTED
    assert an_order().program == LISTENING


@pytest.mark.rule("X51")
def test_a_month_begins_and_ends_at_midnight_on_the_wall_of_the_programs_zone() -> None:
    assert read_month("2026-11").span(SHANGHAI) == (
        datetime(2026, 10, 31, 16, tzinfo=UTC),
        datetime(2026, 11, 30, 16, tzinfo=UTC),
    )
    assert read_month("2026-12").following == Month(date(2027, 1, 1))
    assert str(read_month("2026-02")) == "2026-02"


@pytest.mark.parametrize(
    "text", ["2026-13", "2026", "2026-1", "11-2026", "２０２６-11", "2026-11-01", ""]
)
def test_what_is_no_month_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write a month like 2026-11"):
        read_month(text)


@pytest.mark.parametrize("text", ["0001-01", "1999-12", "9999-12"])
def test_a_month_whose_ends_are_no_instants_everywhere_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="from 2000-01 to 9998-12"):
        read_month(text)


@pytest.mark.parametrize("text", ["2000-01", "9998-12"])
def test_a_month_that_is_taken_has_both_its_ends_in_every_zone(text: str) -> None:
    for zone in ("Pacific/Kiritimati", "Asia/Shanghai", "Etc/GMT+12"):
        assert len(read_month(text).span(ZoneInfo(zone))) == 2
