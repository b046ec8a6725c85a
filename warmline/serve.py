"""One Warmline process: everything put together, started in order and stopped in reverse."""

import asyncio
import gc
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog
import uvloop
from aiohttp import web

from dialer.carriers import Receive
from dialer.store.due import next_timer_at
from terms.ids import ProgramId
from warmline.api.appeals import appeals
from warmline.api.audience import DeskAudience
from warmline.api.case_office import case_office
from warmline.api.catalogue import catalogue
from warmline.api.changes import changes
from warmline.api.claims import claims
from warmline.api.counselors import counselors
from warmline.api.devices import devices
from warmline.api.drafts import drafts
from warmline.api.entitlements import entitlements
from warmline.api.follow_ups import follow_ups
from warmline.api.holders import DeviceTokens
from warmline.api.installation import EXAMINE, installation
from warmline.api.interventions import interventions
from warmline.api.leaving import CounselorsLeave
from warmline.api.members import members
from warmline.api.notices import notices
from warmline.api.offer_seen import offer_seen
from warmline.api.orders import orders
from warmline.api.own_day import own_day
from warmline.api.pages import add_pages
from warmline.api.parts import DESK, PROGRAMS, SERVICE_LEVEL
from warmline.api.phone_checks import phone_checks
from warmline.api.policies import policies
from warmline.api.reports import reports
from warmline.api.roster import roster
from warmline.api.simulation import SIMULATION, Simulation, simulation_routes
from warmline.api.sms_receipts import (
    GATEWAY_SIGNATURES,
    RECEIPT_METRICS,
    sms_receipts,
)
from warmline.api.staff import staff_operations
from warmline.api.voucher_office import voucher_office
from warmline.api.vouchers import vouchers
from warmline.api.wallboard import wallboard
from warmline.carriers.choosing import begin_early, carrier_in_use, check_carrier
from warmline.carriers.in_use import CarrierInUse, Place
from warmline.clock import SystemClock
from warmline.database.pool import migrated_pool
from warmline.desk.desk import Desk
from warmline.desk.switchboard import Switchboard
from warmline.doctor import examine
from warmline.furnishing import Ground, crew_on, desk_on, lay_ground
from warmline.http.address import is_loopback
from warmline.http.app import make_app
from warmline.http.asked import Frame
from warmline.http.health import Check
from warmline.http.holders import ApiKeys, StaffTokens
from warmline.http.second_factor import second_factor
from warmline.http.sessions import PASSWORDS, sessions
from warmline.http.who import TokenKinds
from warmline.live.feed import Feed
from warmline.live.own_state import OwnStates
from warmline.live.sign_ins import OPEN_CONSOLES, OpenConsoles
from warmline.live.socket import OWN_STATES, add_live, live_operations
from warmline.logs import configure
from warmline.notices.choosing import check_sms, receipt_routes, receipt_signing
from warmline.notices.service import Notices
from warmline.notices.taking import ReceiptMetrics
from warmline.people.leaving import LEAVING
from warmline.people.passwords import Passwords
from warmline.programs import Program
from warmline.seal import AesSeal
from warmline.settings import Settings
from warmline.surroundings import bind, url_of
from warmline.web.serving import add_web
from warmline.workers.crew import Crew
from warmline.workers.housekeeping import Housekeeper

if TYPE_CHECKING:
    from asyncpg import Pool, Record

_log = structlog.get_logger()

OPERATIONS = (
    *devices,
    *catalogue,
    *changes,
    *orders,
    *vouchers,
    *voucher_office,
    *sessions,
    *second_factor,
    *counselors,
    *drafts,
    *own_day,
    *phone_checks,
    *offer_seen,
    *staff_operations,
    *claims,
    *case_office,
    *appeals,
    *policies,
    *entitlements,
    *reports,
    *wallboard,
    *roster,
    *members,
    *installation,
    *interventions,
    *follow_ups,
    *notices,
    *sms_receipts,
    *live_operations,
)
"""Everything the published document describes."""

_SHUTDOWN_SECONDS = 5
_NEW_OBJECTS = 10_000  # between two looks for cycles; Python's own 700 is a few events
_TIMERS_MAY_LAG = timedelta(seconds=10)


@dataclass(slots=True, kw_only=True)
class House:
    """A running process, for those who look into it: the demo, the bench, tests."""

    settings: Settings
    pool: "Pool[Record]"
    seal: AesSeal
    clock: SystemClock
    programs: Mapping[ProgramId, Program]
    desk: Desk
    crew: Crew
    notices: Notices
    carrier: CarrierInUse
    simulation: Simulation | None  # what no real carrier has: phones and a clock worked by hand
    url: str
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


def run(
    settings: Settings,
    ready: Callable[[House], Awaitable[None]] | None = None,
    routes: Sequence[web.RouteDef] = (),
) -> None:
    """Serve until SIGINT or SIGTERM. Raises Unusable.

    `ready` runs once requests are answered; `routes` are answered beside our own.
    """
    configure()
    with (
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        suppress(asyncio.CancelledError),  # told to stop before it had started
    ):
        runner.run(_serve(settings, ready, routes))


async def _serve(
    settings: Settings,
    ready: Callable[[House], Awaitable[None]] | None,
    routes: Sequence[web.RouteDef],
) -> None:
    starting = asyncio.current_task()
    assert starting is not None
    _on_signal(starting.cancel)
    async with running(settings, routes) as house:
        if ready is not None:
            await ready(house)
        _on_signal(house.stopping.set)
        _spare_the_collector()
        _log.info("serving", url=house.url, carrier=settings.carrier)
        warn_of_open_door(settings)
        await house.stopping.wait()
        _log.info("stopping")


def warn_of_open_door(settings: Settings) -> None:
    """Say that others can reach a service whose calls ring no real phone."""
    if settings.carrier == "simulated" and not is_loopback(settings.host):
        _log.warning(
            "simulated_carrier_on_the_network",
            host=settings.host,
            why="others reach this service, and its calls ring no real phone",
        )


def _on_signal(stop: Callable[[], object]) -> None:
    for signal_ in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_, stop)


def _spare_the_collector() -> None:
    """What was made by now stays for good; looking through it again and again finds nothing."""
    gc.freeze()  # hardly any of it is garbage: a look through all of it would only take time
    gc.set_threshold(_NEW_OBJECTS)
    gc.enable()


@asynccontextmanager
async def running(settings: Settings, routes: Sequence[web.RouteDef] = ()) -> AsyncIterator[House]:
    """A process that answers, obeys and wakes for as long as the block runs. Raises Unusable.

    It stops in reverse: workers finish what is in hand, then requests, then the database.
    """
    check_carrier(settings)
    check_sms(settings)
    settings.prepare_data_dir()
    async with AsyncExitStack() as stack:
        begin_early(settings, stack)
        pool = await stack.enter_async_context(migrated_pool(settings))
        house = await _furnish(settings, pool, routes, stack)
        yield house


async def _furnish(
    settings: Settings,
    pool: "Pool[Record]",
    routes: Sequence[web.RouteDef],
    stack: AsyncExitStack,
) -> House:
    ground = await lay_ground(settings, pool, stack)
    listening = bind(settings)
    stack.callback(listening.close)
    house = _house(ground, url_of(settings, listening), stack)
    app = _application(house, ground)
    app.add_routes((*house.carrier.routes, *routes))
    bus = ground.wakes.bus
    feed = Feed(pool, bus)
    audience = DeskAudience(ground.programs, ground.seal)
    own_states = OwnStates(pool, bus, ground.clock, audience)
    add_live(app, feed, audience, own_states, OpenConsoles(bus))
    await _open(house, app, feed, listening, stack)
    return house


def _house(ground: Ground, url: str, stack: AsyncExitStack) -> House:
    settings, pool, clock = ground.settings, ground.pool, ground.clock
    carrier = carrier_in_use(Place(settings=settings, pool=pool, clock=clock, url=url, stack=stack))
    desk = desk_on(ground)
    crew = crew_on(ground, desk, carrier.carrier, carrier.hold)
    simulation = None
    if carrier.hands is not None:
        simulation = Simulation(settings, pool, ground.seal, clock, carrier.hands, crew)
    return House(
        settings=settings,
        pool=pool,
        seal=ground.seal,
        clock=clock,
        programs=ground.programs,
        desk=desk,
        crew=crew,
        notices=ground.notices,
        carrier=carrier,
        simulation=simulation,
        url=url,
    )


def _checks(house: House) -> dict[str, Check]:
    """What has to hold before requests are sent here, beside a database that answers."""

    async def timers_fire() -> str | None:
        async with house.pool.acquire() as connection:
            due_at = await next_timer_at(connection)
        late = due_at is not None and house.clock.now() - due_at > _TIMERS_MAY_LAG
        return "timers fire late" if late else None

    return {"carrier": house.carrier.check, "timers": timers_fire}


def _application(house: House, ground: Ground) -> web.Application:
    frame = Frame(
        pool=house.pool,
        clock=house.clock,
        tenant=house.settings.tenant,
        tokens=TokenKinds(
            {
                "wk_": ApiKeys(house.pool),
                "ws_": StaffTokens(house.pool),
                "wd_": DeviceTokens(house.pool, house.seal),
            }
        ),
        limits=ground.limits,
        seal=house.seal,
        public_url=house.url,
        is_behind=lambda: house.carrier.hold.is_behind,
        trusted_proxies=house.settings.trusted_proxies,
    )
    app = make_app(
        frame,
        OPERATIONS,
        version=version("warmline"),
        registry=ground.registry,
        checks=_checks(house),
    )
    app[DESK] = house.desk
    app[PROGRAMS] = house.programs
    app[SERVICE_LEVEL] = house.settings.service_level
    app[PASSWORDS] = Passwords()
    app[EXAMINE] = lambda: examine(house.settings, datetime.now(UTC).date())
    app[LEAVING] = CounselorsLeave()
    app[GATEWAY_SIGNATURES] = receipt_signing(house.settings)
    app[RECEIPT_METRICS] = metrics = ReceiptMetrics(ground.registry)
    app.add_routes(receipt_routes(house.settings, house.pool, house.clock, metrics))
    if house.simulation is not None:
        app[SIMULATION] = house.simulation
        app.add_routes(simulation_routes)
    add_pages(app, house.settings.carrier)
    add_web(app)
    return app


async def _open(
    house: House,
    app: web.Application,
    feed: Feed,
    listening: socket.socket,
    stack: AsyncExitStack,
) -> None:
    """Begin, in this order: know the time, answer, hear the carrier, obey and wake."""
    stack.push_async_callback(house.crew.obeyer.idle)  # the last requests' orders are given back
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    for reader in (feed, app[OWN_STATES], app[OPEN_CONSOLES]):
        reading = asyncio.create_task(reader.run())
        stack.callback(reading.cancel)
    receive: Receive = Switchboard(house.desk, house.programs).receive
    if house.simulation is not None:
        await house.simulation.begin()
        stack.push_async_callback(house.simulation.end)
        receive = house.simulation.in_time(receive)
    await web.SockSite(runner, listening).start()
    await house.carrier.open(receive)
    stack.push_async_callback(house.carrier.close)
    house.notices.start()
    stack.push_async_callback(house.notices.stop)
    house.crew.start()
    stack.push_async_callback(house.crew.stop)
    keeper = Housekeeper(house.pool, house.settings.tenant, app[LEAVING], house.clock)
    keeper.start()
    stack.push_async_callback(keeper.stop)
