"""`warmline carrier twilio`: what an operator does once with a live account."""

import asyncio
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmline.commands.running import AsJson, say, settings_of
from warmline.exits import Unusable, port_taken

if TYPE_CHECKING:
    from terms.phone import PhoneNumber
    from warmline.settings import Settings

twilio_app = typer.Typer(help="Twilio.", no_args_is_help=True)

_PHONES = 2


@twilio_app.callback()
def twilio() -> None:
    """Twilio."""


@twilio_app.command("smoke")
def smoke(
    context: typer.Context,
    phone: Annotated[list[str], typer.Option(help="A phone in your hand; give two.")],
    record: Annotated[
        Path | None, typer.Option(help="Where what Twilio tells is kept, without numbers.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try with real calls what only a live account can prove, and print what was found.

    It needs two phones, about fifteen minutes, and the port of `warmline serve`, which must not
    run meanwhile. The calls cost money.
    """
    settings = settings_of(context)
    first, second = _numbers(phone)
    if settings.port == 0:
        raise Unusable("WARMLINE_PORT must be the port that WARMLINE_PUBLIC_URL leads to.")
    try:
        report, kept = asyncio.run(_tried(settings, (first, second), record))
    except OSError as refused:
        raise port_taken(settings.host, settings.port) from refused
    lines = [
        f"{one['number']:>2}. {one['question']}\n    {one['found']}\n"
        f"    (either way: {one['borne']})"
        for one in report
    ]
    if kept is not None:
        lines.append(f"What Twilio told is in {kept}.")
    say({"found": report, "recorded": None if kept is None else str(kept)}, as_json, *lines)
    if any(one["found"] == "open" for one in report):
        raise typer.Exit(1)


def _numbers(phones: list[str]) -> "tuple[PhoneNumber, PhoneNumber]":
    from dialer.carriers.twilio.numbers import is_e164
    from terms.phone import PhoneNumber

    if len(phones) != _PHONES or not all(map(is_e164, phones)) or phones[0] == phones[1]:
        raise Unusable("Give --phone twice, with two numbers, each with + and the country code.")
    return PhoneNumber(phones[0]), PhoneNumber(phones[1])


async def _tried(
    settings: "Settings", phones: "tuple[PhoneNumber, PhoneNumber]", directory: Path | None
) -> tuple[list[dict[str, Any]], Path | None]:
    # Few need the SDK: start sooner.
    from dialer.carriers.twilio.carrier import Presence
    from warmline.carriers import twilio as installed
    from warmline.carriers.twilio_smoke.run import record, run_trials
    from warmline.carriers.twilio_smoke.stage import a_stage
    from warmline.clock import machine_now

    presence = Presence(
        public_url=installed.public_url_of(settings),
        numbers=installed.numbers_of(settings),
        words=installed.words_of(settings),
    )
    async with a_stage(
        installed.access_of(settings),
        installed.signatures_of(settings),
        presence,
        phones=phones,
        host=settings.host,
        port=settings.port,
        ask=lambda text: asyncio.to_thread(_asked, text),
        now=machine_now,
        new_secret=lambda: secrets.token_hex(16),
    ) as stage:
        report = await run_trials(stage, lambda text: print(text, file=sys.stderr, flush=True))
        return report, None if directory is None else record(stage, directory)


def _asked(text: str) -> str:
    print(f"    {text} ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()
