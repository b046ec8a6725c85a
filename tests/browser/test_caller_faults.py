"""A caller when something is wrong, taken, closed or cut off; and where the token is."""

from datetime import datetime, time
from pathlib import Path

from playwright.async_api import Browser, Route, expect

from tests.browser.alone import (
    BOTH,
    CHINA,
    CODE_EVERY_SECONDS,
    SAYS,
    WIDTH,
    a_listener,
    until_open,
    verified,
)
from tests.browser.people import Language, a_caller
from tests.warmline.demo.running import DemoProcess


@BOTH
async def test_what_is_wrong_taken_or_closed_is_said_in_words(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says, place = SAYS[language], {"zh-CN": 3, "en": 0}[language]
    async with a_caller(
        browser, demo, pictures, place, language=language, width=WIDTH[language]
    ) as caller:
        page, world = caller.page, caller.world
        await until_open(world)
        await world.passes(CODE_EVERY_SECONDS)
        await caller.opens("/call")
        await page.fill("#number", caller.number.removeprefix("+86"))
        await caller.presses("#send-code")
        await caller.sees("#code")
        await page.fill("#code", "000000")
        await caller.is_told(says["wrong_code"])
        await caller.looks("code-wrong")
        await page.fill("#code", await world.next_code(caller.number))
        await caller.sees("#services")
        await caller.opens("/call/history")
        await caller.is_told(says["empty"])
        await caller.looks("history-empty")

        await caller.opens("/call/new/psych-listening")
        await caller.presses("#begin")
        await caller.looks("nothing-chosen")
        await expect(page.locator(".choices.wrong input").first).to_be_in_viewport()
        await page.locator("label.choice", has_text=a_listener(demo)).click()
        await page.fill("#voucher-code", "ABCD-EFGH-JKLM")
        await caller.presses("#begin")
        await caller.is_told(says["invalid"])
        await caller.looks("voucher-wrong")
        code = await world.voucher()
        await page.fill("#voucher-code", code)
        await caller.presses("#begin")
        await caller.is_at("ready")
        order = page.url
        await caller.opens("/call/new/psych-listening")
        await page.locator("label.choice", has_text=a_listener(demo)).click()
        await page.fill("#voucher-code", code)
        await caller.presses("#begin")
        await caller.is_told(says["in_use"])
        await caller.looks("voucher-in-use")

        opened = await until_open(world)
        night = datetime.combine(opened.astimezone(CHINA).date(), time(23), CHINA)
        await world.passes(int((night - opened).total_seconds()))
        await page.goto(order)
        await caller.is_told(says["closed"])
        await expect(page.locator("#call")).to_have_count(0)
        await caller.looks("closed")
        await caller.opens("/call")
        await caller.looks("home-closed")
        await world.passes(11 * 3_600 + 60)
        await page.goto(order)
        await caller.sees("#call")
        caller.complaints = [one for one in caller.complaints if "status of 4" not in one]
        caller.check()


@BOTH
async def test_a_lost_network_shows_and_an_answer_that_was_lost_is_no_second_order(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says = SAYS[language]
    async with verified(browser, demo, pictures, 4, language) as caller:
        page = caller.page
        await until_open(caller.world)
        await caller.opens("/call/new/psych-listening")
        await page.locator("label.choice", has_text=a_listener(demo)).click()
        if await page.locator("#voucher-code").count():  # none came back to this caller before
            await page.fill("#voucher-code", await caller.world.voucher())

        async def lose(route: Route) -> None:
            if route.request.method != "POST":
                await route.continue_()
                return
            await route.fetch()  # done, but nobody hears of it
            await route.abort()

        await page.route("**/v1/orders", lose)
        await caller.presses("#begin")
        await caller.is_told(says["away"])
        await caller.looks("away")
        await page.unroute("**/v1/orders")
        await caller.presses("#begin")
        await caller.is_at("ready")
        listed = await page.evaluate(
            "fetch('/v1/orders', {headers: {'Warmline-Cookie': 'device'}}).then((a) => a.json())"
        )
        states = [one["state"] for one in listed["items"] if one["program"] == "psych-listening"]
        assert states.count("open") == 1

        await page.context.set_offline(True)
        await caller.is_told(says["offline"])
        await caller.looks("offline")
        await page.context.set_offline(False)
        await expect(page.locator(".freshness")).to_have_count(0)
        await caller.presses("#cancel")
        await caller.presses("#cancel-yes")
        await caller.is_at("unused")


@BOTH
async def test_one_press_is_enough_while_the_service_has_its_hands_full(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    async with verified(browser, demo, pictures, 2, language) as caller:
        page = caller.page
        await caller.opens("/call/new/family-doctor")
        await caller.presses("#begin")
        await caller.is_at("ready")
        presses: list[str] = []

        async def twice_too_busy(route: Route) -> None:
            presses.append(route.request.headers["idempotency-key"])
            if len(presses) > 2:
                await route.continue_()
                return
            await route.fulfill(
                status=503,
                headers={"Retry-After": "1", "Content-Type": "application/problem+json"},
                body='{"code": "unavailable", "detail": "Calls under way come first."}',
            )

        await page.route("**/v1/orders/*/calls", twice_too_busy)
        await caller.presses("#call")
        await caller.is_at("ringing_them")
        assert len(presses) == 3
        assert len(set(presses)) == 1
        await caller.presses("#stop")
        await caller.is_at("ready")
        await caller.presses("#cancel")
        await caller.presses("#cancel-yes")
        await caller.is_at("unused")


@BOTH
async def test_the_token_is_where_no_script_can_read_it_and_is_gone_after_signing_out(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says = SAYS[language]
    async with verified(browser, demo, pictures, 1, language) as caller:
        page = caller.page
        seen = await page.evaluate(
            "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
        )
        assert "wd_" not in seen
        (cookie,) = await page.context.cookies()
        assert cookie["value"].startswith("wd_")
        assert cookie["httpOnly"]
        await page.evaluate("localStorage.clear()")
        await page.reload()
        await caller.sees("#services")
        await page.get_by_role("button", name=says["sign_out"]).click()
        await caller.sees("dialog[open]")
        await caller.looks("signing-out")
        await page.locator("dialog[open] .danger").click()
        await caller.is_told(says["verify"])
        assert await page.context.cookies() == []
        caller.check()
