"""espeak-ng, for tests that hear it speak."""

import os
import shutil
from pathlib import Path

import pytest

from warmline.prompts.building import Built, build
from warmline.prompts.catalogue import LANGUAGES, shipped

_MISSING = """

!!!! THE PROMPTS WERE NOT SPOKEN: there is no espeak-ng. As root: apt-get install espeak-ng !!!!
"""

_SKIPPED = pytest.StashKey[bool]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Said at the end: what is written while a test is set up is captured, and lost with it."""
    if config.stash.get(_SKIPPED, False):
        terminalreporter.write_line(_MISSING, red=True, bold=True)


@pytest.fixture(scope="session")
def voice(request: pytest.FixtureRequest) -> str:
    """Where espeak-ng is; without it the tests are skipped loudly, and fail in CI."""
    found = shutil.which("espeak-ng")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(_MISSING)
        request.config.stash[_SKIPPED] = True
        pytest.skip(_MISSING)
    return found


WARN_SECONDS = (120, 90, 30)


@pytest.fixture(scope="session")
def built(voice: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Built]:
    """Every prompt in every language, spoken once for all tests."""
    folder = tmp_path_factory.mktemp("spoken") / "prompts"
    prompts = shipped().prompts(WARN_SECONDS)
    return folder, build(folder, shipped(), prompts, LANGUAGES, lambda done, total: None)
