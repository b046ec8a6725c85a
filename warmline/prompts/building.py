"""Making the recordings that are missing or outdated, and no other."""

import fcntl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from warmline.exits import Unusable
from warmline.prompts import espeak
from warmline.prompts.audio import for_the_phone, write_wav
from warmline.prompts.catalogue import Catalogue, Prompt
from warmline.prompts.recordings import RATES, Recordings, Standing, State, recipe

_NAMED = 5  # in a sentence; `warmline prompts list` names them all

_TO_MAKE = frozenset({State.MISSING, State.OUTDATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a build found, and what it made of it."""

    found: tuple[Standing, ...]

    def those(self, state: State) -> list[Standing]:
        """What stood so before; everything missing or outdated has been made since."""
        return [one for one in self.found if one.state is state]


def build(
    folder: Path,
    catalogue: Catalogue,
    prompts: Iterable[Prompt],
    languages: Iterable[str],
    progress: Callable[[int, int], None],
) -> Built:
    """Make what is missing or outdated in `folder`. `progress` is told how many of how many.

    Raises Unusable, when espeak-ng is needed and is not there: then nothing was changed.
    """
    languages = tuple(languages)
    _make_folders(folder, languages)
    with _alone(folder):
        recordings = Recordings.open(folder)
        found = tuple(recordings.look(prompts, languages, catalogue.voices))
        to_make = [one for one in found if one.state in _TO_MAKE]
        if to_make and not espeak.is_there():
            raise Unusable(_without_espeak(to_make, folder))
        for done, one in enumerate(to_make):
            progress(done, len(to_make))
            _make(recordings, one, catalogue)
        for one in found:
            if one.state not in _TO_MAKE:
                _step_aside(recordings, one)
        recordings.tidy()
    return Built(found=found)


def _make_folders(folder: Path, languages: Iterable[str]) -> None:
    """A carrier reads them under an account of its own."""
    for place in (folder, *(folder / language for language in languages)):
        if not place.is_dir():
            place.mkdir(parents=True)
            place.chmod(0o755)


def _make(recordings: Recordings, one: Standing, catalogue: Catalogue) -> None:
    voice = catalogue.voices[one.language]
    spoken = espeak.speak(one.text, voice)
    for ending, rate in RATES.items():
        file = recordings.folder / f"{one.name}{ending}"
        if file.exists() and not recordings.is_ours(file):
            continue  # somebody put their recording there since we looked
        recordings.put(file, write_wav(for_the_phone(spoken, rate)), recipe(one.text, voice))


def _step_aside(recordings: Recordings, one: Standing) -> None:
    """Where an own recording is, ours at another rate goes: else some phones would hear it."""
    files = recordings.files_of(one.prompt, one.language)
    ours = [file for file in files if recordings.is_ours(file)]
    if len(ours) < len(files):
        for file in ours:
            recordings.put_away(file)


def _without_espeak(to_make: list[Standing], folder: Path) -> str:
    named = ", ".join(one.name for one in to_make[:_NAMED])
    more = f" and {len(to_make) - _NAMED} more" if len(to_make) > _NAMED else ""
    return (
        f"espeak-ng is not installed, and these prompts have no recording of their present text: "
        f"{named}{more}; run `apt-get install espeak-ng` and try again, or put your own recordings "
        f"into {folder}."
    )


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two builds of one folder go one after the other."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
