"""An offer until the talk: by keyboard, honest while it waits, and proof against a slip."""

import asyncio
import re
from pathlib import Path

from playwright.async_api import Browser, FloatRect, Page, Route, expect

from tests.browser.people import DESK_WIDTH, PHONE_WIDTH, a_counselor
from tests.browser.staff import a_member
from tests.browser.unseen import an_unseen_caller
from tests.warmline.demo.running import DemoProcess

DOCTOR = "family-doctor"
SLOW_MILLISECONDS = 4_000
LONG_MILLISECONDS = 8_000
HEIGHT = 844
_SOON_MILLISECONDS = 20


async def _boxes(page: Page, what: str) -> list[FloatRect]:
    """Where it is, on a phone and on a desk."""
    found = []
    for width in (PHONE_WIDTH, DESK_WIDTH):
        await page.set_viewport_size({"width": width, "height": HEIGHT})
        box = await page.locator(what).bounding_box()
        assert box is not None
        found.append(box)
    return found


def _meet(one: FloatRect, other: FloatRect) -> bool:
    across = one["x"] < other["x"] + other["width"] and other["x"] < one["x"] + one["width"]
    down = one["y"] < other["y"] + other["height"] and other["y"] < one["y"] + one["height"]
    return across and down


async def test_an_offer_is_taken_by_keyboard_and_counts_once_the_service_says_so(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with a_counselor(browser, demo, pictures) as desk:
        page, keyboard = desk.page, desk.page.keyboard
        login = next(one for one in demo.playbill["staff"] if one["roles"] == ["counselor"])
        caller = await an_unseen_caller(desk.world, 0)
        order = await caller.orders(login["counselor"])
        answer_may_come = asyncio.Event()

        async def hold_back(route: Route) -> None:
            await answer_may_come.wait()
            await route.continue_()

        await page.route("**/accept", hold_back)
        await caller.calls(order)
        await desk.sees(".offer[role=alertdialog]")
        await desk.is_told("您的手机正在响")
        await expect(page.locator("#accept")).to_be_focused()
        await keyboard.press("Escape")
        await expect(page.locator("#decline")).to_be_focused()
        await desk.world.picks_up(desk.number)
        await desk.sees("#accept:not([aria-disabled])")
        before = await _boxes(page, "#accept")

        await page.clock.install()
        await page.locator("#accept").focus()
        await keyboard.press("Enter")
        await desk.sees("#accept[aria-busy]")
        await page.clock.fast_forward(SLOW_MILLISECONDS)
        await expect(page.locator("#accept .slow")).to_have_text("比平时慢，正在等待服务确认……")
        await expect(page.locator(".offer.accepted")).to_have_count(0)
        await expect(page.locator("#status")).to_contain_text("有来电")

        now = await page.evaluate("Date.now()")
        await page.clock.pause_at((now + 1_000) / 1_000)
        answer_may_come.set()
        while not await page.locator("#hang-up").count():
            await page.clock.run_for(_SOON_MILLISECONDS)
        await expect(page.locator("#status")).to_contain_text("通话中")
        after = await _boxes(page, "#hang-up")
        assert not any(_meet(*pair) for pair in zip(before, after, strict=True))
        await page.clock.run_for(500)
        await expect(page.locator("#hang-up")).to_have_attribute("aria-disabled", "true")
        await page.locator("#hang-up").click(force=True)  # an impatient second click
        await expect(page.locator("dialog[open]")).to_have_count(0)
        await page.clock.run_for(600)
        await expect(page.locator("#hang-up")).not_to_have_attribute("aria-disabled", "true")
        await page.clock.resume()
        await desk.presses("#hang-up")
        await desk.presses("#hang-up-yes")
        await desk.hands_in("用键盘接的")
        desk.check()


async def test_who_is_writing_neither_takes_nor_declines_a_call_by_what_they_type(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with a_counselor(browser, demo, pictures, language="en") as desk:
        page, keyboard = desk.page, desk.page.keyboard
        login = next(one for one in demo.playbill["staff"] if one["roles"] == ["counselor"])
        caller = await an_unseen_caller(desk.world, 1)
        order = await caller.orders(login["counselor"])
        await caller.calls(order)
        await desk.answers_and_accepts()
        await desk.world.handset(caller.number, "hangup")
        await desk.sees("#hand-in")
        await desk.world.passes(61)  # the wrap-up is over, its notes are not
        await desk.page.locator("#summary").focus()
        second = await an_unseen_caller(desk.world, 2)
        await second.calls(await second.orders(login["counselor"]))
        await desk.sees("#decline:not([aria-disabled])")
        await keyboard.type("go on ")
        await keyboard.press("Alt+Backspace")
        await keyboard.press("Enter")
        await expect(page.locator("#summary")).to_be_focused()
        await expect(page.locator("#summary")).to_have_value(re.compile("^go "))
        await desk.sees("#decline:not([aria-disabled])")
        await page.locator("#decline").focus()
        await keyboard.press("Alt+Backspace")
        await expect(page.locator(".offer")).to_have_count(0)
        await desk.is_told("You declined")
        await desk.hands_in("declined on purpose")
        desk.check()


async def test_who_accepted_and_waits_for_the_caller_is_told_when_it_takes_long(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    doctors = [one for one in demo.playbill["counselors"] if one["program"] == DOCTOR]
    async with (
        a_member(browser, demo, pictures, None) as operator,
        a_member(browser, demo, pictures, None) as doctor,
    ):
        await operator.signs_in()
        logins = {
            one["number"]: await operator.opens_account("counselor", counselor=one["id"])
            for one in doctors
        }
        world, page = doctor.world, doctor.page
        for number in logins:
            await world.teach(number, answers="by_hand")
        caller = await an_unseen_caller(world, 3)
        await world.teach(caller.number, answers="by_hand")
        order = (await caller.asks("POST", "/v1/orders", {"program": DOCTOR}))["id"]
        await caller.calls(order)
        rung = await world.ringing_of(logins)

        await page.clock.install()
        await doctor.opens("/desk")
        await page.fill("#email", logins[rung]["email"])
        await page.fill("#password", logins[rung]["password"])
        await doctor.presses("#enter")
        await doctor.sees(".offer")  # it rang before they were there
        await world.picks_up(rung)
        await doctor.presses("#accept")
        await doctor.sees(".offer.accepted")
        await doctor.is_told("正在接通来电者")
        await expect(page.locator("#main")).not_to_contain_text("比平时久")
        await page.clock.fast_forward(LONG_MILLISECONDS)
        await doctor.is_told("比平时久。请别挂断手机；接不通会在这里告诉您。")
        await doctor.looks("accepted-and-waiting")
        await world.picks_up(caller.number)
        await doctor.sees(".on-call[data-state=bridged]")
        await expect(page.locator(".offer")).to_have_count(0)
        await world.handset(caller.number, "hangup")
        doctor.check()
