"""`warmline demo`: serve, with people, phones and vouchers to play with. No real phone rings."""

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from warmline import serve
from warmline.demo.keeper import Keeper
from warmline.demo.opening import open_doors
from warmline.demo.playbill import Playbill, show, write_down
from warmline.demo.routes import DemoRoutes
from warmline.demo.stage import set_stage, teach_phones
from warmline.exits import Unusable
from warmline.http import around

if TYPE_CHECKING:
    import asyncio

    from warmline.serve import House
    from warmline.settings import Settings


def run(settings: "Settings") -> None:
    """Serve the demo until SIGINT or SIGTERM. Raises Unusable."""
    if settings.carrier != "simulated":
        raise Unusable(
            f"The demo rings no real phone, but WARMLINE_CARRIER={settings.carrier} does: leave it "
            "out for the demo, or run `warmline serve`."
        )
    demo = Demo()
    serve.run(settings, demo.begin, routes=demo.routes.all())


@dataclass(slots=True)
class Demo:
    """What has to live as long as the process does."""

    routes: DemoRoutes = field(default_factory=DemoRoutes)
    _keeping: "asyncio.Task[None] | None" = None

    async def begin(self, house: "House") -> None:
        """Set everything up that is not there yet, and tell what there is."""
        logging.getLogger(around.__name__).setLevel(logging.WARNING)  # the page asks all the time
        assert house.simulation is not None, "`run` refuses any other carrier"
        opening = await open_doors(house, house.simulation)
        staged = await set_stage(house)
        await teach_phones(house.simulation.hands)
        playbill = Playbill(url=house.url, staged=staged, opening=opening, programs=house.programs)
        write_down(playbill, house.settings)
        self.routes.open(house, playbill)
        self._keeping = Keeper(house, staged).start()
        print(show(playbill, house.settings), flush=True)
