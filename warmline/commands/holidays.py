"""`warmline holidays`: the statutory calendar, announced anew every autumn."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from warmline.commands.running import AsJson, say, settings_of, with_database
from warmline.exits import Unusable

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from routing.store.calendar import CalendarDay
    from terms.ids import TenantId

holidays_app = typer.Typer(help="The statutory calendar.", no_args_is_help=True)


@holidays_app.command("import")
def holidays_import(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV: day,worked,name as in 2027-01-01,no,元旦.")],
    tenant: Annotated[
        str | None, typer.Option(help="For this organisation alone; else for all of them.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take over the days that are not what their weekday says: all lines, or none.

    What was known of the same days is replaced.
    """
    from terms.ids import TenantId
    from warmline.tenants import known_tenants
    from warmline.workdays import CalendarWrong, read_days

    settings = settings_of(context)
    try:
        days = read_days(_text(file), source=file.name)
    except CalendarWrong as wrong:
        raise Unusable(f"{file} cannot be taken over: {wrong}.") from None

    async def work(connection: "Connection[Record]") -> "list[TenantId]":
        if tenant is not None:
            tenants = [TenantId(tenant)]
        else:
            tenants = list(await known_tenants(connection, settings.tenant))
        await _take_over(connection, tenants, days)
        return tenants

    tenants = with_database(settings, work)
    data = {"days": len(days), "until": days[-1].day.isoformat(), "tenants": tenants}
    say(data, as_json, f"{len(days)} days until {data['until']} for {', '.join(tenants)}.")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8-sig")
    except OSError as refused:
        raise Unusable(f"{file} cannot be read ({refused.strerror}): mend the path.") from refused
    except UnicodeDecodeError:
        raise Unusable(f"{file} is not text in UTF-8: save it as such.") from None


async def _take_over(
    connection: "Connection[Record]", tenants: "list[TenantId]", days: "list[CalendarDay]"
) -> None:
    from routing.store.calendar import import_days

    for tenant in tenants:
        async with connection.transaction():
            await import_days(connection, tenant, days)
