"""The ring: heard in one window, seen in every one, and over as soon as nothing rings any more."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.browser.newcomer import PATIENCE_MILLISECONDS
from tests.browser.people import CounselorAtDesk, a_counselor
from tests.browser.unseen import CODE_EVERY_SECONDS, UnseenCaller, an_unseen_caller
from tests.warmline.demo.running import DemoProcess

QUIET_MILLISECONDS = 9_000  # three turns of the ring
COOLDOWN_SECONDS = 120
MARIMBA_HERTZ = 523
QUIETER = 0.3
LOOK_SECONDS = 0.05
_LISTEN = """
    window.heard = [];
    window.loudness = [];
    window.notices = [];
    const begin = OscillatorNode.prototype.start;
    const grow = AudioParam.prototype.linearRampToValueAtTime;
    OscillatorNode.prototype.start = function (...when) {
        heard.push(this.frequency.value);
        return begin.apply(this, when);
    };
    AudioParam.prototype.linearRampToValueAtTime = function (to, when) {
        loudness.push(to);
        return grow.call(this, to, when);
    };
    window.AudioContext = class extends AudioContext {
        constructor() { super(); window.sound = this; }
    };
    window.Notification = new Proxy(Notification, {
        construct: (shown, given) => { notices.push(given[0]); return new shown(...given); },
    });
    window.away = false;
    Object.defineProperty(document, "hidden", { get: () => window.away });
"""
_GO_AWAY = "() => { away = true; document.dispatchEvent(new Event('visibilitychange')) }"


async def _is_deaf(page: Page) -> None:
    await expect(page.locator(".sound-bar[role=alert]")).to_be_visible()


async def _can_hear(page: Page) -> None:
    await expect(page.locator(".sound-bar")).to_have_count(0)


async def _until(page: Page, expression: str) -> None:
    """Playwright's own way is evaluated by the page, which our policy forbids."""
    async with asyncio.timeout(PATIENCE_MILLISECONDS / 1000):
        while not await page.evaluate(expression):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)


async def _rings(page: Page) -> None:
    """It is heard."""
    await _until(page, "heard.length > 0")


async def _calls_for_attention(page: Page) -> None:
    await expect(page.locator(".offer")).to_be_visible()
    await _until(page, "document.title.startsWith('● 来电')")
    await expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("alert"))


async def _is_still(page: Page) -> None:
    """Nothing asks for attention any more, now and later."""
    await expect(page.locator("#accept")).to_have_count(0)
    await expect(page.locator("link[rel=icon]")).not_to_have_attribute("href", re.compile("alert"))
    before = await page.evaluate("heard.length")
    await page.clock.run_for(QUIET_MILLISECONDS)
    assert await page.evaluate("heard.length") == before
    assert "●" not in await page.title()
    await page.evaluate("heard.length = 0")


async def _listens(desk: CounselorAtDesk) -> None:
    """From the next page on it is noted what is heard."""
    context = desk.page.context
    await context.grant_permissions(["notifications"])
    await context.add_init_script(f"{{{_LISTEN}}}")
    await desk.page.clock.install()
    await desk.page.reload()


async def _an_order(desk: CounselorAtDesk, place: int) -> tuple[UnseenCaller, str]:
    login = next(one for one in desk.world.demo.playbill["staff"] if one["roles"] == ["counselor"])
    await desk.world.passes(CODE_EVERY_SECONDS)
    caller = await an_unseen_caller(desk.world, place)
    return caller, await caller.orders(login["counselor"])


async def test_a_ring_that_nobody_would_hear_is_said_in_red_and_sounds_as_it_was_chosen(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with a_counselor(browser, demo, pictures) as desk:
        page = desk.page
        await _listens(desk)
        await _is_deaf(page)  # a reload: the browser wants one more press
        await desk.looks("ring-not-heard")
        await desk.presses("#status")
        await desk.presses("#check-again")
        await desk.presses("#play")
        await page.locator("dialog input[value=marimba]").check(force=True)
        await page.locator("dialog input[type=range]").fill(str(QUIETER))
        await page.keyboard.press("Escape")
        await _can_hear(page)

        await page.reload()
        await _is_deaf(page)
        await desk.presses("#sound-on")
        await _can_hear(page)
        await page.evaluate("sound.suspend()")  # as a system does that wants the speaker
        await _is_deaf(page)
        caller, order = await _an_order(desk, 0)
        await caller.calls(order)
        await desk.sees(".offer")
        await _is_deaf(page)  # above all while it rings
        assert await page.evaluate("heard") == []
        await desk.presses("#sound-on")
        await _can_hear(page)
        await _rings(page)
        assert MARIMBA_HERTZ in await page.evaluate("heard.map(Math.round)")
        assert await page.evaluate("Math.max(...loudness)") <= QUIETER
        await caller.gives_up(order)
        await _is_still(page)
        desk.check()


async def test_one_window_rings_all_show_it_and_whatever_ends_the_offer_ends_the_ring(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with a_counselor(browser, demo, pictures) as desk:
        first = desk.page
        await _listens(desk)
        await _is_deaf(first)
        second = await first.context.new_page()
        await second.goto(first.url)
        await second.locator("#sound-on").click()
        await _can_hear(second)
        caller, order = await _an_order(desk, 1)

        await caller.calls(order)
        for page in (first, second):
            await _calls_for_attention(page)
        await _rings(second)  # the older window, which cannot be heard, leaves it the bell
        assert await first.evaluate("heard") == []
        await desk.presses("#sound-on")
        await first.clock.run_for(QUIET_MILLISECONDS)
        assert await first.evaluate("heard") == []  # nor do two ring that can
        await caller.gives_up(order)
        for page in (first, second):
            await _is_still(page)

        await second.close()
        await first.evaluate(_GO_AWAY)
        await desk.world.passes(CODE_EVERY_SECONDS)  # nobody calls many times in a row
        await caller.calls(order)
        await _calls_for_attention(first)
        await _rings(first)  # and the bell is not lost with its window
        await _until(first, "notices.length > 0")
        assert await first.evaluate("notices") == ["来电"]
        await first.locator("#decline:not([aria-disabled])").click()
        await _is_still(first)

        await desk.world.passes(COOLDOWN_SECONDS)
        await desk.sees(".waiting.free")
        await caller.calls(order)
        await _rings(first)
        await desk.answers_and_accepts()
        await _is_still(first)
        await caller.world.handset(caller.number, "hangup")
        await desk.hands_in("响过三次")
        desk.check()
