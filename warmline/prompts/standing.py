"""How this installation's recordings stand: what its programs may say, and where the files are."""

from pathlib import Path

from warmline.programs import load_programs
from warmline.prompts.catalogue import Prompt, own_greetings, shipped, warned_seconds
from warmline.prompts.recordings import Recordings, Standing
from warmline.settings import Settings


def folder_of(settings: Settings) -> Path:
    """Where the recordings are, unless somebody names another place."""
    return settings.data_dir / "prompts"


def prompts_of(settings: Settings) -> tuple[Prompt, ...]:
    """What this installation's programs may say. Raises Unusable, for programs that are faulty."""
    policies = [program.dialer for program in load_programs(settings.programs).values()]
    return shipped().prompts(warned_seconds(policies), own_greetings(policies))


def standings(settings: Settings, folder: Path, languages: tuple[str, ...]) -> tuple[Standing, ...]:
    """Each of them in each language, as it was found in `folder`. Raises Unusable."""
    recordings = Recordings.open(folder)
    return tuple(recordings.look(prompts_of(settings), languages, shipped().voices))
