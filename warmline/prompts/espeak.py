"""espeak-ng: says any text, plainly, in a program of its own."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from warmline.exits import Unusable
from warmline.prompts.audio import NotASound, Sound, read_wav
from warmline.prompts.catalogue import Voice

PROGRAM = "espeak-ng"
_LONGEST_SECONDS = 30


def is_there() -> bool:
    """Whether it is installed."""
    return shutil.which(PROGRAM) is not None


def speak(text: str, voice: Voice) -> Sound:
    """The text, spoken. Raises Unusable when espeak-ng does not speak, or lacks the voice."""
    if voice.espeak not in _voices(shutil.which(PROGRAM)):
        raise _silent(voice, "it does not know it")  # it would take another without a word
    with tempfile.TemporaryDirectory(prefix="warmline-prompt-") as folder:
        file = Path(folder) / "spoken.wav"
        pace = str(voice.words_per_minute)
        done = _run("-v", voice.espeak, "-s", pace, "-z", "-w", str(file), "--stdin", given=text)
        if done.returncode != 0:
            raise _silent(voice, f"exit status {done.returncode}")
        try:
            return read_wav(file.read_bytes())
        except (NotASound, FileNotFoundError) as wrong:
            raise _silent(voice, str(wrong)) from wrong


@cache
def _voices(program: str | None) -> frozenset[str]:
    """What can be asked for; the second column of its list."""
    lines = _run("--voices").stdout.splitlines()[1:]
    return frozenset(line.split()[1] for line in lines)


def _run(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *arguments],
        input=given,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_LONGEST_SECONDS,
        check=False,
    )


def _silent(voice: Voice, why: str) -> Unusable:
    return Unusable(
        f"espeak-ng did not speak with the voice {voice.espeak} ({why}): install it and its voices "
        "anew with `apt-get install --reinstall espeak-ng espeak-ng-data`."
    )
