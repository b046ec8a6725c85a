"""A demo of its own and Debian's Chromium, for tests that see what a newcomer sees."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.warmline.demo.running import DemoProcess, a_folder, free_port

_BEGAN = time.time()
_CHROMIUM = "/usr/bin/chromium"
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_MISSING = f"""

!!!! THE PAGE WAS NOT TESTED: there is no {_CHROMIUM}. As root: apt-get install chromium !!!!
"""


@pytest.fixture(scope="session", autouse=True)
def chromium(request: pytest.FixtureRequest) -> str:
    """Where the browser is; without one the tests are skipped loudly, and fail in CI."""
    if not Path(_CHROMIUM).exists():
        if os.environ.get("CI") == "true":
            pytest.fail(_MISSING)
        reporter = request.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(_MISSING, red=True, bold=True)
        pytest.skip(_MISSING)
    return _CHROMIUM


@pytest.fixture(scope="module")
def demo(chromium: str) -> Iterator[DemoProcess]:
    """`warmline demo`, ready to be played with; what one module leaves behind no other finds."""
    with a_folder() as folder, DemoProcess(folder / "data", free_port()) as running:
        running.ready()
        yield running
        running.interrupt()


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Debian's Chromium, which talks to nobody by itself."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=_ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots go: `WARMLINE_TEST_PICTURES`, or a folder beside pytest's cache.

    Several processes of one run share it, so that each removes earlier runs' pictures alone.
    """
    named = os.environ.get("WARMLINE_TEST_PICTURES")
    folder = Path(named) if named else Path(".pytest_cache") / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    for picture in folder.iterdir():
        with suppress(FileNotFoundError):  # another process was faster
            if picture.stat().st_mtime < _BEGAN:
                picture.unlink()
    return folder


@pytest.fixture(scope="module")
def office() -> dict[str, str]:
    """The sign-in of those who decide: a code counts for one of them alone."""
    return {}
