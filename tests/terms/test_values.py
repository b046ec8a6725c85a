import dataclasses
from dataclasses import dataclass

import pytest

from terms.values import replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    street: str
    number: int = 1

    def __post_init__(self) -> None:
        assert self.number > 0


@dataclass(frozen=True, slots=True)
class Unchecked:
    one: int
    two: int


@dataclass
class Loose:
    one: int
    two: int


def test_a_replaced_value_differs_in_the_named_fields_alone_and_leaves_the_old_one_be() -> None:
    old = Place(street="Main", number=4)
    assert replace(old, number=7) == Place(street="Main", number=7)
    assert replace(old) == old
    assert old == Place(street="Main", number=4)
    assert replace(Unchecked(1, 2), one=3) == Unchecked(3, 2)


def test_a_replaced_value_is_frozen_and_hashes_like_any_other() -> None:
    new = replace(Place(street="Main", number=4), number=7)
    assert hash(new) == hash(Place(street="Main", number=7))
    with pytest.raises(dataclasses.FrozenInstanceError):
        new.number = 8  # type: ignore[misc]


def test_a_value_that_may_not_be_is_refused_as_the_constructor_refuses_it() -> None:
    with pytest.raises(AssertionError):
        replace(Place(street="Main"), number=0)


def test_a_field_that_is_not_there_is_a_mistake() -> None:
    with pytest.raises(TypeError, match="no field house"):
        replace(Place(street="Main"), house=0)  # type: ignore[call-arg]


def test_only_slotted_values_can_be_replaced() -> None:
    with pytest.raises(TypeError, match="no slotted dataclass"):
        replace(Loose(1, 2), one=2)
