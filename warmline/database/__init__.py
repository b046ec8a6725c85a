"""PostgreSQL: the embedded server, migrations and the pool."""

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from asyncpg import Connection as DirectConnection
    from asyncpg import Record
    from asyncpg.pool import PoolConnectionProxy

    Connection: TypeAlias = DirectConnection[Record] | PoolConnectionProxy[Record]
    """A connection, whether opened alone or lent by a pool."""
