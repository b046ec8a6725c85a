"""A caller with a phone and a counselor at a desk, each in a browser of their own, in one demo."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, StorageState, expect

from tests.browser.newcomer import PATIENCE_MILLISECONDS
from tests.warmline.demo.running import DemoProcess

Language = Literal["zh-CN", "en"]
PHONE_WIDTH = 390
DESK_WIDTH = 1280
_AXE = Path("web/node_modules/axe-core/axe.min.js")
_BUILT = Path("warmline/web/built/caller.html")
_ASKED_IN_VAIN = ("/v1/sessions/current", "/v1/devices/current")
"""Chromium reports every 401: "who am I?" before the sign-in."""

ALL_PICTURES = bool(os.environ.get("WARMLINE_TEST_PICTURES"))
"""Whether pictures are wanted for their own sake: then of both widths, and in the light."""

_COME_TO_REST = """() => {
    scrollTo(0, 0);  // else the bar is seen in mid-page
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
_LOOK_SECONDS = 0.05
_used: set[str] = set()
_CODE = re.compile(r"(?<!\d)(\d{6})(?!\d)")


@dataclass(slots=True)
class World:
    """The simulated phones and the clock of one demo."""

    demo: DemoProcess
    context: BrowserContext

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the simulation."""
        answer = await self.context.request.fetch(
            f"{self.demo.url}{path}", method=method, data=body, fail_on_status_code=True
        )
        return await answer.json() if answer.status != 204 else None

    async def passes(self, seconds: int) -> None:
        """Time goes by for everybody."""
        await self.ask("POST", "/sim/clock", {"advance_seconds": seconds})

    async def handset(self, number: str, act: str) -> None:
        """Somebody works a phone: hangup, drop."""
        await self.ask("POST", f"/sim/handsets/{quote(number)}/{act}", {})

    async def picks_up(self, number: str) -> None:
        """Somebody answers a phone once it rings: a page says "ringing" as soon as we ring it."""
        await self.rings(number)
        await self.ask("POST", f"/sim/handsets/{quote(number)}/answer", {})

    async def rings(self, number: str) -> None:
        """Wait until a phone does."""
        await self.ringing_of((number,))

    async def ringing_of(self, numbers: Collection[str]) -> str:
        """Wait until one of these phones rings; which of them."""
        async with asyncio.timeout(PATIENCE_MILLISECONDS / 1000):
            while not (found := await self._ringing() & set(numbers)):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)
        return found.pop()

    async def is_ringing(self, number: str) -> bool:
        """Whether a phone rings now."""
        return number in await self._ringing()

    async def _ringing(self) -> set[str]:
        phones = await self.ask("GET", "/sim/handsets")
        return {str(one["number"]) for one in phones if one["state"] == "ringing"}

    async def teach(self, number: str, **script: object) -> None:
        """What a phone does by itself from now on."""
        await self.ask("PUT", f"/sim/handsets/{quote(number)}", script)

    async def newest_code(self, number: str) -> str | None:
        """The code in the newest message to this phone."""
        messages = await self.ask("GET", "/sim/messages")
        mine = [one for one in messages if one["kind"] == "sms" and one["to"][-4:] == number[-4:]]
        for message in sorted(mine, key=lambda one: one["at"], reverse=True):
            if found := _CODE.search(message["text"]):
                return found.group(1)
        return None

    async def next_code(self, number: str, before: str | None = None) -> str:
        """The code of a message that is newer than the one with `before`; waits for it."""
        async with asyncio.timeout(PATIENCE_MILLISECONDS / 1000):
            while (found := await self.newest_code(number)) in (None, before):  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)
        return str(found)

    async def voucher(self) -> str:
        """A code nobody has used yet; the demo sees to it that there are some."""
        async with asyncio.timeout(PATIENCE_MILLISECONDS / 1000):
            while (code := await self._unused_voucher()) is None:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)
        _used.add(code)
        return code

    async def _unused_voucher(self) -> str | None:
        playing = await self.ask("GET", "/demo/start")
        codes = reversed(playing["vouchers"]["psych-listening"])
        return next((str(one) for one in codes if one not in _used), None)


@dataclass(slots=True)
class Person:
    """Somebody in front of a page, with everything it complained about and asked for."""

    page: Page
    world: World
    pictures: Path
    language: Language
    complaints: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    blemishes: list[str] = field(default_factory=list)

    async def opens(self, path: str) -> None:
        """Go to one of our pages."""
        await self.page.goto(f"{self.world.demo.url}{path}")

    async def sees(self, what: str) -> None:
        """Wait until it is on the page."""
        await expect(self.page.locator(what).first).to_be_visible()

    async def presses(self, what: str) -> None:
        """Press it once it may be pressed."""
        await self.page.locator(f"{what}:not([aria-disabled])").first.click()

    async def is_told(self, what: str) -> None:
        """Wait until the page says it, in the person's language."""
        await expect(self.page.locator("#main")).to_contain_text(what)

    async def looks(self, name: str) -> None:
        """Keep a picture of the screen, which fits phones and desks; ask axe what is wrong."""
        await self.page.evaluate("document.fonts.ready")
        assert self.page.viewport_size is not None
        own, height = self.page.viewport_size["width"], self.page.viewport_size["height"]
        for width in sorted({PHONE_WIDTH, DESK_WIDTH, own}, key=lambda one: one == own):
            await self._looks_at(name, width, height, is_kept=width == own or ALL_PICTURES)
        self.blemishes += [f"{name}: {one}" for one in await self._axe()]

    async def _looks_at(self, name: str, width: int, height: int, *, is_kept: bool) -> None:
        await self.page.set_viewport_size({"width": width, "height": height})
        assert await self.page.evaluate("document.documentElement.scrollWidth") <= width, name
        if is_kept:
            await self.page.evaluate(_COME_TO_REST)
            path = self.pictures / f"{name}-{width}-{self.language}.png"
            whole = not await self.page.locator("dialog[open]").count()  # its veil ends with it
            await self.page.screenshot(path=path, full_page=whole, animations="disabled")

    async def _axe(self) -> list[str]:
        if not await self.page.evaluate("'axe' in window"):
            # Evaluated by the debugger: our own policy would not let a page load it.
            await self.page.evaluate(_axe())
        found = await self.page.evaluate("axe.run({resultTypes: ['violations']})")
        return [
            f"{one['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    def check(self) -> None:
        """Nothing was wrong with any screen, and nobody else was asked for anything."""
        hosts = {urlsplit(address).hostname for address in self.asked}
        assert hosts <= {None, "127.0.0.1"}
        assert not self.complaints, "\n".join(self.complaints)
        assert not self.blemishes, "\n".join(self.blemishes)


@dataclass(slots=True)
class CallerWithPhone(Person):
    """Who calls."""

    number: str = ""

    async def verifies(self) -> None:
        """Show that the phone is in the hand."""
        before = await self.world.newest_code(self.number)
        await self.page.fill("#number", self.number.removeprefix("+86"))
        await self.presses("#send-code")
        await self.sees("#code")
        await self.page.fill("#code", await self.world.next_code(self.number, before))
        await self.sees("#services")

    async def prepares_a_call(self, counselor: str) -> None:
        """Choose somebody and redeem a voucher."""
        await self.opens("/call/new/psych-listening")
        await self.page.locator("label.choice", has_text=counselor).click()
        if await self.page.locator("#voucher-code").count():  # none waits in the account
            await self.page.fill("#voucher-code", await self.world.voucher())
        await self.presses("#begin")
        await self.sees("[data-stage=ready]")

    async def is_at(self, stage: str) -> None:
        """Wait until the page says that this is happening."""
        await self.sees(f"[data-stage={stage}]")


@dataclass(slots=True)
class CounselorAtDesk(Person):
    """Who answers."""

    number: str = ""
    name: str = ""

    async def signs_in(self) -> None:
        """With the e-mail and password of the demo."""
        staff = self.world.demo.playbill["staff"]
        login = next(one for one in staff if one["roles"] == ["counselor"])
        await self.opens("/desk")
        await self.page.fill("#email", login["email"])
        await self.page.fill("#password", login["password"])
        await self.presses("#enter")
        await self.sees("#status")

    async def goes_available(self) -> None:
        """Through the readiness check, whatever the state was before."""
        if not await self.page.locator("#go-available").count():
            await self.presses("#status")
            await self.presses("#want-offline")
            await self.sees("#go-available")
            await self.page.keyboard.press("Escape")
        await self.presses("#go-available")
        await self.presses("#play")
        await self.presses("#heard")
        await self.page.check("#at-hand")
        await self.presses("#ready")
        await self.sees(".waiting.free")

    async def answers_and_accepts(self) -> None:
        """Pick up the phone and accept on the screen."""
        await self.sees(".offer")
        await self.world.picks_up(self.number)
        await self.presses("#accept")
        await self.sees(".on-call")

    async def hands_in(self, summary: str) -> None:
        """Write the notes and hand them in; nothing else is left to be written."""
        await self.writes(summary)
        await expect(self.page.locator("#hand-in")).to_have_count(0)

    async def writes(self, summary: str) -> None:
        """Write the notes of a call and hand them in."""
        await self.sees("#hand-in")
        await self.page.fill("#summary", summary)
        await self.page.locator(".notes .choices").nth(1).locator("label").first.click()
        await self.presses("#hand-in")


@cache
def _axe() -> str:
    """What finds faults of accessibility. Fails where the pages were not built."""
    if not (_BUILT.exists() and _AXE.exists()):
        pytest.fail("the pages are not built: run `make web`")
    return _AXE.read_text(encoding="utf-8")


@asynccontextmanager
async def a_page(
    browser: Browser,
    language: Language,
    width: int,
    scheme: Literal["light", "dark"],
    signed_in: StorageState | None = None,
) -> AsyncIterator[Page]:
    """A window of its own; `signed_in` is what an earlier one left in the browser."""
    _axe()
    context = await browser.new_context(
        viewport={"width": width, "height": 844},
        locale=language,
        color_scheme=scheme,
        storage_state=signed_in,
    )
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MILLISECONDS)
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    try:
        yield page
    finally:
        await context.close()


def listen(person: Person) -> None:
    """Note what the page complains about and whom it asks."""
    page = person.page

    def hear(said: ConsoleMessage) -> None:
        expected = said.location["url"].endswith(_ASKED_IN_VAIN)
        if said.type in ("error", "warning") and not expected:
            person.complaints.append(f"{said.text} {said.location['url']}")

    page.on("console", hear)
    page.on("pageerror", lambda fault: person.complaints.append(str(fault)))
    page.on("request", lambda request: person.asked.add(request.url))
    page.on("websocket", lambda socket: person.asked.add(socket.url))


@asynccontextmanager
async def a_caller(
    browser: Browser,
    demo: DemoProcess,
    pictures: Path,
    place: int,
    *,
    language: Language = "zh-CN",
    width: int = PHONE_WIDTH,
    scheme: Literal["light", "dark"] = "light",
) -> AsyncIterator[CallerWithPhone]:
    """The demo's caller at `place`, with a browser of their own."""
    async with a_page(browser, language, width, scheme) as page:
        world = World(demo, page.context)
        number = demo.playbill["callers"][place]
        caller = CallerWithPhone(page, world, pictures, language, number=number)
        listen(caller)
        yield caller


@asynccontextmanager
async def a_counselor(
    browser: Browser,
    demo: DemoProcess,
    pictures: Path,
    *,
    language: Language = "zh-CN",
    width: int = DESK_WIDTH,
    scheme: Literal["light", "dark"] = "light",
) -> AsyncIterator[CounselorAtDesk]:
    """The demo's counselor whose phone is worked by hand, signed in and taking calls."""
    async with a_page(browser, language, width, scheme) as page:
        world = World(demo, page.context)
        login = next(one for one in demo.playbill["staff"] if one["roles"] == ["counselor"])
        known = {one["id"]: one for one in demo.playbill["counselors"]}
        own = known[login["counselor"]]
        desk = CounselorAtDesk(
            page, world, pictures, language, number=own["number"], name=own["name"]
        )
        listen(desk)
        await desk.signs_in()
        await desk.goes_available()
        yield desk
        # Whoever is signed in elsewhere too stays on duty: leave nobody behind for the next test.
        leaving = f"{demo.url}/v1/sessions/current"
        await page.context.request.delete(leaving, headers={"Origin": demo.url})
