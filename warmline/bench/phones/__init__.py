"""`warmline bench --carrier asterisk`: real SIP phones, real audio, a real Asterisk on two cores.

`docs/performance.md` tells what each figure is.
"""

import asyncio
import sys

import uvloop

from warmline.bench.phones.measuring import measure
from warmline.bench.phones.report import as_json as json_of
from warmline.bench.phones.report import as_table
from warmline.bench.phones.scale import Scale
from warmline.bench.waiting import NotMeasured
from warmline.exits import EXIT_STATUS


def run(*, as_json: bool, scale: Scale | None = None) -> int:
    """Measure and print; the exit status says only whether it could be measured."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            figures = runner.run(measure(scale or Scale(), _tell))
        except NotMeasured as why:
            print(f"It could not be measured: {why}.", file=sys.stderr)
            return EXIT_STATUS
    print(json_of(figures) if as_json else as_table(figures))
    return 0


def _tell(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)
