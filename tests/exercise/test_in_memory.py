"""A million operations in memory: nothing is used twice or lost, and every book sums to zero."""

import pytest

from tests.exercise import OPERATIONS_IN_MEMORY
from tests.exercise.house import House


@pytest.mark.rule("A18", "A19", "X56")
def test_after_any_number_of_operations_every_book_is_unbroken_and_agrees_with_its_row() -> None:
    house = House(seed=1)

    house.operate(OPERATIONS_IN_MEMORY)
    house.put_away(everything=True)

    assert house.faults == []
    assert sum(house.sums.values()) == 0
    assert all(units >= 0 for account, units in house.sums.items() if account != "issuer")
    assert house.readings == {}
    assert min(house.operations.values()) > OPERATIONS_IN_MEMORY / 100
    assert house.refusals < OPERATIONS_IN_MEMORY * 0.6
