"""The conformance rig for Asterisk: real signalling, real audio, real time."""

import asyncio
from itertools import count

import aiohttp

from dialer.carriers.asterisk.carrier import Address, AsteriskCarrier
from terms.phone import PhoneNumber
from tests.dialer.carriers.rig import Behaviour, Rig
from tests.phones.engine import PASSWORD, PROMPTS
from tests.phones.sip import uri_of, user_of
from tests.phones.town import Line, Phone, Town
from warmline.bench.phones.engine import Engine

_ANSWERS = {
    Behaviour.BY_HAND: 180,
    Behaviour.NO_ANSWER: 180,
    Behaviour.BUSY: 486,
    Behaviour.REJECTS: 603,
    Behaviour.OFF: 480,
    Behaviour.UNKNOWN: 404,
}
_SETTLE_SECONDS = 0.8
_EAR_SECONDS = 0.5
_numbers = count(1)
_runs = count(1)


def carrier_on(engine: Engine, trunk: str = "warmline-trunk") -> AsteriskCarrier:
    """Another process's carrier, as it were: it remembers nothing."""
    address = Address(
        url=engine.url, user="warmline", password=PASSWORD, prompts=engine.sounds, trunk=trunk
    )
    return AsteriskCarrier(address)


class AsteriskRig(Rig):
    """Phones of a town behind the trunk of a running Asterisk."""

    def __init__(self, engine: Engine, trunk: str = "warmline-trunk") -> None:
        super().__init__()
        self._url = engine.url
        self._prompts = {f"{language}/{key}": hz for (language, key), hz in PROMPTS.items()}
        self.town = Town(engine.sip_port, self._prompts)
        self.carrier = self.asterisk = carrier_on(engine, trunk)
        # Asterisk outlives a test: no two tests may have a call of one name.
        self._calls = count(next(_runs) * 1000)

    async def phone(self, behaviour: Behaviour) -> PhoneNumber:
        number = PhoneNumber(f"+86138{next(_numbers):08}")
        voice = 300 + 50 * len(self.town.phones)
        phone = Phone(number.digits, voice, answers=_ANSWERS.get(behaviour, 200))
        phone.presses = "1" if behaviour is Behaviour.ACCEPTS else ""
        self.town.phones[number.digits] = phone
        return number

    async def pick_up(self, phone: PhoneNumber) -> None:
        await self.town.pick_up(self._at(phone))

    async def put_down(self, phone: PhoneNumber) -> None:
        self.town.put_down(self._at(phone))

    async def press(self, phone: PhoneNumber, digits: str) -> None:
        line = self._at(phone).line
        assert line is not None
        await line.press(digits)

    async def drop(self, phone: PhoneNumber) -> None:
        self.town.put_down(self._at(phone), "Q.850;cause=41")

    async def kill(self, phone: PhoneNumber) -> None:
        line = self._at(phone).line
        assert line is not None
        line.close()

    async def fall_silent(self, phone: PhoneNumber) -> None:
        self._hold_tongue(phone, True)

    async def speak(self, phone: PhoneNumber) -> None:
        self._hold_tongue(phone, False)

    async def dial_in(self, phone: PhoneNumber, *, withhold: bool = False) -> None:
        await self.town.dial(self._at(phone), self.service_number, withhold=withhold)

    async def hears(self, phone: PhoneNumber) -> set[PhoneNumber]:
        await asyncio.sleep(_EAR_SECONDS)
        line = self._at(phone).line
        if line is None:
            return set()
        return {
            PhoneNumber(other.number)
            for other in self.town.phones.values()
            if line.hears(other.voice)
        }

    async def heard(self, phone: PhoneNumber) -> list[str]:
        return [prompt.partition("/")[2] for prompt in self._at(phone).heard]

    async def shown(self, phone: PhoneNumber) -> list[str]:
        texts = self._at(phone).messages
        froms = [line for text in texts for line in text.split("\r\n") if line.startswith("From:")]
        return [*texts, *(user_of(uri_of(line)) for line in froms)]

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def pump(self) -> None:
        """News comes by itself."""

    async def settle(self) -> None:
        await asyncio.sleep(_SETTLE_SECONDS)
        async with asyncio.timeout(10):
            while self.asterisk.untold:  # noqa: ASYNC110 - told by tasks of the carrier
                await asyncio.sleep(0.01)

    def lines(self, *phones: PhoneNumber) -> list[Line]:
        """The lines the phones are on now."""
        return [line for phone in phones if (line := self._at(phone).line) is not None]

    def answers(self, phone: PhoneNumber, status: int) -> None:
        """Teach the phone the status it answers with."""
        self._at(phone).answers = status

    async def bridges(self) -> str:
        """Asterisk's bridges as it lists them."""
        header = {"Authorization": aiohttp.encode_basic_auth("warmline", PASSWORD)}
        async with (
            aiohttp.ClientSession(headers=header) as session,
            session.get(f"{self._url}/ari/bridges") as response,
        ):
            return await response.text()

    async def clear(self) -> None:
        """Leave Asterisk as it was found."""
        for live in await self.carrier.live_legs():
            await self.carrier.hang_up(live.leg)
        await asyncio.sleep(0.05)

    def _at(self, phone: PhoneNumber) -> Phone:
        return self.town.phones[phone.digits]

    def _hold_tongue(self, phone: PhoneNumber, silent: bool) -> None:
        line = self._at(phone).line
        assert line is not None
        line.silent = silent
