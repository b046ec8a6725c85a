"""The conformance rig for the simulated carrier, over whichever hands reach its world."""

from abc import abstractmethod
from dataclasses import dataclass
from itertools import count

from dialer.carriers.simulated.control import Hands
from dialer.carriers.simulated.script import BY_HAND, Answers, Script
from terms.phone import PhoneNumber
from tests.dialer.carriers.rig import Behaviour, Rig

SCRIPTS = {
    Behaviour.BY_HAND: BY_HAND,
    Behaviour.ANSWERS: Script(answers=Answers.YES),
    Behaviour.ACCEPTS: Script(answers=Answers.YES, presses="1"),
    Behaviour.VOICEMAIL: Script(answers=Answers.YES),
    Behaviour.BUSY: Script(answers=Answers.BUSY),
    Behaviour.NO_ANSWER: Script(answers=Answers.NO_ANSWER),
    Behaviour.REJECTS: Script(answers=Answers.REJECTS),
    Behaviour.OFF: Script(answers=Answers.OFF),
    Behaviour.UNKNOWN: Script(answers=Answers.UNKNOWN),
}
_numbers = count(1)


@dataclass
class SimulatedRig(Rig):
    """Phones of the simulated world. What is left to a subclass is time and delivery."""

    hands: Hands

    def __post_init__(self) -> None:
        super().__init__()

    @abstractmethod
    async def pass_time(self, seconds: float) -> None: ...

    async def phone(self, behaviour: Behaviour) -> PhoneNumber:
        number = PhoneNumber(f"+86138{next(_numbers):08}")
        await self.hands.script(number, SCRIPTS[behaviour])
        return number

    async def pick_up(self, phone: PhoneNumber) -> None:
        await self.hands.answer(phone)

    async def put_down(self, phone: PhoneNumber) -> None:
        await self.hands.hang_up(phone)

    async def press(self, phone: PhoneNumber, digits: str) -> None:
        await self.hands.press(phone, digits)

    async def drop(self, phone: PhoneNumber) -> None:
        await self.hands.drop(phone)

    async def kill(self, phone: PhoneNumber) -> None:
        await self.hands.plug_out(phone)

    async def fall_silent(self, phone: PhoneNumber) -> None:
        await self.hands.fall_silent(phone)

    async def speak(self, phone: PhoneNumber) -> None:
        await self.hands.speak(phone)

    async def dial_in(self, phone: PhoneNumber, *, withhold: bool = False) -> None:
        await self.hands.dial(phone, self.service_number, withhold=withhold)

    async def hears(self, phone: PhoneNumber) -> set[PhoneNumber]:
        return {PhoneNumber(number) for number in (await self.hands.handset(phone)).hears}

    async def heard(self, phone: PhoneNumber) -> list[str]:
        return list((await self.hands.handset(phone)).heard)

    async def shown(self, phone: PhoneNumber) -> list[str]:
        shows = (await self.hands.handset(phone)).shows
        return [] if shows is None else [shows]
