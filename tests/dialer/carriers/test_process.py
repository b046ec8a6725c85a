"""The handsets process as a process: found, started once, outliving its starters, stopped."""

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from dialer.carriers import LegRinging, LiveLeg
from dialer.carriers.simulated import process, server
from dialer.carriers.simulated.address import (
    Address,
    address_of,
    read_address,
    shared_token,
    write_address,
)
from dialer.carriers.simulated.process import (
    HandsetsNotStarted,
    ensure_running,
    is_alive,
    stop,
)
from terms.ids import LegId
from terms.phone import PhoneNumber
from tests.dialer.carriers.handsets import TOKEN, Service
from tests.dialer.carriers.test_delivery import Ear

ANN = PhoneNumber("+8613800000001")
LEG = LegId("c1/caller/1")


@pytest.fixture
async def data_dir(tmp_path: Path) -> AsyncIterator[Path]:
    """A data directory of its own; the process it names at the end is stopped."""
    yield tmp_path
    address = read_address(tmp_path)
    if address is not None:
        await stop(address, shared_token(tmp_path))


async def gone(address: Address, token: str) -> None:
    async with asyncio.timeout(20):
        while await is_alive(address, token):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


async def test_several_starters_at_once_start_one_process(data_dir: Path) -> None:
    found = await asyncio.gather(*(ensure_running(data_dir) for _ in range(4)))

    assert len(set(found)) == 1
    assert await is_alive(found[0], shared_token(data_dir))
    assert await ensure_running(data_dir) == found[0]


async def test_a_process_told_to_stop_is_gone_and_leaves_no_address(data_dir: Path) -> None:
    address = await ensure_running(data_dir)

    await stop(address, shared_token(data_dir))
    await stop(address, shared_token(data_dir))

    assert not await is_alive(address, shared_token(data_dir))


async def test_a_terminated_process_takes_its_address_back(data_dir: Path) -> None:
    address = await ensure_running(data_dir)

    os.kill(address.pid, signal.SIGTERM)
    await gone(address, shared_token(data_dir))

    async with asyncio.timeout(20):
        while read_address(data_dir) is not None:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


async def test_calls_and_untold_news_outlive_a_kill_of_the_service(data_dir: Path) -> None:
    service = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.dialer.carriers.short_lived_service", str(data_dir)),
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    assert service.stdout is not None
    async with asyncio.timeout(20):
        assert (await service.stdout.readline()).startswith(b"told")
    address = read_address(data_dir)
    assert address is not None
    os.killpg(service.pid, signal.SIGKILL)
    await service.wait()

    assert await is_alive(address, shared_token(data_dir))
    ear = Ear()
    heir = Service(partial(ensure_running, data_dir), shared_token(data_dir))
    carrier = await heir.start(ear.receive)
    assert await ear.until(1) == [LegRinging]
    assert await carrier.live_legs() == (LiveLeg(leg=LEG, answered=False, bridged=False),)
    await heir.stop()


async def test_a_killed_process_is_replaced_where_it_was(data_dir: Path) -> None:
    locate = partial(ensure_running, data_dir)
    first = await locate()
    service = Service(locate, shared_token(data_dir))
    ear = Ear()
    carrier = await service.start(ear.receive)
    await carrier.ring(LEG, ANN, shows="95", ring_seconds=30)
    await ear.until(1)

    os.kill(first.pid, signal.SIGKILL)
    await gone(first, shared_token(data_dir))

    second = await locate()
    assert (second.port, second.pid != first.pid) == (first.port, True)
    await service.stop()
    carrier = await service.start(ear.receive)
    assert await carrier.live_legs() == ()
    await carrier.ring(LEG, ANN, shows="95", ring_seconds=30)
    await ear.until(2)
    assert len({report.id for report in ear.kept}) == 2  # no id of the first world comes again
    await service.stop()


async def test_a_process_of_another_version_does_not_count_as_ours(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await ensure_running(data_dir)
    monkeypatch.setattr(process, "WIRE_VERSION", 0)
    assert not await is_alive(old, shared_token(data_dir))
    monkeypatch.undo()
    assert await is_alive(old, shared_token(data_dir))


async def test_an_old_port_that_others_took_is_given_up(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = int(other.getsockname()[1])
        write_address(data_dir, Address(host="127.0.0.1", port=taken, pid=1))

        address = await ensure_running(data_dir)

        assert address.port != taken


async def test_a_port_asked_for_and_taken_is_said_in_a_sentence(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = int(other.getsockname()[1])

        with pytest.raises(HandsetsNotStarted, match=r"cannot start.*address already in use"):
            await ensure_running(data_dir, port=taken)


async def test_a_process_that_nobody_can_find_ends_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_ADDRESS_CHECK_SECONDS", 0.01)
    ready = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        server.serve("127.0.0.1", 0, TOKEN, asyncio.Event(), data_dir=tmp_path, ready=ready)
    )
    address = await ready

    async with asyncio.timeout(20):
        while read_address(tmp_path) is None:  # noqa: ASYNC110 - a file
            await asyncio.sleep(0.01)
        (tmp_path / "handsets.json").unlink()
        await serving

    assert not await is_alive(address, TOKEN)


def test_an_address_can_be_told_by_its_url() -> None:
    assert address_of("http://handsets:8090").url == "http://handsets:8090"
    assert address_of("http://[::1]:8090").url == "http://[::1]:8090"
    with pytest.raises(ValueError, match="a host and a port"):
        address_of("http://handsets")


def test_the_token_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    token = shared_token(tmp_path / "data")

    assert shared_token(tmp_path / "data") == token
    assert len(token) >= 32
    mode = (tmp_path / "data" / "handsets.token").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["handsets.token"]


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "example.org"])
def test_the_handsets_listen_on_this_machine_only(host: str) -> None:
    with pytest.raises(ValueError, match="this machine only"):
        server.run(host, 0, TOKEN)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"host": "h"}', '{"host":1,"port":"x","pid":2}'])
def test_an_address_that_makes_no_sense_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "handsets.json").write_text(text)

    assert read_address(tmp_path) is None
