"""The desk when things go wrong: danger, reloads, two windows, a lost network, hostile text."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.people import (
    DESK_WIDTH,
    PHONE_WIDTH,
    CallerWithPhone,
    CounselorAtDesk,
    Language,
    a_caller,
    a_counselor,
)
from tests.warmline.demo.running import DemoProcess

CODE_EVERY_SECONDS = 61
OVER: dict[Language, str] = {"zh-CN": "通话已完成", "en": "Your talk is complete"}
CRISIS_ON: dict[Language, str] = {"zh-CN": "已标记危机", "en": "Marked as a crisis"}
_WRITE_MARKUP = """() => {
    try { document.body.innerHTML = '<i>x</i>'; return false } catch { return true }
}"""
MARKUP = "<img src=x onerror=alert(1)><b>不是粗体</b>"


async def _calls(caller: CallerWithPhone, desk: CounselorAtDesk) -> None:
    """The caller's phone answers by itself; the counselor's rings."""
    await caller.world.passes(CODE_EVERY_SECONDS)
    await caller.opens("/call")
    await caller.verifies()
    await caller.prepares_a_call(desk.name)
    await caller.world.teach(caller.number, answers="yes", after_seconds=0)
    await caller.presses("#call")
    await desk.sees(".offer")


BOTH_WAYS: tuple[tuple[Language, Language], ...] = (("zh-CN", "en"), ("en", "zh-CN"))
"""The caller's language and the other side's: neither depends on the other."""


@pytest.mark.parametrize(("callers", "counselors"), BOTH_WAYS)
async def test_a_person_in_danger_is_handed_over_by_keyboard_alone(
    demo: DemoProcess, browser: Browser, pictures: Path, callers: Language, counselors: Language
) -> None:
    async with (
        a_counselor(browser, demo, pictures, language=counselors) as desk,
        a_caller(browser, demo, pictures, 1, language=callers) as caller,
    ):
        await _calls(caller, desk)
        keyboard = desk.page.keyboard
        await desk.world.picks_up(desk.number)
        await desk.sees("#accept:not([aria-disabled])")
        await keyboard.press("Alt+Enter")
        await desk.sees(".on-call[data-state=bridged]")

        await desk.page.locator(".risk summary").focus()
        await keyboard.press("Enter")
        await desk.page.locator(".risk input[value=yes]").nth(1).focus()
        await keyboard.press("Space")
        await desk.sees(".risk .note.bad")
        await desk.looks("risk")

        await desk.page.locator(".targets button").first.focus()
        await keyboard.press("Enter")  # never at once: asked first
        await desk.sees("dialog[open]")
        await desk.looks("crisis-asked")
        await desk.page.locator("#ring-agency").focus()
        await keyboard.press("Enter")
        await desk.sees("#hand-over:not([aria-disabled])")
        assert await desk.page.locator("#hang-up").get_attribute("aria-disabled") == "true"
        await desk.is_told(CRISIS_ON[counselors])
        await desk.looks("handing-over")
        await desk.page.locator("#hand-over").focus()
        await keyboard.press("Enter")

        await desk.sees("#hand-in")
        await desk.page.locator("#summary").focus()
        await keyboard.type("已转交 110")
        await desk.page.locator(".notes .choices").nth(1).locator("input").first.focus()
        await keyboard.press("Space")
        await desk.page.locator("#hand-in").focus()
        await keyboard.press("Enter")
        await expect(desk.page.locator("#hand-in")).to_have_count(0)
        await caller.world.handset(caller.number, "hangup")
        await caller.is_at("over")
        await caller.is_told(OVER[callers])
        desk.check()
        caller.check()


async def test_a_reload_a_second_window_and_a_lost_network_lose_nothing_and_double_nothing(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with (
        a_counselor(browser, demo, pictures) as desk,
        a_caller(browser, demo, pictures, 2) as caller,
    ):
        await _calls(caller, desk)
        second = await desk.page.context.new_page()
        await second.goto(desk.page.url)
        await expect(second.locator(".offer")).to_be_visible()
        await desk.answers_and_accepts()
        await expect(second.locator(".on-call")).to_be_visible()

        await desk.page.fill("#summary", "第一个窗口写的")
        await _is_saved(desk.page)
        await desk.page.reload()
        await expect(desk.page.locator("#summary")).to_have_value("第一个窗口写的")
        await second.reload()
        await expect(second.locator("#summary")).to_have_value("第一个窗口写的")
        await second.fill("#summary", "第二个窗口写的")
        await _is_saved(second)
        await desk.page.fill("#summary", "第一个窗口又写")  # from an older copy: asked, not lost
        await desk.sees(".notes .note.warm")
        await desk.looks("two-windows")
        await desk.page.locator(".notes .note button").nth(1).click()
        await _is_saved(desk.page)

        await desk.page.context.set_offline(True)
        await desk.page.fill("#summary", "断网时写的")
        await expect(desk.page.locator("#save-mark")).to_have_attribute("data-state", "kept_here")
        await desk.sees(".freshness")
        await desk.looks("desk-offline")
        await caller.presses("#hang-up")
        await caller.is_at("over")
        await desk.page.context.set_offline(False)
        await desk.sees("#hand-in")  # what happened meanwhile is there
        await expect(desk.page.locator("#summary")).to_have_value("断网时写的")
        await _is_saved(desk.page)
        await desk.hands_in("断网时写的")
        await expect(second.locator("#hand-in")).to_have_count(0)
        caller.check()


async def test_text_that_looks_like_markup_stays_text(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with (
        a_counselor(browser, demo, pictures, width=390) as desk,
        a_caller(browser, demo, pictures, 3, width=1280) as caller,
    ):
        await _calls(caller, desk)
        await desk.looks("offer-to-markup")
        await desk.answers_and_accepts()
        await caller.is_at("connected")
        await caller.looks("connected-to-markup")
        await desk.page.fill("#summary", MARKUP)
        await _is_saved(desk.page)
        await desk.looks("markup")
        await desk.page.reload()
        await expect(desk.page.locator("#summary")).to_have_value(MARKUP)
        assert await desk.page.locator("main img, main b:text('不是粗体')").count() == 0
        stopped = await desk.page.evaluate(_WRITE_MARKUP)
        assert stopped  # Trusted Types: the browser itself refuses
        await desk.presses("#hang-up")
        await desk.presses("#hang-up-yes")
        await desk.hands_in(MARKUP)
        await desk.looks("waiting-after-markup")
        caller.check()


async def _is_saved(page: Page) -> None:
    await expect(page.locator("#save-mark")).to_have_attribute("data-state", "saved")


async def test_who_declines_is_told_what_follows_and_who_signs_out_is_offline(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with (
        a_counselor(browser, demo, pictures, language="en") as desk,
        a_caller(browser, demo, pictures, 4, language="en") as caller,
    ):
        await _calls(caller, desk)
        await desk.sees("#decline:not([aria-disabled])")  # a key that was meant for something else
        await desk.page.keyboard.press("Alt+Backspace")
        await expect(desk.page.locator(".offer")).to_have_count(0)
        await desk.is_told("You declined")
        await desk.sees(".waiting.cooldown")
        await caller.is_at("ready")
        await desk.page.keyboard.press("?")
        await desk.sees("dialog[open] kbd")
        await desk.looks("shortcuts")
        await desk.page.keyboard.press("Escape")

        await desk.presses("#sign-out")
        await desk.presses("#sign-out-yes")
        await desk.sees("#email")
        await desk.looks("sign-in")
        await caller.opens("/call/new/psych-listening")
        mine = caller.page.locator("label.choice", has_text=desk.name)
        await expect(mine).to_contain_text("Off duty")
        desk.check()
        caller.check()


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_before_taking_calls_the_phone_is_rung_and_found_at_hand(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    width = DESK_WIDTH if language == "zh-CN" else PHONE_WIDTH
    async with a_counselor(browser, demo, pictures, language=language, width=width) as desk:
        await desk.presses("#status")
        await desk.presses("#want-offline")
        await desk.page.reload()  # what a window has checked, the next one checks again
        await desk.presses("#go-available")
        await desk.presses("#play")
        await desk.presses("#heard")
        await desk.world.teach(desk.number, answers="yes", after_seconds=2, presses="1")
        await desk.presses("#ring-me")
        await expect(desk.page.locator("#ring-me")).to_have_count(0)
        await desk.looks("readiness-ringing")
        await desk.sees("#ready:not([aria-disabled])")
        await desk.world.teach(desk.number, answers="by_hand")
        await desk.looks("readiness-reached")
        await desk.presses("#ready")
        await desk.sees(".waiting.free")
        desk.check()
