"""What a process stands in: its port and address, its bus, its tables kept current."""

import errno
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from billing.policies.announcing import Announced
from billing.store.changes import note_changes
from billing.store.program_texts import keep_program_text
from dialer.store.records import note_carrier
from terms.ids import ProgramId
from warmline.bus import Bus, RateLimits
from warmline.bus.in_process import InProcessBus, InProcessRateLimits
from warmline.clock import SystemClock
from warmline.exits import port_taken
from warmline.programs import Program
from warmline.settings import Settings
from warmline.tenants import known_tenants
from warmline.workdays import seed_calendar

if TYPE_CHECKING:
    from asyncpg import Pool, Record


async def bus_and_limits(settings: Settings, stack: AsyncExitStack) -> tuple[Bus, RateLimits]:
    """What several processes share by Redis, and one process keeps to itself."""
    if settings.redis_url is None:
        return InProcessBus(), InProcessRateLimits()
    from warmline.bus.redis import RedisRateLimits, connect, redis_bus  # few need it: start sooner

    bus = await stack.enter_async_context(redis_bus(settings.redis_url))
    client = connect(settings.redis_url)
    stack.push_async_callback(client.aclose)
    return bus, RedisRateLimits(client)


async def keep_up(
    pool: "Pool[Record]",
    settings: Settings,
    programs: Mapping[ProgramId, Program],
    clock: SystemClock,
) -> None:
    """What has to be in the database before the first order: programs' texts, the changes they
    announce, the calendar, and which carrier the legs of from now on go through.
    """
    async with pool.acquire() as connection:
        await note_carrier(connection, settings.tenant, settings.carrier, clock.now())
        for program in programs.values():
            await keep_program_text(
                connection,
                settings.tenant,
                program=program.id,
                version=program.version,
                digest=program.digest,
                body=program.body,
                now=clock.now(),
            )
        announced = [
            Announced(id_, change)
            for id_, program in programs.items()
            for change in program.billing.cover.changes
        ]
        for tenant in await known_tenants(connection, settings.tenant):
            await seed_calendar(connection, tenant)
            await note_changes(connection, tenant, announced, clock.now())


def bind(settings: Settings) -> socket.socket:
    """Take the port before anything is started that would have to be stopped again.

    Raises Unusable when somebody else has it.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as refused:
        listening.close()
        if refused.errno == errno.EADDRINUSE:
            raise port_taken(settings.host, settings.port) from refused
        raise
    return listening


def url_of(settings: Settings, listening: socket.socket) -> str:
    """Where others reach us; port 0 means whatever the machine gave."""
    if settings.public_url is not None:
        return settings.public_url.rstrip("/")
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "") else settings.host
    return f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
