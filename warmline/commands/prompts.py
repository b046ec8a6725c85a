"""`warmline prompts`: what is said on the line, and its recordings."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from warmline.commands.running import AsJson, say, settings_of
from warmline.exits import Unusable

if TYPE_CHECKING:
    from warmline.prompts.recordings import Standing
    from warmline.settings import Settings

prompts_app = typer.Typer(
    help="What is said on the line, and its recordings.", no_args_is_help=True
)

InLanguages = Annotated[
    list[str] | None, typer.Option("--language", help="zh-CN or en; else both.")
]
InFolder = Annotated[
    Path | None, typer.Option("--out", help="Where the recordings are; else in the data directory.")
]


@prompts_app.command("build")
def prompts_build(
    context: typer.Context,
    language: InLanguages = None,
    out: InFolder = None,
    as_json: AsJson = False,
) -> None:
    """Speak what has no recording yet or an old text; exit status 1 if an own one cannot be played.

    Your own recordings are never touched.
    """
    from warmline.prompts.building import build
    from warmline.prompts.catalogue import shipped
    from warmline.prompts.recordings import State
    from warmline.prompts.standing import prompts_of

    settings = settings_of(context)
    folder = _folder(settings, out)
    languages = _languages(language)
    built = build(folder, shipped(), prompts_of(settings), languages, _progress)
    made, renewed = built.those(State.MISSING), built.those(State.OUTDATED)
    own, unplayable = built.those(State.OWN), built.those(State.UNPLAYABLE)
    unchanged = len(built.those(State.MADE))
    data = {
        "folder": str(folder),
        "made": [one.name for one in made],
        "renewed": [one.name for one in renewed],
        "unchanged": unchanged,
        "own": [one.name for one in own],
        "unplayable": [{"prompt": one.name, "why": one.detail} for one in unplayable],
    }
    say(
        data,
        as_json,
        *(f"made       {one.name}" for one in made),
        *(f"renewed    {one.name}" for one in renewed),
        *(f"own        {one.name}" for one in own),
        *(f"unplayable {one.name}: {one.detail}" for one in unplayable),
        f"{len(made)} made, {len(renewed)} renewed, {unchanged} unchanged, {len(own)} your own, "
        f"{len(unplayable)} that cannot be played, in {folder}.",
    )
    if unplayable:
        raise typer.Exit(1)


@prompts_app.command("list")
def prompts_list(
    context: typer.Context,
    language: InLanguages = None,
    out: InFolder = None,
    as_json: AsJson = False,
) -> None:
    """Every prompt with its text, and how its recording stands."""
    from warmline.prompts.standing import standings

    settings = settings_of(context)
    folder = _folder(settings, out)
    found = standings(settings, folder, _languages(language))
    say(
        {"folder": str(folder), "prompts": [_data(one) for one in found]},
        as_json,
        *(f"{one.state:10} {one.name:28} {one.text}{_in_brackets(one)}" for one in found),
    )


def _folder(settings: "Settings", out: Path | None) -> Path:
    from warmline.prompts.standing import folder_of

    if out is not None:
        return out
    settings.prepare_data_dir()
    return folder_of(settings)


def _languages(named: list[str] | None) -> tuple[str, ...]:
    from warmline.prompts.catalogue import LANGUAGES

    for one in named or ():
        if one not in LANGUAGES:
            raise Unusable(f"There are no prompts in {one}: choose {' or '.join(LANGUAGES)}.")
    return tuple(dict.fromkeys(named)) if named else LANGUAGES


def _data(one: "Standing") -> dict[str, Any]:
    return {
        "key": one.prompt.key,
        "language": one.language,
        "file": f"{one.name}.wav",
        "text": one.text,
        "state": one.state,
        "why": one.detail or None,
    }


def _in_brackets(one: "Standing") -> str:
    return f" ({one.detail})" if one.detail else ""


def _progress(done: int, total: int) -> None:
    """Half a minute in all: on a terminal, say how far it is."""
    if sys.stderr.isatty():
        print(f"\r{done + 1} of {total}   ", file=sys.stderr, end="", flush=True)
