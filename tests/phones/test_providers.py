"""Providers that are not taken at their word: TLS with verification and SRTP, and registration."""

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from dialer.carriers import CallIn, CarrierRefused, KeyPressed, LegAnswered, LegEnded, ReleaseSide
from terms.phone import PhoneNumber
from tests.phones.baresip import Baresip, port_with_neighbour
from tests.phones.engine import start
from tests.phones.required import require
from tests.phones.rig import AsteriskRig
from warmline.bench.phones.engine import Engine, ready

BEHIND_THE_TRUNK = PhoneNumber("+8613600000001")
WELCOME_HERTZ = 3000
ACCOUNT = "+8613700000001"


@asynccontextmanager
async def opened(engine: Engine) -> AsyncIterator[AsteriskRig]:
    """A carrier on the engine; both end with the block."""
    try:
        await ready(engine)
        rig = AsteriskRig(engine)
        try:
            await rig.carrier.open(rig.receive)
            yield rig
            await rig.clear()
        finally:
            await rig.carrier.close()
    finally:
        engine.stop()


# --- TLS and SRTP ---------------------------------------------------------------------------------


def authority(directory: Path) -> Path:
    """A certificate authority."""
    directory.mkdir()
    _openssl(
        directory,
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=authority"),
        *("-keyout", "ca-key.pem", "-out", "ca.pem"),
    )
    return directory


def signed_by(authority: Path, directory: Path) -> Path:
    """A certificate of this machine and its key, signed there."""
    directory.mkdir()
    request = ("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost")
    _openssl(directory, *request, "-keyout", "key.pem", "-out", "request.pem")
    names = directory / "names"
    names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    signing = ("-CA", str(authority / "ca.pem"), "-CAkey", str(authority / "ca-key.pem"))
    sign = ("x509", "-req", "-in", "request.pem", "-days", "2", "-CAcreateserial")
    _openssl(directory, *sign, *signing, "-extfile", str(names), "-out", "cert.pem")
    (directory / "ca.pem").write_bytes((authority / "ca.pem").read_bytes())
    both = (directory / "key.pem").read_bytes() + (directory / "cert.pem").read_bytes()
    (directory / "both.pem").write_bytes(both)
    return directory


def _openssl(directory: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)


@asynccontextmanager
async def a_tls_provider(
    ours: Path, theirs: Path, place: Path
) -> AsyncIterator[tuple[AsteriskRig, Baresip]]:
    port = port_with_neighbour()
    phone = Baresip(
        number=BEHIND_THE_TRUNK.digits,
        password="none",
        hertz=440,
        directory=place,
        registrar="localhost",
        sip_port=port,
        certificate=theirs / "both.pem",
    )
    engine = start("tls", ours, transport="tls", provider=f"127.0.0.1:{port + 1}")
    async with opened(engine) as rig:
        try:
            await phone.start()
            yield rig, phone
        finally:
            await phone.stop()


async def test_a_call_over_tls_and_srtp_is_heard_both_ways(tmp_path: Path) -> None:
    require("openssl", "baresip")
    keys = signed_by(authority(tmp_path / "authority"), tmp_path / "keys")
    async with a_tls_provider(keys, keys, tmp_path / "phone") as (rig, phone):
        leg = await rig.ring(BEHIND_THE_TRUNK, rig.call(), "caller")
        await rig.news(LegAnswered, leg)
        await rig.carrier.say(leg, "welcome", language="en")
        await asyncio.sleep(1)
        phone.command("sndcode", "1")
        assert (await rig.news(KeyPressed, leg)).digit == "1"
        await rig.carrier.hang_up(leg)
        assert (await rig.news(LegEnded, leg)).by is ReleaseSide.PLATFORM
        await phone.happens("CALL_CLOSED")
        await phone.stop()

        assert phone.heard_seconds(WELCOME_HERTZ) >= 0.4


async def test_a_provider_with_a_certificate_of_somebody_elses_is_not_spoken_to(
    tmp_path: Path,
) -> None:
    require("openssl", "baresip")
    ours = signed_by(authority(tmp_path / "authority"), tmp_path / "keys")
    theirs = signed_by(authority(tmp_path / "another"), tmp_path / "theirs")
    async with a_tls_provider(ours, theirs, tmp_path / "phone") as (rig, phone):
        leg = await rig.ring(BEHIND_THE_TRUNK, rig.call(), "caller")
        ended = await rig.news(LegEnded, leg)

        assert (ended.by, ended.sip) == (ReleaseSide.CARRIER, 503)
        assert phone.events == []


# --- registration ---------------------------------------------------------------------------------


async def registered(registrar: AsteriskRig, account: PhoneNumber) -> None:
    """Return once the account has a contact there: until then it cannot be rung."""
    async with asyncio.timeout(20):
        while True:
            try:
                leg = await registrar.ring(account, registrar.call(), "caller")
            except CarrierRefused:
                await asyncio.sleep(0.2)
                continue
            await registrar.carrier.hang_up(leg)
            await registrar.news(LegEnded, leg)
            return


async def test_an_account_logs_on_at_a_registrar_takes_calls_and_makes_them() -> None:
    require()
    provider = start("registrar", softphones={ACCOUNT: "of-the-account"})
    async with opened(provider) as registrar:
        ours = start(
            "account",
            provider=f"127.0.0.1:{provider.sip_port}",
            username=ACCOUNT,
            password="of-the-account",
            registers=True,
            softphones={},
        )
        async with opened(ours) as rig:
            account = PhoneNumber(ACCOUNT)
            await registered(registrar, account)
            rig.told.clear()

            await registrar.ring(account, registrar.call(), "caller")
            taken = await rig.news(CallIn)
            assert taken.dialled == ACCOUNT
            await rig.carrier.hang_up(taken.leg)

            leg = await rig.ring(BEHIND_THE_TRUNK, rig.call(), "caller")  # it is challenged for it
            asked = await registrar.news(CallIn)
            assert (asked.caller, asked.dialled) == (account, BEHIND_THE_TRUNK.digits)
            await registrar.carrier.answer(asked.leg)
            await rig.news(LegAnswered, leg)


async def test_a_wrong_password_is_no_account() -> None:
    require()
    provider = start("registrar", softphones={ACCOUNT: "of-the-account"})
    async with opened(provider) as registrar:
        ours = start(
            "account",
            provider=f"127.0.0.1:{provider.sip_port}",
            username=ACCOUNT,
            password="of-somebody-else",
            registers=True,
            softphones={},
        )
        async with opened(ours) as rig:
            leg = await rig.ring(BEHIND_THE_TRUNK, rig.call(), "caller")

            ended = await rig.news(LegEnded, leg)
            assert (ended.by, ended.q850, ended.sip) == (ReleaseSide.CARRIER, None, 401)
            assert registrar.told == []
