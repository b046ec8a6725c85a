"""One line of an insurer's list: every fault of it is found, none stops the reading."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from billing.policies.cells import (
    OLDEST_BIRTH,
    CellWrong,
    born_on_of,
    plain,
    read_day,
    read_id_number,
    read_phone,
    read_text,
)
from billing.policies.columns import Column
from billing.policies.faults import Fault, FaultCode, fault
from billing.policies.policy import CHILD_YEARS, Insured, Person, PolicyTerms, Status, age_on
from billing.policies.relation import WORDS as RELATIONS
from billing.policies.relation import Relation
from terms.calendar import anniversary

T = TypeVar("T")

LONGEST_TERM_YEARS = 120
LAST_DAY = date(2999, 12, 31)
"""Further ahead no calendar of ours is asked to go."""

_FOR_LIFE = 9999
"""The year in which insurers let a policy end that does not."""

STATUSES: Mapping[str, Status] = {
    **{status.value: status for status in Status},
    "有效": Status.IN_FORCE,
    "退保": Status.SURRENDERED,
    "已退保": Status.SURRENDERED,
    "失效": Status.LAPSED,
    "中止": Status.LAPSED,
    "终止": Status.ENDED,
    "满期": Status.ENDED,
}

_STATUS_WORDS = ", ".join(Status)
_RELATION_WORDS = ", ".join(Relation)

Cells = Mapping[Column, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A line that cannot be taken over, and why. It names columns, never what stands in them."""

    line: int
    number: str | None
    faults: tuple[Fault, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Each of them as a sentence."""
        return tuple(map(str, self.faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodRow:
    """One insured person of one policy, as one line tells."""

    line: int
    sponsor: str
    number: str
    terms: PolicyTerms
    policyholder: Person
    insured: Insured


def read_row(line: int, cells: Cells, *, sponsor: str, today: date) -> GoodRow | RejectedRow:
    """What the line says; `sponsor` is whose list it is where the line does not tell."""
    row = _Row(cells)
    number = row.text(Column.NUMBER)
    whose = row.text(Column.SPONSOR, default=sponsor)
    terms = _terms(row, today)
    holder = _person(
        row,
        *(Column.HOLDER_NAME, Column.HOLDER_PHONE),
        *(Column.HOLDER_ID_NUMBER, Column.HOLDER_BORN_ON),
        today=today,
        phone_needed=True,
    )
    insured = _insured(row, holder, today)
    if row.faults or number is None or whose is None:
        return RejectedRow(line=line, number=number, faults=tuple(row.faults))
    assert terms is not None
    assert holder is not None
    assert insured is not None
    return GoodRow(
        line=line, sponsor=whose, number=number, terms=terms, policyholder=holder, insured=insured
    )


@dataclass(slots=True)
class _Row:
    """The cells of one line, and what is wrong with them so far."""

    cells: Cells
    faults: list[Fault] = field(default_factory=list)

    def fault(self, column: Column, code: FaultCode, **given: object) -> None:
        self.faults.append(fault(code, column, **given))

    def given(self, column: Column) -> str:
        text = self.cells.get(column)
        return plain(text) if text else ""

    def take(self, column: Column, read: Callable[[str], T], *, needed: bool = False) -> T | None:
        text = self.given(column)
        if not text:
            if needed:
                self.fault(column, FaultCode.MISSING)
            return None
        try:
            return read(text)
        except CellWrong as wrong:
            self.faults.append(replace(wrong.fault, column=column))
            return None

    def text(self, column: Column, default: str | None = None) -> str | None:
        if default is not None and not self.given(column):
            return default
        return self.take(column, read_text, needed=True)


def _terms(row: _Row, today: date) -> PolicyTerms | None:
    product = row.text(Column.PRODUCT)
    purchased_on = row.take(Column.PURCHASED_ON, read_day, needed=True)
    effective_on = row.take(Column.EFFECTIVE_ON, read_day, needed=True)
    cooling_off_end = row.take(Column.COOLING_OFF_END, read_day)
    status = row.take(Column.STATUS, _status, needed=True)
    ends_on = _ends_on(row, effective_on)
    for column, day in (
        (Column.EFFECTIVE_ON, effective_on),
        (Column.COOLING_OFF_END, cooling_off_end),
        (Column.ENDS_ON, ends_on),
    ):
        if day is not None and day > LAST_DAY:
            row.fault(column, FaultCode.TOO_FAR_AHEAD, day=LAST_DAY)
    if purchased_on is not None and purchased_on > today:
        row.fault(Column.PURCHASED_ON, FaultCode.IN_FUTURE)
    if cooling_off_end and purchased_on and cooling_off_end < purchased_on:
        row.fault(Column.COOLING_OFF_END, FaultCode.BEFORE_PURCHASE)
    if ends_on and effective_on and ends_on < effective_on:
        row.fault(Column.ENDS_ON, FaultCode.BEFORE_EFFECT)
    if product is None or purchased_on is None or effective_on is None or status is None:
        return None
    return PolicyTerms(
        product=product,
        purchased_on=purchased_on,
        effective_on=effective_on,
        status=status,
        cooling_off_end=cooling_off_end,
        ends_on=ends_on,
    )


def _ends_on(row: _Row, effective_on: date | None) -> date | None:
    """The last day insured, told as a date or as a number of years; None for life."""
    ends_on = row.take(Column.ENDS_ON, read_day)
    years = row.take(Column.TERM_YEARS, _years)
    if ends_on is not None and ends_on.year == _FOR_LIFE and years is None:
        return None
    if years is None or effective_on is None or effective_on > LAST_DAY:
        return ends_on
    by_term = date.fromordinal(anniversary(effective_on, years).toordinal() - 1)
    if ends_on is not None and abs((ends_on - by_term).days) > 1:
        row.fault(Column.TERM_YEARS, FaultCode.TERM_DISAGREES)
    return ends_on or by_term


def _insured(row: _Row, holder: Person | None, today: date) -> Insured | None:
    relation = row.take(Column.RELATION, _relation, needed=True)
    given = _person(
        row,
        *(Column.INSURED_NAME, Column.INSURED_PHONE),
        *(Column.INSURED_ID_NUMBER, Column.INSURED_BORN_ON),
        today=today,
        phone_needed=False,
    )
    contact = _contact(row)
    if given is None or relation is None:
        return None
    if relation is Relation.SELF and holder is not None:
        given = _same_person(row, given, holder)
    if given.born_on is None:
        row.fault(Column.INSURED_BORN_ON, FaultCode.MISSING_BIRTH)
    elif age_on(given.born_on, today) < CHILD_YEARS and contact is None:
        row.fault(Column.CONTACT_NAME, FaultCode.MISSING_FOR_CHILD, years=CHILD_YEARS)
    return Insured(person=given, relation=relation, contact=contact)


def _same_person(row: _Row, insured: Person, holder: Person) -> Person:
    """Who insures themselves is written once: the other columns may stay empty."""
    for column, own, other in (
        (Column.INSURED_NAME, insured.name, holder.name),
        (Column.INSURED_PHONE, insured.phone, holder.phone),
        (Column.INSURED_ID_NUMBER, insured.id_number, holder.id_number),
        (Column.INSURED_BORN_ON, insured.born_on, holder.born_on),
    ):
        if own is not None and other is not None and own != other:
            row.fault(column, FaultCode.NOT_THE_POLICYHOLDER)
    return replace(
        insured,
        phone=insured.phone or holder.phone,
        id_number=insured.id_number or holder.id_number,
        born_on=insured.born_on or holder.born_on,
    )


def _contact(row: _Row) -> Person | None:
    name = row.take(Column.CONTACT_NAME, read_text)
    phone = row.take(Column.CONTACT_PHONE, read_phone)
    if name is None and phone is None:
        return None
    if name is None or phone is None:
        missing = Column.CONTACT_NAME if name is None else Column.CONTACT_PHONE
        if not row.given(missing):
            row.fault(missing, FaultCode.MISSING_HALF_CONTACT)
        return None
    return Person(name=name, phone=phone)


def _person(
    row: _Row,
    name_in: Column,
    phone_in: Column,
    id_in: Column,
    born_in: Column,
    *,
    today: date,
    phone_needed: bool,
) -> Person | None:
    name = row.text(name_in)
    phone = row.take(phone_in, read_phone, needed=phone_needed)
    id_number = row.take(id_in, read_id_number)
    born_on = row.take(born_in, read_day)
    told = None if id_number is None else born_on_of(id_number)
    if born_on is not None and told is not None and born_on != told:
        row.fault(born_in, FaultCode.NOT_BORN_AS_ID_TELLS)
    born_on = born_on or told
    if born_on is not None and not OLDEST_BIRTH <= born_on <= today:
        row.fault(born_in, FaultCode.IMPOSSIBLE_BIRTH)
    if name is None:
        return None
    return Person(name=name, phone=phone, id_number=id_number, born_on=born_on)


def _status(text: str) -> Status:
    return _word(text, STATUSES, _STATUS_WORDS)


def _relation(text: str) -> Relation:
    return _word(text, RELATIONS, _RELATION_WORDS)


def _word(text: str, words: Mapping[str, T], told: str) -> T:
    found = words.get(text.lower())
    if found is None:
        raise CellWrong(FaultCode.NOT_ONE_OF, words=told)
    return found


def _years(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= LONGEST_TERM_YEARS:
        raise CellWrong(FaultCode.NOT_YEARS, most=LONGEST_TERM_YEARS)
    return int(text)
