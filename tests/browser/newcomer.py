"""Somebody who opens the page for the first time, and what they can do there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, expect

PATIENCE_MILLISECONDS = 20_000


@dataclass(slots=True)
class Newcomer:
    """A page, everything it complained about, and every address it asked for."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    async def press(self, control: str) -> None:
        """Press the control of this id, once it is there."""
        await self.page.locator(f"#{control}").click()

    async def sees(self, what: str) -> None:
        """Wait until it is on the page."""
        await expect(self.page.locator(what).first).to_be_visible()

    async def reads(self, kind: str) -> None:
        """Wait for a line of this kind on the timeline."""
        await self.sees(f"#timeline [data-kind={kind}]")

    async def lets_pass(self, seconds: int) -> None:
        """Time goes by."""
        moved = await self.page.request.post(
            f"{self.url}/sim/clock", data={"advance_seconds": seconds}
        )
        assert moved.ok

    async def verifies_the_phone(self) -> None:
        """Have a code sent, see it arrive, confirm it."""
        await self.press("send-code")
        await self.sees("#caller .sms")
        await self.sees('#code[value]:not([value=""])')
        await self.press("confirm")

    async def strangers_asked(self) -> list[str]:
        """Hosts that are not this machine."""
        hosts = {urlsplit(address).hostname for address in self.asked}
        return sorted(host for host in hosts if host not in (None, "127.0.0.1"))

    async def keeps(self, picture: Path) -> None:
        """A picture of the whole page, which must not be wider than the window."""
        await self.page.screenshot(path=picture, full_page=True)
        width = await self.page.evaluate("document.documentElement.scrollWidth")
        assert self.page.viewport_size is not None
        assert width <= self.page.viewport_size["width"]


@asynccontextmanager
async def a_newcomer(
    browser: Browser,
    url: str,
    *,
    width: int,
    scheme: Literal["light", "dark"] = "light",
) -> AsyncIterator[Newcomer]:
    """A fresh browser profile with the page open."""
    context = await browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, locale="zh-CN"
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    newcomer = Newcomer(page=page, url=url)
    page.on(
        "console",
        lambda said: (
            newcomer.complaints.append(said.text) if said.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda fault: newcomer.complaints.append(str(fault)))
    page.on("request", lambda request: newcomer.asked.add(request.url))
    page.on("websocket", lambda socket: newcomer.asked.add(socket.url))
    await page.goto(f"{url}/")
    try:
        yield newcomer
    finally:
        await context.close()
