"""A caller's own stories: an appointment, a claim to its end, a doctor, somebody who is taken."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from tests.browser.alone import (
    BOTH,
    CHINA,
    SAYS,
    UNDER_WAY,
    WRAP_UP_SECONDS,
    a_demo_of,
    a_listener,
    decides,
    talks,
    until_open,
    verified,
)
from tests.browser.people import Language
from tests.warmline.demo.running import DemoProcess
from warmline.programs import load_shipped

A_WHILE_SECONDS = 600


@pytest.fixture(scope="module")
def demo(chromium: str) -> Iterator[DemoProcess]:
    """A demo whose listening talk can be booked ahead."""
    body = load_shipped()["psych-listening"].body  # type: ignore[index]
    with a_demo_of({"booked": f"{body}\nappointments = true\n"}) as running:
        yield running


@BOTH
async def test_an_appointment_says_when_it_is_and_what_giving_it_up_costs_now(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says = SAYS[language]
    is_late = language == "zh-CN"
    async with verified(browser, demo, pictures, 1, language) as caller:
        page = caller.page
        now = await until_open(caller.world)
        at = datetime.combine(now.astimezone(CHINA).date() + timedelta(days=3), time(15), CHINA)
        await caller.opens("/call/new/psych-listening")
        await page.locator("label.choice", has_text=a_listener(demo)).click()
        await page.locator("label.choice").filter(has=page.locator("input[value=later]")).click()
        await page.fill("#starts-at", f"{at:%Y-%m-%dT%H:%M}")
        await page.fill("#voucher-code", await caller.world.voucher())
        await caller.looks("booking")
        await caller.presses("#begin")
        await caller.is_at("appointed")
        for told in (says["appointed"], "15:00", says["free"]):
            await caller.is_told(told)
        await expect(page.locator("#call")).to_have_count(0)
        await caller.looks("appointed")
        order = urlsplit(page.url).path
        await caller.opens("/call")
        await expect(page.locator("a.link.strong")).to_contain_text(says["appointed"])
        await expect(page.locator("a.voucher:not(.spent)")).to_have_attribute("href", order)
        await caller.looks("home-appointed")
        await page.locator("a.link.strong").click()

        if is_late:
            free = at - now - timedelta(days=1)
            await caller.world.passes(int(free.total_seconds()) + A_WHILE_SECONDS)
            await caller.is_told(says["late"])  # by the clock alone: nothing was loaded anew
            await caller.looks("appointed-late")
        await caller.presses("#cancel")
        await caller.sees("dialog[open]")
        await caller.looks("cancelling")
        await caller.presses("#cancel-yes")
        await caller.is_at("unused")
        await caller.is_told(says["counted" if is_late else "given_back"])
        await page.reload()
        await caller.is_told(says["counted" if is_late else "given_back"])
        await caller.looks("cancelled")
        caller.check()


@BOTH
async def test_a_claim_is_followed_to_its_end_and_a_reload_shows_the_same(
    demo: DemoProcess,
    browser: Browser,
    pictures: Path,
    office: dict[str, str],
    language: Language,
) -> None:
    says = SAYS[language]
    decision = "reject" if language == "zh-CN" else "reissue"
    async with verified(browser, demo, pictures, 2, language) as caller:
        page = caller.page
        order = await talks(caller)
        await caller.is_told(says["completed"])
        for stars in await page.locator(".stars").all():
            await stars.locator("label").nth(3).click()
        await caller.presses("#rate-send")
        await caller.sees("#rated")
        await caller.presses("#problem")
        await caller.presses("#send-claim")  # nothing chosen: told where it is
        await caller.sees(".choices .fault")
        await caller.looks("claim-nothing-chosen")
        await page.locator("label.choice").nth(1).click()
        await page.locator("textarea").fill("<i>嗡嗡声</i>")
        await caller.presses("#send-claim")
        await caller.is_told(says["filed"])

        await decides(caller.world, office, order, decision)
        await caller.is_told(says["rejected" if decision == "reject" else "reissued"])
        await caller.is_told("<b>线路记录</b>")  # what was written is never markup
        await caller.looks(f"claim-{decision}")
        if decision == "reject":
            await caller.presses("#appeal")
            await caller.is_told(says["appealed"])
            await caller.looks("claim-appealed")
        before = await page.locator("#main").inner_text()
        await page.reload()
        await expect(page.locator("#main")).to_have_text(before, use_inner_text=True)

        await caller.opens(f"/call/orders/{order}")
        await caller.is_told(says["rated"])
        await caller.sees("#see-claim")
        await expect(page.locator("#problem")).to_have_count(0)
        await caller.looks(f"order-{decision}")
        asked = set(caller.asked)
        caller.asked.clear()
        await page.reload()
        await caller.sees("#see-claim")
        assert not [one for one in caller.asked if "/claims" in one or "/counselors" in one]
        caller.asked |= asked
        await caller.opens("/call/history")
        await expect(page.locator("a.link").first).to_contain_text(says["stars"])
        await caller.looks(f"history-{decision}")
        caller.check()


@BOTH
async def test_a_doctor_is_found_first_and_then_the_callers_phone_rings(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says = SAYS[language]
    async with verified(browser, demo, pictures, 2, language) as caller:
        await caller.world.teach(caller.number, answers="by_hand")
        page = caller.page
        await caller.opens("/call/new/family-doctor")
        await caller.is_told(says["pool"])
        await caller.looks("doctor-prepare")
        await caller.presses("#begin")
        await caller.is_at("ready")
        await caller.is_told(says["doctor_first"])
        await caller.looks("doctor-ready")
        await caller.presses("#call")
        await caller.is_at("ringing_them")
        await caller.is_told(says["doctor_answers"])
        await caller.looks("doctor-ringing")
        await caller.world.passes(20)
        await caller.is_at("ringing_you")
        await caller.presses("#stop")
        await caller.is_at("ready")
        await caller.world.teach(caller.number, answers="busy")
        await caller.presses("#call")
        for _ in range(2):
            await caller.is_at("ringing_them")
            await caller.world.passes(20)
            await caller.is_at("waiting")
            await caller.looks("doctor-busy")
            await caller.presses("#call-now")
        await caller.is_at("ringing_them")
        await caller.world.passes(20)
        await caller.is_at("unused")
        await caller.is_told(says["no_contact"])
        await caller.looks("doctor-not-reached")
        await page.reload()
        await caller.is_told(says["no_contact"])
        caller.check()


@BOTH
async def test_who_calls_somebody_in_a_talk_is_told_so_and_keeps_the_order(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says = SAYS[language]
    async with (
        verified(browser, demo, pictures, 1, language) as first,
        verified(browser, demo, pictures, 0, language) as second,
    ):
        await until_open(first.world)
        await second.prepares_a_call(a_listener(demo))
        await first.world.teach(first.number, answers="yes")
        await first.prepares_a_call(a_listener(demo))
        await first.presses("#call")
        await first.sees(UNDER_WAY)
        await first.world.passes(30)
        await first.is_at("connected")
        await second.presses("#call")
        await second.is_told(says["busy_now"])
        await second.is_at("ready")
        await second.looks("counselor-busy")
        await second.presses("#cancel")
        await second.presses("#cancel-yes")
        await second.is_at("unused")
        await second.opens("/call/new/psych-listening")
        mine = second.page.locator("label.choice", has_text=a_listener(demo))
        await expect(mine).to_contain_text(says["busy"])
        await second.looks("choosing-busy")
        await first.presses("#hang-up")
        await first.is_at("over")
        await first.world.passes(WRAP_UP_SECONDS)
        await expect(mine).not_to_contain_text(says["busy"])
        second.complaints = [one for one in second.complaints if "status of 409" not in one]
        first.check()
        second.check()
