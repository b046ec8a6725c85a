"""A change of one room's tables as a value, so that one decision's changes travel together.

A decision touches several rooms, and each knows its own SQL alone. A round trip to the database for
each costs more than what the database does in it; so a room may give its statement away, and
whoever decided has all of them carried out as one: all or nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

_PARAMETER = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Change:
    """`parts` belong into a WITH and count their `arguments` from $1; the names of parts and of
    answers are used by no other change. `answers` are expressions over the parts, with their names.
    """

    parts: str
    answers: str
    arguments: tuple[object, ...]


def together(changes: Sequence[Change]) -> tuple[str, list[object]]:
    """One statement that carries out at least one change, and its arguments.

    It gives one row, with the answers of all. The parts see the tables as they were before it.
    """
    counts = tuple(len(change.arguments) for change in changes)
    statement = _statement(tuple((one.parts, one.answers) for one in changes), counts)
    return statement, [argument for change in changes for argument in change.arguments]


@cache
def _statement(changes: tuple[tuple[str, str], ...], counts: tuple[int, ...]) -> str:
    shifts = [sum(counts[:place]) for place in range(len(counts))]
    parts, answers = (
        ", ".join(_shifted(change[which], by) for change, by in zip(changes, shifts, strict=True))
        for which in (0, 1)
    )
    return f"WITH {parts} SELECT {answers}"


def _shifted(sql: str, by: int) -> str:
    return _PARAMETER.sub(lambda found: f"${int(found[1]) + by}", sql)
