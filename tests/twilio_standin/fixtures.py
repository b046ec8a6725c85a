"""What tests over the stand-in ask for. Without Twilio's document they do not run, and say so."""

import os

import pytest

from tests.twilio_standin.document import DocumentMissing, load_files
from tests.twilio_standin.operations import Operations

_LOUD = "TWILIO WAS NOT TESTED"
_SAID = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def operations() -> Operations:
    """Twilio's own document; without it the tests are skipped loudly, and fail in CI."""
    try:
        return Operations(load_files())
    except DocumentMissing as missing:
        why = f"{_LOUD}: its OpenAPI document is missing: {missing}"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Said at the end, once: what is written while a test is set up is captured, and lost."""
    skipped = (str(report.longrepr) for report in terminalreporter.stats.get("skipped", ()))
    why = next((text for text in skipped if _LOUD in text), None)
    if why is not None and not config.stash.get(_SAID, False):
        config.stash[_SAID] = True
        terminalreporter.write_sep("!", why[why.index(_LOUD) :], red=True, bold=True)
