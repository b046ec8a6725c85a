"""The recordings: one folder per language, one file per key and rate, and which of them we made.

A file is ours only as long as it is, byte for byte, one that we wrote: the manifest knows them by
their hash. Everything else is somebody's own recording, and is theirs to change.
"""

import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from warmline.exits import Unusable
from warmline.prompts.audio import NotASound, read_wav
from warmline.prompts.catalogue import Prompt, Voice

RATES: Mapping[str, int] = {".wav": 8000, ".wav16": 16000}
"""The files we make, by ending as Asterisk knows them; the rate a recording with it must have."""

OTHER_ENDINGS = frozenset(
    {".al", ".alaw", ".alw", ".au", ".g722", ".gsm", ".mu", ".pcm", ".raw", ".slin", ".sln"}
    | {".sln16", ".sln24", ".sln32", ".sln44", ".sln48", ".ul", ".ulaw", ".ulw"}
)
"""What else Asterisk plays; nothing in such a file says whether it is what its name says."""

_MANIFEST = "made.json"
_SYNTHESIS = "1"  # changes when the same text is to be spoken differently


class State(StrEnum):
    """How a prompt stands in one language."""

    OWN = "own"  # the operator's recording
    MADE = "made"  # ours, of the present text
    OUTDATED = "outdated"  # ours, of an earlier text, or only a part of it
    MISSING = "missing"
    UNPLAYABLE = "unplayable"  # the operator's, in a form that Asterisk refuses


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One prompt in one language, as it was found."""

    prompt: Prompt
    language: str
    state: State
    detail: str = ""  # what is wrong with a recording that cannot be played

    @property
    def name(self) -> str:
        """As it is told to people, and the file's path without its ending."""
        return f"{self.language}/{self.prompt.key}"

    @property
    def text(self) -> str:
        """What is to be said."""
        return self.prompt.texts[self.language]


def digest(raw: bytes) -> str:
    """What a file, or what it was made of, is known by."""
    return hashlib.sha256(raw).hexdigest()


def recipe(text: str, voice: Voice) -> str:
    """What a file is made of, as one word: the same again makes the same file."""
    made_of = (_SYNTHESIS, voice.espeak, str(voice.words_per_minute), text)
    return digest("\n".join(made_of).encode())


@dataclass(slots=True)
class Recordings:
    """A folder of recordings. `made`: for each of our files its hash, and the recipe behind it."""

    folder: Path
    made: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path) -> "Recordings":
        """What is in `folder`; nothing, where there is none. Raises Unusable."""
        try:
            read = json.loads((folder / _MANIFEST).read_text())
        except FileNotFoundError:
            return cls(folder)
        except ValueError:
            read = None
        if not _is_manifest(read):
            raise Unusable(
                f"{folder / _MANIFEST} is damaged: delete it and every file in {folder} that is "
                "not your own recording, then run `warmline prompts build`."
            )
        return cls(folder, read)

    def look(
        self, prompts: Iterable[Prompt], languages: Iterable[str], voices: Mapping[str, Voice]
    ) -> Iterator[Standing]:
        """How every prompt stands in every language."""
        prompts = tuple(prompts)
        for language in languages:
            for prompt in prompts:
                state, detail = self._state(prompt, language, voices[language])
                yield Standing(prompt=prompt, language=language, state=state, detail=detail)

    def files_of(self, prompt: Prompt, language: str) -> list[Path]:
        """The files with this prompt that a carrier may play."""
        return [
            file
            for ending in (*RATES, *sorted(OTHER_ENDINGS))
            if (file := self.folder / language / f"{prompt.key}{ending}").is_file()
        ]

    def is_ours(self, file: Path) -> bool:
        """Whether we wrote every byte of it."""
        return digest(file.read_bytes()) in self.made.get(self._name(file), {})

    def put(self, file: Path, raw: bytes, made_of: str) -> None:
        """Write one of our files. The manifest knows it before it is there: whatever ends this
        process between the two, nothing of ours is ever taken for somebody's recording."""
        kept = self.made.get(self._name(file), {})
        self.made[self._name(file)] = {**kept, digest(raw): made_of}
        self._save()
        _replace(file, raw)

    def put_away(self, file: Path) -> None:
        """Remove one of our files."""
        file.unlink(missing_ok=True)

    def tidy(self) -> None:
        """Forget files that are no more."""
        self.made = {
            name: still
            for name, known in sorted(self.made.items())
            if (still := self._still_there(name, known))
        }
        self._save()

    def _still_there(self, name: str, known: dict[str, str]) -> dict[str, str]:
        try:
            present = digest((self.folder / name).read_bytes())
        except FileNotFoundError:
            return {}
        return {present: known[present]} if present in known else {}

    def _state(self, prompt: Prompt, language: str, voice: Voice) -> tuple[State, str]:
        files = self.files_of(prompt, language)
        own = [file for file in files if not self.is_ours(file)]
        if own:
            faults = [fault for file in own if (fault := _fault(file))]
            return (State.UNPLAYABLE, "; ".join(faults)) if faults else (State.OWN, "")
        if not files:
            return State.MISSING, ""
        wanted = recipe(prompt.texts[language], voice)
        recipes = [self.made[self._name(file)][digest(file.read_bytes())] for file in files]
        return (State.MADE if recipes == [wanted] * len(RATES) else State.OUTDATED), ""

    def _name(self, file: Path) -> str:
        return file.relative_to(self.folder).as_posix()

    def _save(self) -> None:
        raw = json.dumps(self.made, indent=1, sort_keys=True).encode()
        _replace(self.folder / _MANIFEST, raw + b"\n")


def _fault(file: Path) -> str:
    """Why Asterisk would not play an operator's file; empty when it would."""
    if file.stat().st_size == 0:
        return f"{file.name} is empty"
    if file.suffix not in RATES:
        return ""
    rate = RATES[file.suffix]
    try:
        sound = read_wav(file.read_bytes())
    except NotASound as wrong:
        return f"{file.name} {wrong}; it must be one channel, 16 bit, {rate} Hz"
    if sound.rate != rate:
        return f"{file.name} has {sound.rate} Hz; it must be one channel, 16 bit, {rate} Hz"
    return ""


def _is_manifest(read: Any) -> bool:
    return isinstance(read, dict) and all(
        isinstance(known, dict) and all(isinstance(recipe, str) for recipe in known.values())
        for known in read.values()
    )


def _replace(file: Path, raw: bytes) -> None:
    """Whole or not at all; readable by a carrier that runs under an account of its own."""
    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        unfinished.write_bytes(raw)
        unfinished.chmod(0o644)
        os.replace(unfinished, file)
    finally:
        unfinished.unlink(missing_ok=True)
