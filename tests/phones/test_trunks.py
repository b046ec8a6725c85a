"""Every kind of trunk that can be rendered, as Asterisk understands it."""

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from dialer.carriers import CarrierRefused
from tests.dialer.carriers.rig import Behaviour
from tests.phones.engine import PASSWORD, start
from tests.phones.required import require
from tests.phones.rig import AsteriskRig
from warmline.bench.phones.engine import Engine, ready

_PJSIP_COMPLAINTS = ("res_pjsip", "res_sorcery", "config_options.c: Error", "pjsip.conf")
_NORMAL = ("pjproject.conf", "websocket_client.conf", "acl.conf")


@contextmanager
def started(keys: Path | None = None, **differing: Any) -> Iterator[Engine]:
    require(*(("openssl",) if keys is not None else ()))
    engine = start("trunk", keys, **differing)
    try:
        yield engine
    finally:
        engine.stop()


def complaints(engine: Engine) -> list[str]:
    return [
        line
        for line in engine.log().splitlines()
        if ("ERROR" in line or "WARNING" in line)
        and any(word in line for word in _PJSIP_COMPLAINTS)
        and not any(word in line for word in _NORMAL)
    ]


async def endpoint(engine: Engine) -> str:
    header = {"Authorization": aiohttp.encode_basic_auth("warmline", PASSWORD)}
    async with (
        aiohttp.ClientSession(headers=header) as session,
        session.get(f"{engine.url}/ari/endpoints/PJSIP/warmline-trunk") as response,
    ):
        return await response.text()


class Registrar(asyncio.DatagramProtocol):
    """Takes the first registration."""

    def __init__(self) -> None:
        self.told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.startswith(b"REGISTER") and not self.told.done():
            self.told.set_result(data.decode())


async def test_a_trunk_by_registration_logs_on() -> None:
    with started(username="4008001111", password="pa;ss", registers=True) as engine:
        ear, registrar = await asyncio.get_running_loop().create_datagram_endpoint(
            Registrar, local_addr=("127.0.0.1", engine.phones_port)
        )
        await ready(engine)
        told = await asyncio.wait_for(registrar.told, 20)
        ear.close()

        assert "To: <sip:4008001111@127.0.0.1" in told
        assert complaints(engine) == []
        assert '"resource":"warmline-trunk"' in await endpoint(engine)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A certificate that nobody signed, and its key."""
    subject = ("-subj", "/CN=localhost")
    files = ("-keyout", "key.pem", "-out", "cert.pem")
    make = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2")
    subprocess.run([*make, *subject, *files], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


async def refusal(rig: AsteriskRig) -> CarrierRefused:
    """Ring until Asterisk has noticed that its trunk does not answer."""
    phone = await rig.phone(Behaviour.ANSWERS)
    async with asyncio.timeout(20):
        while True:
            try:
                leg = await rig.ring(phone, rig.call(), "caller")
            except CarrierRefused as refused:
                return refused
            await rig.carrier.hang_up(leg)
            await asyncio.sleep(0.2)


async def test_a_trunk_that_is_away_is_refused_and_nothing_rings() -> None:
    with started(qualify_seconds=1) as engine:
        await ready(engine)
        rig = AsteriskRig(engine)
        await rig.carrier.open(rig.receive)
        refused = await refusal(rig)

        assert (refused.q850, refused.sip) == (38, 503)
        assert await rig.carrier.live_legs() == ()
        await rig.carrier.close()


async def test_a_trunk_over_tls_is_understood(keys: Path) -> None:
    with started(keys, transport="tls", public_address="203.0.113.5") as engine:
        await ready(engine)

        assert complaints(engine) == []
        assert '"resource":"warmline-trunk"' in await endpoint(engine)
