"""`make phones`: a real call to try, with a real Asterisk, two softphones, and hands for both."""

import asyncio
import json
import logging
import math
import os
import re
import secrets
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import structlog

from dialer.call import Call, State
from dialer.leg import Leg
from terms.ids import CallerId, CounselorId, OrderId
from tests.people import CALLER, COUNSELOR, LISTENING, People, device_token
from tests.phones.baresip import Baresip
from tests.phones.engine import PASSWORD, start
from tests.phones.required import missing
from warmline.bench.phones.engine import Engine, ready
from warmline.database.embedded import stop
from warmline.exits import Unusable
from warmline.ids import new_id
from warmline.programs import load_shipped
from warmline.prompts import espeak
from warmline.prompts.building import build
from warmline.prompts.catalogue import shipped, warned_seconds
from warmline.serve import House, running
from warmline.settings import Settings

NAMES = {CALLER: "caller", COUNSELOR: "counselor"}
HERTZ = {CALLER: 440, COUNSELOR: 1000}
KEYS = """
  call   the caller presses the button in the app: the caller's phone rings
  a      the caller's phone is answered: the counselor's rings
  b      the counselor's phone is answered
  1      the counselor presses 1 and takes the call: they talk
  x      the caller hangs up
  y      the counselor hangs up
  quit   the end, as Ctrl-C
"""
_LOOK_SECONDS = 0.5
_SIP_PORT = 5060
_EVERY = {"0.0.0.0": "127.0.0.1"}


@dataclass(slots=True, kw_only=True)
class Trial:
    """Everything that runs. A phone somebody brings along is not among `phones`."""

    house: House
    people: People
    client: aiohttp.ClientSession
    engine: Engine
    phones: dict[str, Baresip]
    caller: CallerId
    counselor: CounselorId
    order: OrderId | None = None

    async def call(self) -> str:
        """Press the button, with a new voucher."""
        self.order = await self.people.order(self.caller, self.counselor)
        headers = {"Authorization": f"Bearer {device_token(CALLER)}"}
        async with self.client.post(
            f"/v1/orders/{self.order}/calls", json={"phone": CALLER}, headers=headers
        ) as response:
            return "" if response.status == 202 else await response.text()

    async def do(self, word: str) -> str:
        """One word of `KEYS`; gives what went wrong."""
        if word == "call":
            return await self.call()
        hands = {
            "a": (CALLER, "accept", ""),
            "b": (COUNSELOR, "accept", ""),
            "1": (COUNSELOR, "sndcode", "1"),
            "x": (CALLER, "hangup", ""),
            "y": (COUNSELOR, "hangup", ""),
        }
        if word not in hands:
            return f"not one of: {' '.join(('call', *hands, 'quit'))}"
        number, command, parameters = hands[word]
        if number not in self.phones:
            return f"the {NAMES[number]}'s phone is in your own hands"
        self.phones[number].command(command, parameters)
        return ""

    async def newest(self) -> Call | None:
        """The call that is on, or was."""
        if self.order is None:
            return None
        with suppress(IndexError):
            return await self.people.see_call(self.order)
        return None

    async def tell_for_ever(self) -> None:
        """A line whenever something is different."""
        told = ""
        while True:
            if (now := await self.state()) and now != told:
                print(now, flush=True)
                told = now
            await asyncio.sleep(_LOOK_SECONDS)

    async def state(self) -> str:
        """What there is to see and to hear."""
        call = await self.newest()
        if call is None:
            return ""
        line = f"-- {call.state.replace('_', ' ')}"
        if call.state is State.BRIDGED:
            line += "".join(map(self._ear, self.phones))
        elif call.ended_at is None:
            line += "".join(map(_at_phone, call.all_standing()))
        if call.verdict is not None:
            line += (
                f": {call.verdict.kind}, by {call.verdict.by} ({', '.join(call.verdict.reasons)})"
            )
        return line

    def _ear(self, number: str) -> str:
        level = loudness(self.phones[number].heard_lately(0.5))
        return f"   the {NAMES[number]} hears {'#' * (level // 6):<10}"


def _at_phone(leg: Leg) -> str:
    doing = "is answered" if leg.answered_at else "rings" if leg.ringing_at else "is being rung"
    return f"   the {leg.role}'s phone {doing}"


def loudness(samples: list[int]) -> int:
    """0 for silence to 60 for as loud as can be, in decibels."""
    if not samples:
        return 0
    power = math.sqrt(sum(sample * sample for sample in samples) / len(samples))
    return max(0, min(60, 60 + round(20 * math.log10(max(power, 1) / 32767))))


@asynccontextmanager
async def a_trial(
    directory: Path, brought: frozenset[str], host: str, sip_port: int
) -> AsyncIterator[Trial]:
    """Everything started; nothing of it is left when the block ends."""
    passwords, house_directory = _passwords(directory), directory / "house"
    await asyncio.to_thread(stop, house_directory)  # one that was killed leaves its database
    shutil.rmtree(house_directory, ignore_errors=True)
    programs = _always_open(directory / "programs")
    async with AsyncExitStack() as stack:
        engine = await asyncio.to_thread(
            start, "trial", sip_host=host, sip_port=sip_port, softphones=passwords
        )
        stack.callback(engine.stop)
        _speak(directory / "prompts", engine)
        await ready(engine)
        settings = Settings.load(
            data_dir=house_directory,
            port=0,
            carrier="asterisk",
            asterisk_url=engine.url,
            asterisk_password=PASSWORD,
            asterisk_prompts=Path(engine.sounds),
            programs=programs,
        )
        house = await stack.enter_async_context(running(settings))
        client = await stack.enter_async_context(aiohttp.ClientSession(base_url=house.url))
        registrar = f"{_EVERY.get(host, host)}:{sip_port}"
        phones: dict[str, Baresip] = {}
        for number in (one for one in NAMES if one not in brought):
            phones[number] = await _begin(number, passwords[number], directory, registrar, stack)
        people = People(house.pool, house.seal, house.clock, house.programs, new_id)
        yield Trial(
            house=house,
            people=people,
            client=client,
            engine=engine,
            phones=phones,
            caller=await people.caller(CALLER),
            counselor=await people.counselor(COUNSELOR),
        )


async def _begin(
    number: str, password: str, directory: Path, registrar: str, stack: AsyncExitStack
) -> Baresip:
    place = directory / NAMES[number]
    shutil.rmtree(place, ignore_errors=True)
    phone = Baresip(
        number=number,
        password=password,
        hertz=HERTZ[number],
        directory=place,
        registrar=registrar,
        answers="manual",
    )
    stack.push_async_callback(phone.stop)
    await phone.start()
    return phone


def _passwords(directory: Path) -> dict[str, str]:
    """Made once, so that a desktop softphone need not be set up anew."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "phones.json"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(json.dumps({number: secrets.token_urlsafe(9) for number in NAMES}))
    found: dict[str, str] = json.loads(file.read_text())
    return found


def _always_open(directory: Path) -> Path:
    directory.mkdir(exist_ok=True)
    body = load_shipped()[LISTENING].body
    body = re.sub(r"^hours = .*$", 'hours = "24h"', body, flags=re.M)
    body = re.sub(r"^wrap_up_seconds = .*$", "wrap_up_seconds = 0", body, flags=re.M)
    (directory / "listening.toml").write_text(body, encoding="utf-8")
    return directory


def _speak(folder: Path, engine: Engine) -> None:
    """The real prompts where espeak-ng is there, and tones where it is not; nobody queues here."""
    if not espeak.is_there():
        return
    warned = warned_seconds(program.dialer for program in load_shipped().values())
    spoken = [
        prompt
        for prompt in shipped().prompts(warned)
        if not prompt.key.startswith(("position_", "wait_"))
    ]
    build(folder, shipped(), spoken, ("zh-CN",), lambda done, of: None)
    shutil.copytree(folder, engine.directory / "sounds", dirs_exist_ok=True)


def introduction(trial: Trial, passwords: dict[str, str], host: str) -> str:
    """What is there, and what to press."""
    where = f"{host}:{trial.engine.sip_port}"
    lines = [f"Warmline is at {trial.house.url}, Asterisk takes phones at {where}."]
    for number, name in NAMES.items():
        hears = f"it speaks a tone of {HERTZ[number]} Hz" if number in trial.phones else "yours"
        lines.append(f"  {name:10} {number}   password {passwords[number]}   ({hears})")
    return "\n".join(lines) + "\nType a word and press Enter:\n" + KEYS


async def try_out(directory: Path, brought: frozenset[str], host: str, sip_port: int) -> None:
    """Until the last word, the end of input, or Ctrl-C."""
    async with a_trial(directory, brought, host, sip_port) as trial:
        print(introduction(trial, _passwords(directory), host), flush=True)
        telling = asyncio.create_task(trial.tell_for_ever())
        try:
            async for word in _words():
                if word == "quit":
                    break
                if fault := await trial.do(word):
                    print(fault, flush=True)
        finally:
            telling.cancel()
            for number, phone in trial.phones.items():
                for heard in phone.recordings():
                    print(f"What the {NAMES[number]}'s phone heard: {heard}", flush=True)


async def _words() -> AsyncIterator[str]:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        if word := line.decode(errors="replace").strip():
            yield word


def main() -> int:
    """Exit status 2 where it cannot be tried, with what to do."""
    if (why := missing("baresip")) is not None:
        print(f"No phone can be tried here: {why}.", file=sys.stderr)
        return 2
    names = {name: number for number, name in NAMES.items()}
    brought = frozenset(
        names[name] for name in os.environ.get("MINE", "").split(",") if name in names
    )
    logged = structlog.make_filtering_bound_logger(logging.WARNING)
    structlog.configure(wrapper_class=logged)  # what happens is told in words of its own
    # Taken out of the environment: what the house of a trial keeps is nobody else's.
    directory = Path(os.environ.pop("WARMLINE_DATA_DIR", "data")) / "phones"
    host = os.environ.get("HOST", "127.0.0.1")
    port = int(os.environ.get("SIP_PORT", _SIP_PORT))
    # Ctrl-C ends it also where a shell began it in the background, which has it ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for one in (signal.SIGTERM, signal.SIGHUP):  # a terminal that is closed ends it as Ctrl-C does
        signal.signal(one, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        asyncio.run(try_out(directory.absolute(), brought, host, port))
    except KeyboardInterrupt:
        print("Stopped.")
    except Unusable as unusable:
        print(unusable, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
