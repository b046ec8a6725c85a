"""One Asterisk for all tests of this directory. Without one they are skipped, and say why; in CI
they fail."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.people import LISTENING, see_that_the_books_agree
from tests.phones.engine import SHORTEST_RTP_TIMEOUT_SECONDS, start
from tests.phones.house import (
    CAP_SECONDS,
    CAPPED,
    COUNSELOR_FIRST,
    PATIENT,
    WARNED_SECONDS,
    PhoneHouse,
    a_phone_house,
    hurried,
)
from tests.phones.required import PACKAGES, missing, require
from tests.phones.rig import AsteriskRig
from warmline.bench.phones.engine import Engine, ready
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not tried."""
    if (why := missing(*PACKAGES)) is not None:
        terminalreporter.write_sep("!", f"REAL PHONES NOT TESTED: {why}", red=True, bold=True)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A running Asterisk."""
    require()
    engine = start("suite")
    yield engine
    engine.stop()


@pytest.fixture(scope="session")
def short_sighted() -> Iterator[Engine]:
    """A running Asterisk with the shortest watch over silent media that we allow."""
    require()
    engine = start("short", rtp_timeout_seconds=SHORTEST_RTP_TIMEOUT_SECONDS)
    yield engine
    engine.stop()


@pytest.fixture
def engine_to_kill() -> Iterator[Engine]:
    """An Asterisk for one test, with the shortest watch over silent media that we allow."""
    require()
    engine = start("to-kill", rtp_timeout_seconds=SHORTEST_RTP_TIMEOUT_SECONDS)
    yield engine
    engine.stop()


@pytest.fixture
async def rig(engine: Engine) -> AsyncIterator[AsteriskRig]:
    """A town of its own, and a carrier that is open."""
    async with _opened(engine) as rig:
        yield rig


@pytest.fixture
async def frail(engine_to_kill: Engine) -> AsyncIterator[AsteriskRig]:
    """The same over an Asterisk that may die."""
    async with _opened(engine_to_kill) as rig:
        yield rig


@pytest.fixture
async def phone_house(
    short_sighted: Engine, database: "Pool[Record]", seal: AesSeal, tmp_path: Path
) -> AsyncIterator[PhoneHouse]:
    """A house at work, whose phones are real; its books agree when all is over."""
    async with _furnished(short_sighted, database, seal, tmp_path) as house:
        yield house


@pytest.fixture
async def frail_house(
    engine_to_kill: Engine, database: "Pool[Record]", seal: AesSeal, tmp_path: Path
) -> AsyncIterator[PhoneHouse]:
    """The same over an Asterisk that may die."""
    async with _furnished(engine_to_kill, database, seal, tmp_path) as house:
        yield house


@asynccontextmanager
async def _furnished(
    engine: Engine, database: "Pool[Record]", seal: AesSeal, directory: Path
) -> AsyncIterator[PhoneHouse]:
    await ready(engine)
    rig = AsteriskRig(engine)
    await rig.town.open(engine.phones_port)
    programs = {
        LISTENING: hurried(directory, LISTENING),
        COUNSELOR_FIRST: hurried(directory, COUNSELOR_FIRST, ring_first='"counselor"'),
        PATIENT: hurried(directory, PATIENT, media_lost_seconds="120"),
        CAPPED: hurried(
            directory,
            CAPPED,
            cap_seconds=str(CAP_SECONDS),
            warn_seconds=f"[{WARNED_SECONDS}]",
        ),
    }
    try:
        async with a_phone_house(database, seal, rig, programs) as house:
            yield house
    finally:
        await rig.town.close()
    await see_that_the_books_agree(database, seal)


@asynccontextmanager
async def _opened(engine: Engine) -> AsyncIterator[AsteriskRig]:
    await ready(engine)
    rig = AsteriskRig(engine)
    await rig.town.open(engine.phones_port)
    await rig.carrier.open(rig.receive)
    yield rig
    await rig.clear()
    await rig.carrier.close()
    await rig.town.close()
