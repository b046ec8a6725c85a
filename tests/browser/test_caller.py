"""A caller alone with the page: appointments, claims, what is closed, taken, wrong or cut off."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Route, expect

from tests.browser.people import (
    DESK_WIDTH,
    PHONE_WIDTH,
    CallerWithPhone,
    Language,
    World,
    a_caller,
)
from tests.browser.staff import overseer
from tests.warmline.demo.running import DemoProcess, a_folder, free_port
from warmline.clock import machine_now
from warmline.people.totp import code_now
from warmline.programs import load_shipped

CHINA = ZoneInfo("Asia/Shanghai")
A_DAY_SECONDS = 86_400
CODE_EVERY_SECONDS = 61
WIDTH: dict[Language, int] = {"zh-CN": PHONE_WIDTH, "en": DESK_WIDTH}
BOTH = pytest.mark.parametrize("language", ["zh-CN", "en"])
SAYS: dict[Language, dict[str, str]] = {
    "zh-CN": {
        "appointed": "已经约好",
        "free": "以前取消不算使用",
        "late": "现在取消，算用掉一次",
        "counted": "取消得太晚，算用掉一次",
        "given_back": "这次通话没有进行",
        "completed": "通话已完成",
        "filed": "已收到您的反馈",
        "rejected": "核实后没有补偿",
        "appealed": "保险公司正在复核",
        "reissued": "已为您补发一张新券",
        "rated": "您的评价",
        "stars": "4、4、4 星",
        "pool": "由等候最久的合格医生接听",
        "doctor_first": "医生先接起，再响您的手机",
        "doctor_answers": "医生接起后，您的手机就会响",
        "no_contact": "几次都没能接通",
        "closed": "现在不在服务时间",
        "busy": "正在通话",
        "invalid": "这张券不能用",
        "in_use": "正用于另一次通话",
        "wrong_code": "验证码不对",
        "empty": "还没有通话",
        "offline": "画面停在",
        "away": "连不上服务",
        "verify": "先验证您的手机号",
        "sign_out": "在这部手机上退出",
    },
    "en": {
        "appointed": "Booked",
        "free": "Cancelling is free until",
        "late": "cancelling now counts as used",
        "counted": "cancelled too late to be free",
        "given_back": "This call did not take place",
        "completed": "Your talk is complete",
        "filed": "We have your report",
        "rejected": "no compensation",
        "appealed": "the insurer is looking at it",
        "reissued": "You have been given a new voucher",
        "rated": "Your rating",
        "stars": "You rated it 4, 4, 4",
        "pool": "the qualified doctor who has waited longest answers",
        "doctor_first": "a doctor answers first, and then your phone",
        "doctor_answers": "Your phone rings as soon as a doctor has answered",
        "no_contact": "could not be connected after several tries",
        "closed": "The service is closed now",
        "busy": "On a call",
        "invalid": "This voucher cannot be used",
        "in_use": "in use for another call",
        "wrong_code": "The code is wrong",
        "empty": "No calls yet",
        "offline": "Shown as of",
        "away": "cannot be reached",
        "verify": "First, your phone number",
        "sign_out": "Sign out on this phone",
    },
}


@pytest.fixture(scope="module")
def demo(chromium: str) -> Iterator[DemoProcess]:
    """A demo whose listening talk can be booked ahead."""
    with a_folder() as folder:
        programs = folder / "programs"
        programs.mkdir()
        body = load_shipped()["psych-listening"].body  # type: ignore[index]
        (programs / "booked.toml").write_text(f"{body}\nappointments = true\n", encoding="utf-8")
        folder.chmod(0o755)
        with DemoProcess(folder / "data", free_port(), programs=str(programs)) as running:
            running.ready()
            yield running
            running.interrupt()


@pytest.fixture(scope="module")
def office() -> dict[str, str]:
    """The sign-in of those who decide: a code counts for one of them alone."""
    return {}


@asynccontextmanager
async def verified(
    browser: Browser, demo: DemoProcess, pictures: Path, place: int, language: Language
) -> AsyncIterator[CallerWithPhone]:
    """Somebody whose phone is verified, at the beginning of the pages."""
    async with a_caller(
        browser, demo, pictures, place, language=language, width=WIDTH[language]
    ) as caller:
        await caller.world.passes(CODE_EVERY_SECONDS)
        await caller.opens("/call")
        await caller.verifies()
        yield caller


def _listener(demo: DemoProcess) -> str:
    """A counselor whose phone answers by itself."""
    people = demo.playbill["counselors"]
    by_hand = next(
        one["counselor"] for one in demo.playbill["staff"] if one["roles"] == ["counselor"]
    )
    return next(
        str(one["name"])
        for one in people
        if one["program"] == "psych-listening" and one["id"] != by_hand
    )


async def _until_open(world: World) -> datetime:
    """The service's time; moved into its hours first, where it is closed."""
    found = await world.context.request.get(f"{world.demo.url}/v1/programs")
    now = datetime.fromisoformat(found.headers["warmline-now"])
    local = now.astimezone(CHINA)
    if time(10) <= local.time() < time(21):
        return now
    day = local.date() + timedelta(days=local.time() >= time(21))
    opens = datetime.combine(day, time(12), CHINA)
    await world.passes(int((opens - now).total_seconds()))
    return opens.astimezone(UTC)


async def _decides(world: World, office: dict[str, str], order: str, decision: str) -> None:
    """Support decides the order's claim, as its page would."""
    url, request = world.demo.url, world.context.request
    if "token" not in office:
        login = overseer(world.demo)
        body = {
            "email": login["email"],
            "password": login["password"],
            "totp": code_now(login["totp_secret"], machine_now()),
        }
        answer = await request.post(f"{url}/v1/sessions", data=body)
        assert answer.ok, await answer.text()
        office["token"] = (await answer.json())["token"]
    staff = {"Authorization": f"Bearer {office['token']}"}
    case: Any = await (await request.get(f"{url}/v1/staff/orders/{order}", headers=staff)).json()
    claim = case["claims"][0]["id"]
    decided = await request.post(
        f"{url}/v1/claims/{claim}/decision",
        data={"decision": decision, "reason": "<b>线路记录</b>"},
        headers=staff,
    )
    assert decided.ok, await decided.text()


async def _talks(caller: CallerWithPhone) -> str:
    """A talk from the button to its end; the order's id."""
    await _until_open(caller.world)
    await caller.world.teach(caller.number, answers="yes", talks_for_seconds=70, ends_by="hangup")
    await caller.prepares_a_call(_listener(caller.world.demo))
    await caller.presses("#call")
    await caller.is_at("ringing_you")
    for _ in range(6):
        await caller.world.passes(20)
    await caller.is_at("over")
    return urlsplit(caller.page.url).path.rpartition("/")[2]


@BOTH
async def test_an_appointment_says_when_it_is_and_what_giving_it_up_costs_now(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says = SAYS[language]
    is_late = language == "zh-CN"
    async with verified(browser, demo, pictures, 1, language) as caller:
        page = caller.page
        now = await _until_open(caller.world)
        at = datetime.combine(now.astimezone(CHINA).date() + timedelta(days=3), time(15), CHINA)
        await caller.opens("/call/new/psych-listening")
        await page.locator("label.choice", has_text=_listener(demo)).click()
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
            await caller.world.passes(2 * A_DAY_SECONDS + 4 * 3_600)
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
        order = await _talks(caller)
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

        await _decides(caller.world, office, order, decision)
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
async def test_what_is_wrong_taken_or_closed_is_said_in_words(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says, place = SAYS[language], {"zh-CN": 3, "en": 0}[language]
    async with a_caller(
        browser, demo, pictures, place, language=language, width=WIDTH[language]
    ) as caller:
        page, world = caller.page, caller.world
        await _until_open(world)
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
        await page.locator("label.choice", has_text=_listener(demo)).click()
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
        await page.locator("label.choice", has_text=_listener(demo)).click()
        await page.fill("#voucher-code", code)
        await caller.presses("#begin")
        await caller.is_told(says["in_use"])
        await caller.looks("voucher-in-use")

        opened = await _until_open(world)
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
        await _until_open(caller.world)
        await caller.opens("/call/new/psych-listening")
        await page.locator("label.choice", has_text=_listener(demo)).click()
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
