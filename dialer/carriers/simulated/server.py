"""The handsets process: starts, tells where it listens, lives until it is told to stop.

It outlives a kill of the service that started it, as a real carrier would. It ends by SIGTERM or
SIGINT, by `POST /stop`, or when its address file is gone: then nobody could find it any more.
"""

import argparse
import asyncio
import logging
import os
import secrets
import signal
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import uvloop
from aiohttp import web

from dialer.carriers.simulated.address import (
    Address,
    read_address,
    remove_address,
    shared_token,
    write_address,
)
from dialer.carriers.simulated.delivery import Delivery, Receivers
from dialer.carriers.simulated.exchange import Exchange
from dialer.carriers.simulated.web import handsets_app, is_loopback
from dialer.carriers.simulated.world import World

_ADDRESS_CHECK_SECONDS = 5.0

log = logging.getLogger(__name__)


def run(
    host: str,
    port: int,
    token: str,
    *,
    data_dir: Path | None = None,
    open_to_network: bool = False,
    seed: int | None = None,
) -> None:
    """Serve the handsets until told to stop; `port` 0 takes a free one.

    With `data_dir` the address is left there for others to find. Raises ValueError for a host that
    others than this machine can reach (unless `open_to_network`), OSError for a port that is taken.
    """
    if not open_to_network and not is_loopback(host):
        raise ValueError("the simulated handsets listen on this machine only, e.g. on 127.0.0.1")

    async def serve_until_signalled() -> None:
        ended = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        await serve(
            *(host, port, token, ended),
            data_dir=data_dir,
            open_to_network=open_to_network,
            seed=seed,
        )

    uvloop.run(serve_until_signalled())


async def serve(
    host: str,
    port: int,
    token: str,
    ended: asyncio.Event,
    *,
    data_dir: Path | None = None,
    open_to_network: bool = False,
    seed: int | None = None,
    ready: "asyncio.Future[Address] | None" = None,
) -> None:
    """What `run` does, in a loop that is there already, until `ended`; `ready` gets the address."""
    receivers = Receivers(asyncio.get_running_loop().time)
    delivery = Delivery(receivers, token)
    world = World(name=secrets.token_hex(6), rng=Random(seed))
    exchange = Exchange(world, receivers, delivery)
    app = handsets_app(exchange, token, ended, open_to_network=open_to_network)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        address = await _listen(runner, host, port)
        delivery.start()
        if ready is not None:
            ready.set_result(address)
        await _live(ended, address, data_dir)
    finally:
        exchange.stop()
        await delivery.stop()
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> Address:
    await web.TCPSite(runner, host, port).start()
    return Address(host=host, port=runner.addresses[0][1], pid=os.getpid())


async def _live(ended: asyncio.Event, address: Address, data_dir: Path | None) -> None:
    if data_dir is None:
        await ended.wait()
        return
    write_address(data_dir, address)
    _announce(address)
    while not ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _ADDRESS_CHECK_SECONDS)
        if read_address(data_dir) != address:
            log.warning("the address file is gone or names another process: ending")
            return
    remove_address(data_dir, address)


def _announce(address: Address) -> None:
    """Say on standard output that we listen, then let go of it: a starter may be gone any time."""
    print(f"The simulated handsets listen on {address.url}", flush=True)
    if not sys.stdout.isatty():
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def main() -> None:
    """`python -m dialer.carriers.simulated.server`: how `process.ensure_running` starts us."""
    parser = argparse.ArgumentParser(prog="handsets", description="Simulated phones.")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--open-to-network", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--detach", action="store_true", help="serve from a child and return")
    wish = parser.parse_args()
    if wish.detach and os.fork():
        os._exit(0)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        run(
            wish.host,
            wish.port,
            shared_token(wish.data_dir),
            data_dir=wish.data_dir,
            open_to_network=wish.open_to_network,
            seed=wish.seed,
        )
    except (OSError, ValueError) as fault:
        sys.exit(f"The handsets cannot start: {fault}")


if __name__ == "__main__":
    main()
