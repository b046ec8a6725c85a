"""The counselor's status and notes: the service's word on every page, and no text lost."""

import asyncio
import re
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Route, expect

from tests.browser.people import CounselorAtDesk, a_counselor
from tests.browser.staff import StaffMember, a_member
from tests.browser.unseen import CODE_EVERY_SECONDS, UnseenCaller, an_unseen_caller
from tests.warmline.demo.running import DemoProcess
from warmline.clock import machine_now
from warmline.people.totp import code_now

FIRST_VIEW_BYTES = 60_000
WRAP_UP_SECONDS = 61
AT_ONCE = 3_000
ROLES = ("counselor", "support", "supervisor", "operator")
PAGES = (
    ("/support/search", "#search-text"),
    ("/supervisor", ".tiles"),
    ("/operator/people", "tbody tr"),
    ("/desk/day", ".figures"),
)
_ASSET_BYTES = """performance.getEntriesByType("resource")
    .filter((one) => one.name.includes("/assets/"))
    .reduce((sum, one) => sum + one.encodedBodySize, 0)"""
_TRUTH = """fetch("/v1/me", { headers: { "Warmline-Cookie": "staff" } }).then((a) => a.json())"""
WORDS = {"free": "可接听", "break": "休息中", "offline": "未上线"}


async def _has_the_services_word(page: Page, activity: str) -> None:
    await expect(page.locator("#status")).to_contain_text(WORDS[activity])
    assert (await page.evaluate(_TRUTH))["activity"] == activity


async def _wants(page: Page, presence: str) -> None:
    await page.locator("#status").click()
    await page.locator(f"#want-{presence}").click()


def _a_listener(demo: DemoProcess) -> dict[str, str]:
    """Somebody without an account."""
    found: dict[str, str] = next(
        one for one in demo.playbill["counselors"] if one["program"] == "psych-listening"
    )
    return found


async def _signs_in(person: StaffMember, path: str, login: dict[str, Any]) -> None:
    page = person.page
    await person.opens(path)
    await page.fill("#email", login["email"])
    await page.fill("#password", login["password"])
    await person.presses("#enter")
    await person.sees("[data-secret]")
    await expect(page.locator("#status")).to_have_count(0)  # nothing is theirs before it
    secret = await page.locator("[data-secret]").get_attribute("data-secret")
    await page.fill("#totp", code_now(str(secret), machine_now()))
    await person.presses("#confirm-factor")


async def test_a_counselor_with_other_roles_sees_and_changes_one_status_on_every_page(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    listener = _a_listener(demo)
    async with (
        a_member(browser, demo, pictures, None) as operator,
        a_member(browser, demo, pictures, None) as person,
    ):
        await operator.signs_in()
        await expect(operator.page.locator("#status")).to_have_count(0)  # no counselor: no status
        assert not any("everywhere" in address for address in operator.asked)
        login = await operator.opens_account(*ROLES, counselor=listener["id"])
        page, world = person.page, person.world
        await world.teach(listener["number"], answers="by_hand")
        await _signs_in(person, "/support", login)
        await person.sees("#status")
        assert 10_000 < await page.evaluate(_ASSET_BYTES) < FIRST_VIEW_BYTES
        await _wants(page, "offline")
        await _has_the_services_word(page, "offline")

        await _wants(page, "available")
        await person.presses("#play")
        await person.presses("#heard")
        await page.check("#at-hand")
        await person.presses("#ready")
        await _has_the_services_word(page, "free")
        desk = await page.context.new_page()
        await desk.goto(f"{demo.url}/desk")
        for path, there in PAGES:
            await person.goes_to(path, there)
            await _has_the_services_word(page, "free")
        await person.looks("status-elsewhere")
        await _wants(page, "break")
        for window in (page, desk):
            await _has_the_services_word(window, "break")
        await _wants(page, "available")
        await page.locator("#play").click()
        await page.locator("#heard").click()
        await page.check("#at-hand")
        await person.presses("#ready")
        await _has_the_services_word(desk, "free")

        await person.goes_to("/support", "#queue")
        caller = await an_unseen_caller(world, 0)
        await caller.calls(await caller.orders(listener["id"]))
        await person.sees(".offer")  # and they are called wherever they are
        await person.looks("offer-elsewhere")
        await world.picks_up(listener["number"])
        await person.presses("#accept")
        await person.page.locator("a[href='/desk']", has_text="回到这通电话").click()
        await person.sees(".on-call[data-state=bridged]")
        await world.handset(caller.number, "hangup")
        await person.sees("#hand-in")

        await person.presses("#sign-out")
        await person.presses("#sign-out-yes")
        await expect(desk.locator("#email")).to_be_visible()  # in every window, and at once
        await expect(desk.locator("#status")).to_have_count(0)
        person.check()


async def test_a_status_is_shown_once_the_service_has_said_so_and_never_before(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with a_counselor(browser, demo, pictures) as desk:
        page, answers = desk.page, asyncio.Event()

        async def hold_back(route: Route) -> None:
            if route.request.method == "PUT":
                await answers.wait()
            await route.continue_()

        await page.route("**/v1/me/presence", hold_back)
        await _wants(page, "break")
        asked = re.compile("可接听.*正在改为：休息一下")
        await expect(page.locator("#status[aria-busy]")).to_have_text(asked, timeout=AT_ONCE)
        await _has_the_services_word(page, "free")
        answers.set()
        await _has_the_services_word(page, "break")
        await expect(page.locator("#status")).not_to_contain_text("正在改为")

        await page.unroute("**/v1/me/presence")
        await page.route("**/v1/me/presence", lambda route: route.abort())
        await _wants(page, "available")
        await expect(page.locator("#status-menu [role=alert]")).to_be_visible()
        await _has_the_services_word(page, "break")
        await page.unroute("**/v1/me/presence")

        await page.keyboard.press("Escape")
        await _wants(page, "available")
        await _has_the_services_word(page, "free")
        second = await page.context.new_page()
        await second.goto(page.url)
        await _wants(second, "offline")
        await _has_the_services_word(page, "offline")  # by their own choice, in another window
        await expect(page.locator("#main")).not_to_contain_text("您已被下线")


async def _talks(desk: CounselorAtDesk, place: int) -> UnseenCaller:
    login = next(one for one in desk.world.demo.playbill["staff"] if one["roles"] == ["counselor"])
    await desk.world.passes(CODE_EVERY_SECONDS)
    caller = await an_unseen_caller(desk.world, place)
    await caller.calls(await caller.orders(login["counselor"]))
    await desk.answers_and_accepts()
    await desk.sees(".on-call[data-state=bridged]")
    return caller


async def test_notes_outlive_a_reload_the_wrap_up_and_a_change_of_status_and_the_next_call_has_none(
    demo: DemoProcess, browser: Browser, pictures: Path
) -> None:
    async with a_counselor(browser, demo, pictures) as desk:
        page, summary = desk.page, desk.page.locator("#summary")
        await _talks(desk, 1)
        await summary.fill("第一通的记录")
        await expect(page.locator("#save-mark")).to_have_text(re.compile(r"已保存 \d\d:\d\d:\d\d"))
        await page.reload()
        await expect(page.locator("#status")).to_contain_text("通话中")
        await desk.sees(".on-call[data-state=bridged] .countdown")
        await expect(page.locator(".legs li")).to_have_count(2)
        await expect(summary).to_have_value("第一通的记录")
        await desk.presses("#hang-up")
        await desk.presses("#hang-up-yes")
        await desk.sees("#hand-in")

        saves = asyncio.Event()

        async def hold_back(route: Route) -> None:
            await saves.wait()
            await route.continue_()

        await page.route("**/notes", hold_back)
        await summary.fill("第一通的记录，还没写完")
        await _wants(page, "break")
        await expect(page.locator("#status")).to_contain_text("写记录 · 之后：休息一下")
        await desk.world.passes(WRAP_UP_SECONDS)
        await _has_the_services_word(page, "break")
        await expect(summary).to_have_value("第一通的记录，还没写完")
        await expect(page.locator("#save-mark")).not_to_have_attribute("data-state", "saved")
        saves.set()
        await expect(page.locator("#save-mark")).to_have_attribute("data-state", "saved")
        await page.unroute("**/notes")

        await desk.goes_available()
        second = await _talks(desk, 2)
        await expect(summary).to_have_value("")
        await expect(page.locator(".notes input:checked")).to_have_count(0)
        await summary.fill("第二通的记录")
        await desk.world.handset(second.number, "hangup")
        await desk.sees("#owed")  # both are
        await expect(summary).to_have_value("第二通的记录")
        await page.locator(".notes .choices").nth(1).locator("label").first.click()
        await desk.presses("#hand-in")
        await expect(summary).to_have_value("第一通的记录，还没写完")
        await desk.hands_in("第一通的记录，写完了")
        desk.check()
