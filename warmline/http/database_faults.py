"""What the database's errors mean for the person who asked. By SQLSTATE, never by text."""

import asyncpg

from warmline.database.faults import PASSING
from warmline.http.problems import BadInput, InputFault, Problem, Unavailable

_CANNOT_BE_STORED = (
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
)


def problem_of(error: BaseException) -> Problem | None:
    """The answer for an error of asyncpg, or None when it is a mistake of ours."""
    if isinstance(error, PASSING):
        return Unavailable()
    if isinstance(error, _CANNOT_BE_STORED):
        detail = "a text holds a character that cannot be stored"
        return BadInput(InputFault(place="body", pointer="", detail=detail))
    return None
