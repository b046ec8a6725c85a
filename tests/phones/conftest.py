"""One Asterisk for all tests of this directory. Without one they are skipped, and say why."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.phones.engine import Engine, ready, start, why_not
from tests.phones.rig import AsteriskRig


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly what was not tried."""
    if (why := why_not()) is not None:
        terminalreporter.write_sep("!", f"REAL PHONES NOT TESTED: {why}", red=True, bold=True)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A running Asterisk."""
    if (why := why_not()) is not None:
        pytest.skip(f"REAL PHONES NOT TESTED: {why}")
    engine = start("suite")
    yield engine
    engine.stop()


@pytest.fixture
async def rig(engine: Engine) -> AsyncIterator[AsteriskRig]:
    """A town of its own, and a carrier that is open."""
    await ready(engine)
    rig = AsteriskRig(engine)
    await rig.town.open(engine.town_port)
    await rig.carrier.open(rig.receive)
    yield rig
    await rig.clear()
    await rig.carrier.close()
    await rig.town.close()
