"""Which errors of the database pass by themselves. By SQLSTATE, never by text."""

import asyncpg

WORTH_REPEATING = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
"""The transaction did nothing wrong: running it again from the start is the remedy."""

PASSING = (
    *WORTH_REPEATING,
    asyncpg.PostgresConnectionError,  # class 08
    asyncpg.InsufficientResourcesError,  # class 53: too many connections, disk full
    asyncpg.OperatorInterventionError,  # class 57: shut down, starting, statement cancelled
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # we are still talking to the old primary
    asyncpg.IdleInTransactionSessionTimeoutError,
)
"""The database is away, or too busy for the moment: nothing is wrong with what was asked of it."""

OUT_OF_REACH = (*PASSING, asyncpg.InterfaceError, OSError, TimeoutError)
"""The same where nothing but the database is spoken to: also a connection that is closed already,
which is the driver's own error, and one that never came about."""

_HELD_UP = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError, TimeoutError)


def is_out_of_reach(fault: BaseException) -> bool:
    """Whether nothing can be done before the database is back.

    What was merely not done in time is no proof of that: somebody may hold one row for ever, and
    whoever works through many rows would come no further than that one. Should the database be
    away after all, the next thing that is asked of it says so.
    """
    return isinstance(fault, OUT_OF_REACH) and not isinstance(fault, _HELD_UP)
