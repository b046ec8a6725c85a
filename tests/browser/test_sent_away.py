"""A counselor who declined too often is on a break, and every page of the desk says why."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.people import DESK_WIDTH, PHONE_WIDTH, Language, a_caller, a_counselor
from tests.warmline.demo.running import DemoProcess

LONGER_THAN_THE_PAUSE_SECONDS = 62
DECLINED: dict[Language, str] = {"zh-CN": "您选择了不接", "en": "declined"}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_break_for_declined_offers_tells_which_until_the_counselor_is_back(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    width, number = (DESK_WIDTH, 1) if language == "zh-CN" else (PHONE_WIDTH, 2)
    async with (
        a_counselor(browser, demo, pictures, language=language, width=width) as desk,
        a_caller(browser, demo, pictures, number, language=language) as caller,
    ):
        await caller.world.passes(LONGER_THAN_THE_PAUSE_SECONDS)
        await caller.opens("/call")
        await caller.verifies()
        await caller.prepares_a_call(desk.name)
        await caller.world.teach(caller.number, answers="yes", after_seconds=0)
        for _ in range(3):
            await caller.presses("#call")
            await desk.sees("#decline:not([aria-disabled])")
            await desk.page.keyboard.press("Alt+Backspace")
            await expect(desk.page.locator(".offer")).to_have_count(0)
            await caller.is_at("ready")
            await caller.world.passes(LONGER_THAN_THE_PAUSE_SECONDS)

        told = desk.page.locator(".sent-away li")
        await expect(told).to_have_count(3)
        await expect(told.last).to_contain_text(DECLINED[language])
        await desk.sees(".waiting.break")
        await desk.looks("sent-away")
        await desk.page.locator(".desk-tabs a[href='/desk/day']").press("Enter")
        await expect(told).to_have_count(3)
        await desk.page.locator(".desk-tabs a[href='/desk']").press("Enter")
        await desk.page.locator("#go-available").press("Enter")
        await desk.sees(".waiting.free")
        await expect(told).to_have_count(0)
        desk.check()
        caller.check()
