"""A report as tables: each a name, columns that tell what a row is about, and whole numbers.

Figures are whole seconds or units, never fractions. A figure that is None is withheld.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncpg import Record

Text = str
Figure = int | None


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a text for every key of its table, a whole number for every figure."""

    keys: tuple[Text, ...]
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`rows` is read once, and never as a whole: a report may be larger than memory."""

    name: str
    keys: tuple[str, ...]
    figures: tuple[str, ...]
    rows: AsyncIterator[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Tables of one month, and remarks that belong to them."""

    name: str
    month: str
    zone: str
    tables: Sequence[Table]
    notes: tuple[str, ...] = ()

    @property
    def file_name(self) -> str:
        """What its file is called, without an ending."""
        return f"{self.name}-{self.month}"


async def each(rows: Iterable[Row]) -> AsyncIterator[Row]:
    """Rows that are few enough to be there already."""
    for row in rows:
        yield row


def row_of(record: "Record", keys: Iterable[str], figures: Iterable[str]) -> Row:
    """A row of the database as one of a table; where there is no text, there is an empty one."""
    texts = tuple("" if record[key] is None else str(record[key]) for key in keys)
    return Row(texts, tuple(_whole(record[figure]) for figure in figures))


def _whole(value: object) -> Figure:
    if value is None:
        return None
    assert isinstance(value, int)
    return value
