"""What the database's errors mean for the person who asked. By SQLSTATE, never by text."""

import asyncpg

from warmline.http.problems import BadInput, InputFault, Problem, Unavailable

WORTH_REPEATING = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""The transaction did nothing wrong: running it again from the start is the remedy."""

_PASSES = (
    *WORTH_REPEATING,
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.InsufficientResourcesError,  # class 53: too many connections, disk full
    asyncpg.OperatorInterventionError,  # class 57: shut down, starting, statement cancelled
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # we are still talking to the old primary
    asyncpg.IdleInTransactionSessionTimeoutError,
)
_CANNOT_BE_STORED = (
    asyncpg.CharacterNotInRepertoireError,
    asyncpg.UntranslatableCharacterError,
)


def problem_of(error: BaseException) -> Problem | None:
    """The answer for an error of asyncpg, or None when it is a mistake of ours."""
    if isinstance(error, _PASSES):
        return Unavailable()
    if isinstance(error, _CANNOT_BE_STORED):
        detail = "a text holds a character that cannot be stored"
        return BadInput(InputFault(place="body", pointer="", detail=detail))
    return None
