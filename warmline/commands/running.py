"""What commands share: settings, a migrated database, and printing for people or programs."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from warmline.settings import Settings

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def settings_of(context: typer.Context) -> "Settings":
    """The settings this command runs with. Raises SettingsInvalid."""
    from warmline.settings import Settings

    return Settings.load(context.obj)


def with_database(settings: "Settings", work: Callable[["Connection[Record]"], Awaitable[T]]) -> T:
    """Run `work` on a connection to the migrated database."""
    from warmline.database.migrate import migrate, shipped
    from warmline.database.pool import connected, database_url

    async def migrated() -> T:
        async with database_url(settings) as url, connected(url) as connection:
            await migrate(connection, shipped())
            return await work(connection)

    return asyncio.run(migrated())


def say(data: dict[str, Any], as_json: bool, *lines: str) -> None:
    """One JSON object, or lines for a person."""
    print(json.dumps(data, ensure_ascii=False) if as_json else "\n".join(lines))
