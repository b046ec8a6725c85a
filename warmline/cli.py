"""The command `warmline`. What a command needs is imported when it runs, so that help is quick."""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from warmline.commands.carrier import carrier_app
from warmline.commands.holidays import holidays_app
from warmline.commands.ledger import ledger_app
from warmline.commands.policies import policies_app
from warmline.commands.program import program_app
from warmline.commands.prompts import prompts_app
from warmline.commands.report import report_app
from warmline.commands.vouchers import vouchers_app
from warmline.exits import EXIT_STATUS, Unusable, sentence
from warmline.people import StaffRole

if TYPE_CHECKING:
    from asyncpg import Connection, Record

    from warmline.database.migrate import Migration
    from warmline.settings import Settings

T = TypeVar("T")

app = typer.Typer(
    help="Connects a person who needs to talk with a counselor, by phone.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
staff_app = typer.Typer(help="Accounts of staff.", no_args_is_help=True)
keys_app = typer.Typer(help="API keys of app back ends.", no_args_is_help=True)
db_app = typer.Typer(help="The embedded database.", no_args_is_help=True)
app.add_typer(program_app, name="program")
app.add_typer(staff_app, name="staff")
app.add_typer(keys_app, name="keys")
app.add_typer(vouchers_app, name="vouchers")
app.add_typer(policies_app, name="policies")
app.add_typer(ledger_app, name="ledger")
app.add_typer(holidays_app, name="holidays")
app.add_typer(carrier_app, name="carrier")
app.add_typer(report_app, name="report")
app.add_typer(prompts_app, name="prompts")
app.add_typer(db_app, name="db")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def main() -> None:
    """Run a command. Whatever somebody outside can mend is one sentence and exit status 2."""
    try:
        app()
    except Exception as failed:
        told = sentence(failed)
        if told is None:
            raise
        print(told, file=sys.stderr)
        sys.exit(EXIT_STATUS)


@app.callback()
def options(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(help="A TOML file of settings; the environment wins over it.")
    ] = None,
) -> None:
    context.obj = config


@app.command()
def serve(context: typer.Context) -> None:
    """Answer the HTTP API, obey orders and timers, until Ctrl-C."""
    gc.disable()  # what a start makes stays: the process collects once it serves
    from warmline import serve as process

    process.run(_settings(context))


@app.command()
def demo(context: typer.Context) -> None:
    """Serve with demo data; prints addresses and logins."""
    from warmline import demo as process

    process.run(_settings(context))


@app.command()
def handsets(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.")] = 8090,
) -> None:
    """Serve the simulated handsets alone, for processes that name it in WARMLINE_HANDSETS_URL."""
    from dialer.carriers.simulated import server

    settings = _settings(context)
    try:
        server.run(host, port, settings.handsets_token(), open_to_network=settings.sim_open)
    except ValueError as refused:
        raise Unusable(
            f"The handsets cannot listen on {host}: they are for this machine alone unless "
            "WARMLINE_SIM_OPEN=1 is set."
        ) from refused


@app.command()
def migrate(context: typer.Context, as_json: AsJson = False) -> None:
    """Bring the database to this version."""
    from warmline.database import migrate as migrations

    applied, _ = _migrate(_settings(context), _nothing_more)
    names = [f"{m.version:04}_{m.name}" for m in applied]
    level = max(m.version for m in migrations.shipped())
    _say({"applied": names, "version": level}, as_json, *names, f"The database is at {level:04}.")


@app.command()
def doctor(context: typer.Context, as_json: AsJson = False) -> None:
    """Tell what is wrong with this installation and what to do; exit status 2 if anything is."""
    from warmline import doctor as examination
    from warmline.findings import Health

    findings = asyncio.run(examination.examine(_settings(context), examination.local_today()))
    worst = examination.worst(findings)
    _say(
        {
            "health": worst,
            "findings": [
                {"code": f.code, "subject": f.subject, "health": f.health, "text": f.text}
                for f in findings
            ],
        },
        as_json,
        *(f"{f.health:8} {f.subject:15} {f.text}" for f in findings),
    )
    if worst is Health.WRONG:
        raise typer.Exit(EXIT_STATUS)


@app.command()
def simulate(
    days: Annotated[int, typer.Option(min=1, help="How many days to live through.")] = 30,
    seed: Annotated[int, typer.Option(help="The same seed gives the same days.")] = 1,
    seeds: Annotated[
        str | None, typer.Option(help="Several seeds one after another: 1-20.")
    ] = None,
    calls_per_day: Annotated[int, typer.Option(min=1, help="Calls on each day.")] = 100,
    faults: Annotated[str | None, typer.Option(help="Which faults, e.g. lose=0.01.")] = None,
    as_json: AsJson = False,
) -> None:
    """Live through days in seconds, with faults, and check that nothing is lost."""
    from warmline.simulation import cli

    status = cli.run(
        days=days,
        seed=seed,
        calls_per_day=calls_per_day,
        faults=faults,
        as_json=as_json,
        seeds=seeds,
    )
    raise typer.Exit(status)


@app.command()
def bench(
    settlement: Annotated[
        bool, typer.Option("--settlement", help="Measure the settling of a month instead.")
    ] = False,
    carrier: Annotated[
        str, typer.Option(help="asterisk: measure real SIP phones over a real Asterisk instead.")
    ] = "",
    only_news: Annotated[
        bool, typer.Option("--news", help="Measure the carrier's news alone: a minute.")
    ] = False,
    consoles: Annotated[
        int, typer.Option(help="Measure what so many open consoles of staff cost: three minutes.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Measure this machine against a floor."""
    if carrier not in ("", "asterisk"):
        raise Unusable(f"--carrier {carrier} cannot be measured: leave it out, or say asterisk.")
    if carrier:
        from warmline.bench import phones

        raise typer.Exit(phones.run(as_json=as_json))
    if consoles:
        from warmline.bench import consoles as watching

        raise typer.Exit(watching.run(watching.ConsoleScale(consoles=consoles), as_json=as_json))
    if settlement:
        from warmline.bench import settling

        raise typer.Exit(settling.run(as_json=as_json))
    from warmline import bench as measuring

    raise typer.Exit(measuring.run(as_json=as_json, only_news=only_news))


@app.command()
def openapi() -> None:
    """Print the API's document."""
    from importlib.metadata import version

    from warmline.http.openapi import document
    from warmline.serve import OPERATIONS

    published = document(OPERATIONS, version=version("warmline"))
    print(json.dumps(published, indent=2, ensure_ascii=False))


@staff_app.command("add")
def staff_add(
    context: typer.Context,
    email: Annotated[str, typer.Option(help="Signs in with it.")],
    role: Annotated[list[StaffRole], typer.Option(help="May be given several times.")],
    counselor: Annotated[str | None, typer.Option(help="The counselor this person is.")] = None,
    sponsor: Annotated[str | None, typer.Option(help="The insurer this person sees.")] = None,
    totp: Annotated[
        bool, typer.Option("--totp", help="Ask for a one-time code too; some roles always do.")
    ] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password; else one is made.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Open an account. A password or one-time secret that is made here is shown this once."""
    from terms.ids import CounselorId
    from warmline import enrolment
    from warmline.people.totp import enrolment_address

    settings = _settings(context)
    password = sys.stdin.readline().rstrip("\n") if password_stdin else None
    made = _with_database(
        settings,
        lambda connection: enrolment.enrol_staff(
            connection,
            settings.seal(),
            settings.tenant,
            email=email,
            roles=role,
            now=datetime.now(UTC),
            password=password,
            counselor=CounselorId(counselor) if counselor else None,
            sponsor=sponsor,
            totp=totp,
        ),
    )
    shown: dict[str, Any] = {"id": made.id, "email": made.email, "roles": [*made.roles]}
    if password is None:
        shown["password"] = made.password
    if made.totp_secret is not None:
        shown["totp_secret"] = made.totp_secret
        shown["totp_address"] = enrolment_address(made.totp_secret, made.email)
    _say(shown, as_json, *(f"{name}: {_plain(value)}" for name, value in shown.items()))


@staff_app.command("second-factor")
def staff_second_factor(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="Whose account it is.")],
    as_json: AsJson = False,
) -> None:
    """Renew the secret of an authenticator, for one that was lost. It is shown this once."""
    from warmline import enrolment
    from warmline.people.totp import enrolment_address

    settings = _settings(context)
    secret = _with_database(
        settings,
        lambda connection: enrolment.renew_second_factor(
            connection, settings.seal(), settings.tenant, email, datetime.now(UTC)
        ),
    )
    address = enrolment_address(secret, email.strip().lower())
    shown = {"totp_secret": secret, "totp_address": address}
    _say(shown, as_json, *(f"{name}: {value}" for name, value in shown.items()))


@keys_app.command("add")
def keys_add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    as_json: AsJson = False,
) -> None:
    """Make an API key. It is shown this once."""
    from warmline import enrolment

    settings = _settings(context)
    key = _with_database(
        settings,
        lambda connection: enrolment.make_key(connection, settings.tenant, name, datetime.now(UTC)),
    )
    _say({"name": name, "api_key": key}, as_json, key)


@db_app.command("stop")
def db_stop(context: typer.Context, as_json: AsJson = False) -> None:
    """Stop the embedded PostgreSQL, whoever uses it."""
    from warmline.database import embedded

    stopped = embedded.stop(_settings(context).data_dir)
    _say(
        {"stopped": stopped},
        as_json,
        "The embedded PostgreSQL is stopped." if stopped else "No embedded PostgreSQL was running.",
    )


def _settings(context: typer.Context) -> "Settings":
    from warmline.settings import Settings

    return Settings.load(context.obj)


def _with_database(settings: "Settings", work: Callable[["Connection[Record]"], Awaitable[T]]) -> T:
    """Run `work` on a connection to the migrated database."""
    return _migrate(settings, work)[1]


def _migrate(
    settings: "Settings", work: Callable[["Connection[Record]"], Awaitable[T]]
) -> tuple[tuple["Migration", ...], T]:
    from warmline.database.migrate import migrate, shipped
    from warmline.database.pool import connected, database_url

    async def migrated() -> tuple[tuple["Migration", ...], T]:
        async with database_url(settings) as url, connected(url) as connection:
            applied = await migrate(connection, shipped())
            return applied, await work(connection)

    return asyncio.run(migrated())


async def _nothing_more(connection: "Connection[Record]") -> None:
    """What `migrate` does once everything is migrated."""


def _say(data: dict[str, Any], as_json: bool, *lines: str) -> None:
    if as_json:
        print(json.dumps(data, ensure_ascii=False))
    else:
        print("\n".join(lines))


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
