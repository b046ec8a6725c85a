"""The prompts as they are shipped, spoken by espeak-ng and played by a real Asterisk."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dialer.carriers import LegAnswered
from tests.dialer.carriers.rig import Behaviour
from tests.phones.engine import start
from tests.phones.required import require
from tests.phones.rig import AsteriskRig
from tests.phones.sound import PACKET_SAMPLES, RATE, decoded, holds, tone_file
from warmline.bench.phones.engine import ready
from warmline.programs import load_shipped
from warmline.prompts.audio import read_wav
from warmline.prompts.building import build
from warmline.prompts.catalogue import shipped, warned_seconds

LANGUAGE = "zh-CN"  # what callers hear
PROMPTS = shipped().prompts(warned_seconds(one.dialer for one in load_shipped().values()))
OWN, OWN_HERTZ = "greeting", 700
_AT_ONCE = 18
_AUDIBLE = 1000
_LONGEST_SECONDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """An Asterisk with every prompt, and where they were made."""

    rig: AsteriskRig
    folder: Path


@pytest.fixture
async def spoken(tmp_path: Path) -> AsyncIterator[Spoken]:
    require("espeak-ng")
    folder = tmp_path / "prompts"
    await asyncio.to_thread(_build, folder)

    def take_over(directory: Path) -> None:
        shutil.copytree(folder, directory / "sounds", dirs_exist_ok=True)

    engine = start("spoken", mend=take_over)
    try:
        await ready(engine)
        rig = AsteriskRig(engine)
        rig.town.prompts = {}  # nobody listens for tones here
        await rig.town.open(engine.phones_port)
        await rig.carrier.open(rig.receive)
        yield Spoken(rig=rig, folder=folder)
        await rig.clear()
        await rig.carrier.close()
        await rig.town.close()
    finally:
        engine.stop()


def _build(folder: Path) -> None:
    """Ours, and one recording of an operator's own."""
    own = folder / LANGUAGE / f"{OWN}.wav"
    own.parent.mkdir(parents=True)
    own.write_bytes(tone_file(OWN_HERTZ, 1.0))
    build(folder, shipped(), PROMPTS, (LANGUAGE,), lambda done, of: None)


async def heard(rig: AsteriskRig, key: str, seconds: float) -> list[int]:
    """What a phone hears when that prompt, so long, is said to it."""
    phone = await rig.phone(Behaviour.ANSWERS)
    leg = await rig.ring(phone, rig.call(), "caller")
    await rig.news(LegAnswered, leg)
    (line,) = rig.lines(phone)
    await rig.carrier.say(leg, key, language=LANGUAGE)
    async with asyncio.timeout(_LONGEST_SECONDS):
        while len(line.received) * PACKET_SAMPLES < seconds * RATE - PACKET_SAMPLES:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)  # nothing more comes
    await rig.carrier.hang_up(leg)
    return [sample for _, coded in line.received for sample in decoded(coded)]


async def test_every_prompt_is_heard_to_its_end_and_an_own_recording_instead_of_ours(
    spoken: Spoken,
) -> None:
    at_once = asyncio.Semaphore(_AT_ONCE)
    faults: list[str] = []

    async def hear(key: str) -> None:
        sound = read_wav((spoken.folder / LANGUAGE / f"{key}.wav").read_bytes())
        async with at_once:
            samples = await heard(spoken.rig, key, sound.seconds)
        if abs(len(samples) / RATE - sound.seconds) > 0.1:
            faults.append(f"{key}: {len(samples) / RATE} s of {sound.seconds}")
        if max(map(abs, samples)) < _AUDIBLE:
            faults.append(f"{key}: nothing to be heard")
        if holds(samples, OWN_HERTZ) != (key == OWN):
            faults.append(f"{key}: not the recording that was to be played")

    await asyncio.gather(*(hear(prompt.key) for prompt in PROMPTS))

    assert faults == []
    assert len(PROMPTS) >= 55
