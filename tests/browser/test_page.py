"""A newcomer's call in a real browser: pressed, rung, cut off, joined again, hung up, judged."""

from pathlib import Path

from playwright.async_api import Browser, expect

from tests.browser.newcomer import Newcomer, a_newcomer
from tests.warmline.demo.running import DemoProcess


async def test_a_newcomer_lives_through_a_whole_call(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with a_newcomer(browser, demo.url, width=1280) as newcomer:
        await expect(newcomer.page.locator(".badge")).to_contain_text("模拟电话")
        await newcomer.verifies_the_phone()
        await newcomer.press("open-order")
        await _both_ring(newcomer, pictures)
        await _talk_and_lose_the_line(newcomer, pictures)
        await _join_again_and_hang_up(newcomer, pictures)

        assert newcomer.complaints == []
        assert await newcomer.strangers_asked() == []
        assert any(address.startswith("ws://") for address in newcomer.asked)


async def _both_ring(newcomer: Newcomer, pictures: Path) -> None:
    await newcomer.press("call")
    await newcomer.sees("#caller-handset.ringing")
    await newcomer.keeps(pictures / "ringing-1280.png")
    await newcomer.press("caller-answer")
    await newcomer.sees("#counselor-handset.ringing")


async def _talk_and_lose_the_line(newcomer: Newcomer, pictures: Path) -> None:
    await newcomer.reads("connected")
    await newcomer.sees("#counselor-handset.in_call")
    await expect(newcomer.page.locator("#left")).to_contain_text("24:")
    await newcomer.keeps(pictures / "talking-1280.png")
    await newcomer.press("caller-plug_out")
    await newcomer.sees("#caller-handset.off")
    await newcomer.lets_pass(20)
    await newcomer.reads("parted")
    await newcomer.keeps(pictures / "parted-1280.png")


async def _join_again_and_hang_up(newcomer: Newcomer, pictures: Path) -> None:
    await newcomer.press("caller-plug_in")
    await newcomer.press("caller-answer")
    await newcomer.reads("rejoined")
    await newcomer.press("caller-hang_up")
    await newcomer.sees("#verdict [data-kind=party_ended]")
    await expect(newcomer.page.locator("#verdict")).to_contain_text("来电人")
    await newcomer.sees("#start-over")
    await newcomer.keeps(pictures / "judged-1280.png")


async def test_the_page_fits_a_phone_in_the_dark_and_speaks_english(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with a_newcomer(browser, demo.url, width=390, scheme="dark") as newcomer:
        await newcomer.sees("#send-code")
        await newcomer.lets_pass(120)  # a code a minute
        await newcomer.keeps(pictures / "first-390.png")
        await newcomer.press("language")
        await expect(newcomer.page.locator("h1")).to_contain_text("two phones")
        assert await newcomer.page.locator("html").get_attribute("lang") == "en"
        await newcomer.verifies_the_phone()
        await newcomer.sees("#open-order")
        await newcomer.page.locator("label[for], .choice").first.wait_for()
        await newcomer.keeps(pictures / "choosing-390.png")

        assert newcomer.complaints == []
        assert await newcomer.strangers_asked() == []


async def test_every_control_has_a_name_and_can_be_reached_by_keyboard(
    demo: DemoProcess, browser: Browser
) -> None:
    async with a_newcomer(browser, demo.url, width=1280) as newcomer:
        await newcomer.sees("#send-code")
        nameless = await newcomer.page.locator(
            "button:not(:has-text('')), input:not([aria-label])"
        ).evaluate_all(
            """found => found.filter((one) => !(one.textContent.trim() || one.labels?.length))
                .map((one) => one.outerHTML)"""
        )
        assert nameless == []
        await newcomer.page.keyboard.press("Tab")
        reached = []
        for _ in range(12):
            reached.append(await newcomer.page.evaluate("document.activeElement.id"))
            await newcomer.page.keyboard.press("Tab")
        assert {"language", "send-code", "caller-auto"} <= set(reached)
        assert await newcomer.page.locator("[role=status][aria-live=polite]").count() == 1
