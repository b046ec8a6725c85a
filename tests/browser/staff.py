"""Support, supervisor and operator of the demo, in front of their pages."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, StorageState

from tests.browser.people import DESK_WIDTH, Language, Person, World, a_page, listen
from tests.warmline.demo.running import DemoProcess
from warmline.clock import machine_now
from warmline.people.totp import code_now


@dataclass(slots=True)
class StaffMember(Person):
    """Who holds every role that looks after others."""

    async def signs_in(self) -> None:
        """With password and second factor."""
        login = overseer(self.world.demo)
        await self.opens("/supervisor")
        await self.page.fill("#email", login["email"])
        await self.page.fill("#password", login["password"])
        await self.presses("#enter")
        await self.sees("#totp")
        await self.page.fill("#totp", code_now(login["totp_secret"], machine_now()))
        await self.presses("#enter")
        await self.sees(".tiles")

    async def opens_account(self, *roles: str, counselor: str) -> dict[str, Any]:
        """For a counselor who has none yet; as the page of people does."""
        url, email = self.world.demo.url, f"{counselor}@example.test"
        answer = await self.page.context.request.post(
            f"{url}/v1/staff/members",
            data={"email": email, "roles": roles, "counselor": counselor},
            headers={"Origin": url, "Warmline-Cookie": "staff", "Idempotency-Key": email},
        )
        assert answer.ok, await answer.text()
        login: dict[str, Any] = await answer.json()
        return login

    async def goes_to(self, path: str, heading: str) -> None:
        """Open a screen and wait until it shows what it is about."""
        await self.opens(path)
        await self.sees(heading)


def overseer(demo: DemoProcess) -> dict[str, Any]:
    """The login that holds every role of the office."""
    found: dict[str, Any] = next(
        one for one in demo.playbill["staff"] if "supervisor" in one["roles"]
    )
    return found


@asynccontextmanager
async def a_member(
    browser: Browser,
    demo: DemoProcess,
    pictures: Path,
    signed_in: StorageState | None,
    *,
    language: Language = "zh-CN",
    width: int = DESK_WIDTH,
    scheme: Literal["light", "dark"] = "light",
) -> AsyncIterator[StaffMember]:
    """A page of theirs; `signed_in` is what an earlier sign-in left in the browser."""
    async with a_page(browser, language, width, scheme, signed_in) as page:
        member = StaffMember(page, World(demo, page.context), pictures, language)
        listen(member)
        yield member
