"""A service that rings one phone, never stores any news, and waits to be killed.

`python -m tests.dialer.carriers.short_lived_service DATA_DIR` prints a line once the phone rings.
"""

import asyncio
import sys
from functools import partial
from pathlib import Path

from dialer.carriers import Report
from dialer.carriers.simulated.address import shared_token
from dialer.carriers.simulated.process import ensure_running
from terms.ids import LegId
from terms.phone import PhoneNumber
from tests.dialer.carriers.handsets import Service


async def main(data_dir: Path) -> None:
    at_work = asyncio.Event()

    async def never_stores(report: Report) -> None:
        print("told", report.id, flush=True)
        await at_work.wait()

    service = Service(partial(ensure_running, data_dir), shared_token(data_dir))
    carrier = await service.start(never_stores)
    ann = PhoneNumber("+8613800000001")
    await carrier.ring(LegId("c1/caller/1"), ann, shows="95", ring_seconds=300)
    await at_work.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
