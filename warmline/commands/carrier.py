"""`warmline carrier`: what a carrier needs outside of Warmline."""

import tomllib
from pathlib import Path
from typing import Annotated

import typer

from warmline.commands.running import AsJson, say
from warmline.commands.twilio import twilio_app
from warmline.exits import Unusable

carrier_app = typer.Typer(help="Carriers.", no_args_is_help=True)
asterisk_app = typer.Typer(help="Asterisk.", no_args_is_help=True)
carrier_app.add_typer(asterisk_app, name="asterisk")
carrier_app.add_typer(twilio_app, name="twilio")


@asterisk_app.command("render")
def asterisk_render(
    directory: Annotated[Path, typer.Argument(help="Where the files go; made if missing.")],
    trunk: Annotated[Path, typer.Option(help="The trunk's description: TOML (docs/asterisk.md).")],
    included: Annotated[
        bool,
        typer.Option(
            "--included", help="For an Asterisk that has a configuration: the files to #include."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write Asterisk's configuration for one trunk. Files of the same name are replaced."""
    from dialer.carriers.asterisk.configuration import (
        FILES,
        INCLUDED,
        ConfigurationInvalid,
        read_installation,
        write,
    )

    try:
        installation = read_installation(tomllib.loads(trunk.read_text("utf-8")))
    except OSError as refused:
        raise Unusable(f"{trunk} cannot be read ({refused.strerror}): mend the path.") from None
    except ValueError as wrong:
        raise Unusable(f"{trunk} is no TOML: {wrong}.") from None
    except ConfigurationInvalid as wrong:
        raise Unusable(f"{trunk} cannot be used: {wrong}") from None
    try:
        files = INCLUDED if included else FILES
        written = [str(path) for path in write(installation, directory, files)]
    except ConfigurationInvalid as wrong:
        raise Unusable(f"{trunk} cannot be used: {wrong}") from None
    except OSError as refused:
        raise Unusable(f"{directory} cannot be written ({refused.strerror}).") from None
    say({"files": written}, as_json, *written)
