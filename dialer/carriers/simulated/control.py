"""Hands and knobs: what a person, a demo or a test does with the simulated phones."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Protocol

import aiohttp

from dialer.carriers import CarrierUnreachable
from dialer.carriers.simulated.address import Address
from dialer.carriers.simulated.client import Locate
from dialer.carriers.simulated.faults import Faults
from dialer.carriers.simulated.handset import HandsetView, NotPossible
from dialer.carriers.simulated.script import Script, write_script
from dialer.carriers.simulated.wire import JsonObject, WireFault, read_list, read_view
from dialer.carriers.simulated.world import World
from terms.phone import PhoneNumber

_TIMEOUT = aiohttp.ClientTimeout(total=5)


class Hands(Protocol):
    """Everything one can do with the phones.

    What a phone cannot do now raises NotPossible and changes nothing: `not_ringing`, `not_in_call`,
    `phone_in_use`, `phone_off`. Over HTTP each also raises CarrierUnreachable.
    """

    async def script(self, number: PhoneNumber, script: Script) -> None:
        """Teach a phone a behaviour for its next calls, and plug it in."""
        ...

    async def answer(self, number: PhoneNumber) -> None:
        """Take the ringing call."""
        ...

    async def hang_up(self, number: PhoneNumber) -> None:
        """Hang up; a ringing call is rejected by this."""
        ...

    async def drop(self, number: PhoneNumber) -> None:
        """The network loses the line."""
        ...

    async def plug_out(self, number: PhoneNumber) -> None:
        """The phone dies without a word; its leg stays half-open."""
        ...

    async def fall_silent(self, number: PhoneNumber) -> None:
        """The phone's line carries no audio until it speaks again, as in a tunnel."""
        ...

    async def speak(self, number: PhoneNumber) -> None:
        """The line carries audio again."""
        ...

    async def press(self, number: PhoneNumber, digits: str) -> None:
        """Press keys."""
        ...

    async def dial(
        self,
        number: PhoneNumber,
        to: str,
        *,
        withhold: bool = False,
        shows: PhoneNumber | None = None,
    ) -> None:
        """Dial a service number; `shows` is another caller ID than the phone's own."""
        ...

    async def handsets(self) -> list[HandsetView]:
        """Every phone the world has heard of."""
        ...

    async def handset(self, number: PhoneNumber) -> HandsetView:
        """One phone."""
        ...

    async def set_faults(self, faults: Faults) -> None:
        """Make the carrier as bad as told."""
        ...


class RemoteHands:
    """`Hands` on the handsets process."""

    def __init__(self, locate: Locate, token: str) -> None:
        self._locate = locate
        self._headers = {"Authorization": f"Bearer {token}"}
        self._address: Address | None = None
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let go of the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def script(self, number: PhoneNumber, script: Script) -> None:
        """See `Hands`."""
        await self._ask("PUT", _of(number), write_script(script))

    async def answer(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        await self._ask("POST", f"{_of(number)}/answer")

    async def hang_up(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        await self._ask("POST", f"{_of(number)}/hangup")

    async def drop(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        await self._ask("POST", f"{_of(number)}/drop")

    async def plug_out(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        await self._ask("POST", f"{_of(number)}/plug-out")

    async def fall_silent(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        await self._ask("POST", f"{_of(number)}/fall-silent")

    async def speak(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        await self._ask("POST", f"{_of(number)}/speak")

    async def press(self, number: PhoneNumber, digits: str) -> None:
        """See `Hands`."""
        await self._ask("POST", f"{_of(number)}/press", {"digits": digits})

    async def dial(
        self,
        number: PhoneNumber,
        to: str,
        *,
        withhold: bool = False,
        shows: PhoneNumber | None = None,
    ) -> None:
        """See `Hands`."""
        body: JsonObject = {"to": to, "withhold": withhold}
        if shows is not None:
            body["shows"] = shows.digits
        await self._ask("POST", f"{_of(number)}/dial", body)

    async def handsets(self) -> list[HandsetView]:
        """See `Hands`."""
        found = read_list(await self._ask("GET", "/handsets"), "handsets")
        return [read_view(item) for item in found]

    async def handset(self, number: PhoneNumber) -> HandsetView:
        """See `Hands`."""
        return read_view(await self._ask("GET", _of(number)))

    async def set_faults(self, faults: Faults) -> None:
        """See `Hands`."""
        await self._ask("PUT", "/faults", asdict(faults))

    async def move_clock(self, offset_seconds: float) -> None:
        """Set how far the world is ahead of the machine; everything due by then has happened."""
        await self._ask("PUT", "/clock", {"offset_seconds": offset_seconds})

    async def news_waiting(self) -> int:
        """How many reports no receiver has acknowledged yet."""
        return await self._count("news_waiting")

    async def receivers(self) -> int:
        """How many services news is pushed to in turn."""
        return await self._count("receivers")

    async def next_due(self) -> datetime | None:
        """When something will happen in the world by itself next; None if nothing will."""
        due = (await self._health()).get("next_due")
        return datetime.fromisoformat(due) if isinstance(due, str) else None

    async def events(self, after: int = 0) -> list[JsonObject]:
        """The process's log after event `after`, for tests."""
        found = read_list(await self._ask("GET", f"/events?after={after}"), "events")
        return [event for event in found if isinstance(event, dict)]

    async def _count(self, what: str) -> int:
        count = (await self._health()).get(what)
        if not isinstance(count, int):
            raise WireFault(f"{what} is not a number")
        return count

    async def _health(self) -> JsonObject:
        found = await self._ask("GET", "/health")
        if not isinstance(found, dict):
            raise WireFault("not an object")
        return found

    async def _ask(self, method: str, path: str, body: JsonObject | None = None) -> object:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=_TIMEOUT)
        address = self._address = self._address or await self._locate()
        url = address.url + path
        try:
            async with self._session.request(method, url, json=body) as response:
                found = await response.json()
        except (aiohttp.ClientError, TimeoutError) as fault:
            self._address = None
            raise CarrierUnreachable("the handsets process does not answer") from fault
        if response.status == 409:
            raise NotPossible(str(found["code"]))
        if response.status != 200:
            raise WireFault(str(found.get("detail")))
        return found


class LocalHands:
    """`Hands` on a world held in memory; its news waits for the carrier's next `tell_news`."""

    def __init__(self, world: World, clock: Callable[[], datetime]) -> None:
        self._world = world
        self._clock = clock

    async def script(self, number: PhoneNumber, script: Script) -> None:
        """See `Hands`."""
        self._world.script(number.digits, script)

    async def answer(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        self._world.pick_up(number.digits, self._clock())

    async def hang_up(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        self._world.put_down(number.digits, self._clock())

    async def drop(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        self._world.drop(number.digits, self._clock())

    async def plug_out(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        self._world.plug_out(number.digits, self._clock())

    async def fall_silent(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        self._world.fall_silent(number.digits, self._clock())

    async def speak(self, number: PhoneNumber) -> None:
        """See `Hands`."""
        self._world.speak(number.digits, self._clock())

    async def press(self, number: PhoneNumber, digits: str) -> None:
        """See `Hands`."""
        self._world.press(number.digits, digits, self._clock())

    async def dial(
        self,
        number: PhoneNumber,
        to: str,
        *,
        withhold: bool = False,
        shows: PhoneNumber | None = None,
    ) -> None:
        """See `Hands`."""
        shown = None if shows is None else shows.digits
        self._world.dial(number.digits, to, self._clock(), withhold=withhold, shows=shown)

    async def handsets(self) -> list[HandsetView]:
        """See `Hands`."""
        return self._world.handsets()

    async def handset(self, number: PhoneNumber) -> HandsetView:
        """See `Hands`."""
        return self._world.handset(number.digits)

    async def set_faults(self, faults: Faults) -> None:
        """See `Hands`."""
        self._world.set_faults(faults)


def _of(number: PhoneNumber) -> str:
    return f"/handsets/{number.digits}"
