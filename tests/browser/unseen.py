"""A caller without a page: what they do is asked of the service, as their app would."""

from dataclasses import dataclass
from typing import Any

from tests.browser.people import World

CODE_EVERY_SECONDS = 61
LISTENING = "psych-listening"


@dataclass(frozen=True, slots=True)
class UnseenCaller:
    """Somebody whose phone is verified."""

    world: World
    number: str
    token: str

    async def asks(self, method: str, path: str, body: object = None) -> Any:
        """One request of theirs, which is not refused."""
        answer = await self.world.context.request.fetch(
            f"{self.world.demo.url}{path}",
            method=method,
            data=body,
            headers={"Authorization": f"Bearer {self.token}"},
        )
        assert answer.ok, await answer.text()
        return await answer.json() if answer.status != 204 else None

    async def orders(self, counselor: str) -> str:
        """An order for a listening talk with this counselor; its id."""
        voucher = await self.world.voucher()
        wanted = {"program": LISTENING, "counselor": counselor, "voucher": voucher}
        return str((await self.asks("POST", "/v1/orders", wanted))["id"])

    async def calls(self, order: str) -> None:
        """Press the call button."""
        await self.asks("POST", f"/v1/orders/{order}/calls", {})

    async def gives_up(self, order: str) -> None:
        """Stop while it still rings."""
        await self.asks("DELETE", f"/v1/orders/{order}/calls/current")


async def an_unseen_caller(world: World, place: int) -> UnseenCaller:
    """The demo's caller at `place`, verified; their phone answers by itself at once."""
    number = world.demo.playbill["callers"][place]
    before = await world.newest_code(number)
    sent = await world.ask("POST", "/v1/device-verifications", {"phone": number})
    code = await world.next_code(number, before)
    confirm = f"/v1/device-verifications/{sent['id']}/confirm"
    token = (await world.ask("POST", confirm, {"code": code}))["device_token"]
    await world.teach(number, answers="yes", after_seconds=0)
    return UnseenCaller(world, number, token)
