"""`warmline bench`: how fast this machine is with our load, against a floor in the same run.

Everything takes place in a temporary directory, on an embedded PostgreSQL with full durability, on
loopback; nothing of the installation is touched. `docs/performance.md` tells what each figure is.
"""

import asyncio
import signal
import sys
from contextlib import suppress

import uvloop

from warmline.bench.events import Rates
from warmline.bench.measuring import Figures, measure, measure_news
from warmline.bench.report import as_json as json_of
from warmline.bench.report import as_table
from warmline.bench.scale import Scale
from warmline.bench.waiting import NotMeasured
from warmline.exits import EXIT_STATUS


def run(*, as_json: bool, only_news: bool = False, scale: Scale | None = None) -> int:
    """Measure and print; the exit status says only whether it could be measured."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            figures = runner.run(_measure(scale or Scale(), only_news=only_news))
        except NotMeasured as why:
            print(f"It could not be measured: {why}.", file=sys.stderr)
            return EXIT_STATUS
    print(json_of(figures) if as_json else as_table(figures))
    return 0


async def _measure(scale: Scale, *, only_news: bool) -> Figures | Rates:
    running = asyncio.current_task()
    assert running is not None
    with suppress(NotImplementedError):  # being told to end, clean up like after Ctrl-C
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    return await (measure_news if only_news else measure)(scale, _tell)


def _tell(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)
