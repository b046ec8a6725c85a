import dataclasses
from dataclasses import dataclass, field

import pytest

from billing.order import Order
from billing.voucher import Voucher
from dialer.call import Call
from dialer.leg import Leg
from routing.counselor import Counselor
from terms.values import _read_by_check, changer, quickly_made, replace


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


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    street: str
    number: int = 1
    notes: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.number > 0


@quickly_made
@dataclass(frozen=True, slots=True)
class Pair:
    one: int
    two: int = 2


def test_a_quickly_made_value_takes_and_gives_what_any_other_does() -> None:
    made = Quick(street="Main")
    assert (made.street, made.number, made.notes) == ("Main", 1, {})
    assert Quick(street="Main").notes is not made.notes
    assert type(made) is Quick
    assert Pair(1) == Pair(1, two=2) == replace(Pair(0), one=1)
    assert repr(Pair(1)) == "Pair(one=1, two=2)"
    match Pair(1, 3):
        case Pair(one, two):
            assert (one, two) == (1, 3)


def test_a_quickly_made_value_is_frozen_and_checked() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Quick(street="Main").number = 2  # type: ignore[misc]
    with pytest.raises(AssertionError):
        Quick(street="Main", number=0)


def test_a_quickly_made_value_wants_every_field_that_has_no_default_and_no_other() -> None:
    with pytest.raises(TypeError, match="street"):
        Quick()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="house"):
        Quick(street="Main", house=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Quick("Main")  # type: ignore[call-arg]


def test_only_slotted_values_are_made_quickly() -> None:
    with pytest.raises(TypeError, match="no slotted dataclass"):
        quickly_made(Loose)


def test_a_changer_makes_what_replace_makes_and_leaves_the_old_value_be() -> None:
    renumbered = changer(Place, "number")
    old = Place(street="Main", number=4)
    new = renumbered(old, 7)
    assert new == replace(old, number=7)
    assert type(new) is Place
    assert old == Place(street="Main", number=4)
    assert changer(Quick, "notes", "number")(Quick(street="Main"), {"a": 1}, 3) == Quick(
        street="Main", number=3, notes={"a": 1}
    )


def test_a_changer_holds_the_value_to_its_own_checks_and_knows_its_fields() -> None:
    with pytest.raises(AssertionError):
        changer(Place, "number")(Place(street="Main"), 0)
    with pytest.raises(TypeError, match="no field house"):
        changer(Place, "house")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    begin: int
    end: int
    note: str = ""

    def __post_init__(self) -> None:
        _CHECKED.append(self.begin)
        if self.begin > self.end:  # no assert: pytest's own reads the value as a whole
            raise AssertionError


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    begin: int
    end: int
    note: str = ""

    def __post_init__(self) -> None:
        assert self.length >= 0

    @property
    def length(self) -> int:
        return self.end - self.begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    begin: int
    end: int

    def __post_init__(self) -> None:
        _must_not_be_empty(self)


class Ordered:
    __slots__ = ()

    def __post_init__(self) -> None:
        assert self.begin <= self.end  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inherited(Ordered):
    begin: int
    end: int

    def __post_init__(self) -> None:
        super(Inherited, self).__post_init__()


def _must_not_be_empty(one: Handed) -> None:
    assert one.begin <= one.end


_CHECKED: list[int] = []


def test_a_changed_value_is_checked_where_the_check_reads_what_changed() -> None:
    span = Span(begin=1, end=2)
    with pytest.raises(AssertionError):
        changer(Span, "begin")(span, 3)
    with pytest.raises(AssertionError):
        changer(Span, "note", "end")(span, "late", 0)
    with pytest.raises(AssertionError):
        replace(span, end=0)


def test_a_changed_value_is_not_checked_again_for_what_the_check_does_not_read() -> None:
    span = Span(begin=1, end=2)
    _CHECKED.clear()
    assert changer(Span, "note")(span, "quiet") == Span(begin=1, end=2, note="quiet")
    assert _CHECKED == [1]  # by the one that was made to compare with


@pytest.mark.parametrize("kind", [Measured, Handed, Inherited])
def test_a_check_that_reads_more_than_plain_fields_is_run_whatever_changes(kind: type) -> None:
    for field_ in ("begin", "end"):
        with pytest.raises(AssertionError):
            changer(kind, field_)(kind(begin=1, end=2), {"begin": 3, "end": 0}[field_])


@pytest.mark.parametrize("kind", [Call, Leg, Order, Voucher, Counselor])
def test_the_states_that_change_most_say_plainly_what_their_checks_read(kind: type) -> None:
    fields = {one.name for one in dataclasses.fields(kind)}

    assert set() < _read_by_check(kind) < fields
