"""What goes on is waited for, however slowly; what stands still, and what never ends, is not."""

from warmline.workers.patience import Patience


def test_what_goes_on_is_waited_for_longer_than_what_stands_still() -> None:
    patience = Patience(standstill_seconds=5, most_seconds=60)

    assert not any(patience.is_over(f"step {second // 4}", 100.0 + second) for second in range(40))
    assert not patience.is_over("step 9", 140.9)
    assert patience.is_over("step 9", 141.0)  # five seconds after it came to that step


def test_what_stands_still_from_the_beginning_is_given_up() -> None:
    patience = Patience(standstill_seconds=5, most_seconds=60)

    over = [patience.is_over("the same", 7.0 + second) for second in (0, 4.9, 5)]

    assert over == [False, False, True]


def test_what_changes_for_ever_is_given_up_in_the_end() -> None:
    patience = Patience(standstill_seconds=5, most_seconds=60)

    over = [patience.is_over(second, float(second)) for second in range(61)]

    assert over == [False] * 60 + [True]
