"""A talk seen from both sides: pressed, rung, cut off, gone on with, used up, rated, claimed."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.people import (
    DESK_WIDTH,
    PHONE_WIDTH,
    CallerWithPhone,
    Language,
    a_caller,
    a_counselor,
)
from tests.warmline.demo.running import DemoProcess

CAP_SECONDS = 1500
TALKED_SECONDS = 70
GRACE_SECONDS = 100
RING_SECONDS = 31
CODE_EVERY_SECONDS = 61
WIDTH: dict[Language, int] = {"zh-CN": PHONE_WIDTH, "en": DESK_WIDTH}
PLACE: dict[Language, int] = {"zh-CN": 1, "en": 2}
SAYS: dict[Language, dict[str, str]] = {
    "zh-CN": {
        "charges": "运营商可能按您的套餐收取通话费用",
        "ringing_you": "正在响您的手机",
        "ringing_them": "正在响对方的电话",
        "connected": "通话中",
        "minutes": "23 分钟",
        "completed": "通话已完成",
        "thanks": "谢谢您的评价",
        "filed": "已收到您的反馈",
        "not_reached": "没有接通",
        "nothing_used": "什么都没有用掉",
        "attempt": "第 {} 次没有联系上",
        "ready": "准备好了",
        "stood_still": "这段时间不计时",
        "resume": "请在此之前继续",
        "missed": "没有接起",
    },
    "en": {
        "charges": "Your carrier may charge you",
        "ringing_you": "Ringing your phone",
        "ringing_them": "Ringing the other side",
        "connected": "Connected",
        "minutes": "23 minutes",
        "completed": "Your talk is complete",
        "thanks": "Thank you for rating",
        "filed": "We have your report",
        "not_reached": "Not connected",
        "nothing_used": "Nothing was used up",
        "attempt": "Attempt {} did not get through",
        "ready": "Everything is ready",
        "stood_still": "This time does not count",
        "resume": "Go on before",
        "missed": "Your phone was not answered",
    },
}


OTHER: dict[Language, Language] = {"zh-CN": "en", "en": "zh-CN"}
BOTH = pytest.mark.parametrize("language", ["zh-CN", "en"])


@BOTH
async def test_two_people_talk_are_cut_off_and_go_on_until_the_time_is_used_up(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says = SAYS[language]
    widths = (PHONE_WIDTH, DESK_WIDTH) if language == "zh-CN" else (DESK_WIDTH, PHONE_WIDTH)
    async with (
        a_counselor(browser, demo, pictures, language=language, width=widths[1]) as desk,
        a_caller(
            browser, demo, pictures, PLACE[language], language=language, width=widths[0]
        ) as caller,
    ):
        await desk.looks("desk-free")
        await caller.opens("/call")
        await caller.looks("verify")
        await caller.verifies()
        await caller.looks("home")
        await caller.opens("/call/new/psych-listening")
        await caller.sees("label.choice")
        await caller.looks("choosing")
        await caller.prepares_a_call(desk.name)
        for told in (says["charges"], "110", "120", "12356"):
            await caller.is_told(told)
        await caller.looks("ready")

        await caller.presses("#call")
        await caller.is_told(says["ringing_you"])
        await caller.looks("ringing-you")
        await caller.world.picks_up(caller.number)
        await caller.is_told(says["ringing_them"])
        await desk.sees(".offer")
        await desk.looks("offer")
        await desk.answers_and_accepts()
        await caller.is_told(says["connected"])
        await desk.sees(".on-call[data-state=bridged]")
        await desk.looks("talking")
        await caller.looks("connected")
        await caller.world.passes(TALKED_SECONDS)

        await caller.world.handset(caller.number, "drop")
        await caller.is_at("parted")
        await caller.is_told(says["stood_still"])
        await caller.looks("parted")
        await desk.sees(".on-call[data-state=parted]")
        await caller.world.passes(GRACE_SECONDS)
        await caller.is_at("interrupted")
        for told in (says["minutes"], says["resume"], "110", "12356", says["charges"]):
            await caller.is_told(told)
        await caller.looks("interrupted")
        await desk.hands_in("被打断的一次通话")

        await caller.presses("#call")
        await caller.is_at("ringing_you")
        await caller.world.picks_up(caller.number)
        await desk.answers_and_accepts()
        await caller.is_at("connected")
        await caller.world.passes(CAP_SECONDS - TALKED_SECONDS + 2)
        await caller.is_told(says["completed"])
        await caller.looks("completed")
        await desk.sees("#hand-in")
        await desk.looks("wrap-up")
        await desk.hands_in("谈完了")

        for stars in await caller.page.locator(".stars").all():
            await stars.locator("label").nth(4).click()
        await caller.presses("#rate-send")
        await caller.is_told(says["thanks"])
        await caller.presses("#problem")
        await caller.sees("#send-claim")
        await caller.looks("claim")
        await caller.page.locator("label.choice").first.click()
        await caller.presses("#send-claim")
        await caller.is_told(says["filed"])
        await caller.looks("claim-progress")
        await caller.opens("/call/history")
        await caller.sees("a.link")
        await caller.looks("history")
        await desk.presses('a[href="/desk/day"]')
        await desk.sees("table")
        await desk.looks("day")
        caller.check()
        desk.check()


@BOTH
async def test_a_counselor_who_misses_a_call_is_told_so_and_the_caller_may_call_again(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says, width, other = SAYS[language], WIDTH[language], OTHER[language]
    async with (
        a_counselor(browser, demo, pictures, language=other, scheme="dark") as desk,
        a_caller(
            browser, demo, pictures, 3, language=language, width=width, scheme="dark"
        ) as caller,
    ):
        await caller.world.passes(CODE_EVERY_SECONDS)
        await caller.opens("/call")
        await caller.verifies()
        await caller.prepares_a_call(desk.name)
        await caller.world.teach(caller.number, answers="yes", after_seconds=0)
        await caller.presses("#call")
        for _ in range(2):  # the phone rings twice, and each ring is an offer of its own
            await desk.sees(".offer")
            shown = await desk.page.locator(".offer").get_attribute("data-offered-at")
            await desk.world.passes(RING_SECONDS)
            gone = desk.page.locator(f'.offer[data-offered-at="{shown}"]')
            await expect(gone).to_have_count(0)
        for told in (says["ready"], says["not_reached"], says["nothing_used"]):
            await caller.is_told(told)
        await caller.looks("not-reached-dark")
        await desk.is_told(SAYS[other]["missed"])
        await desk.page.reload()
        await desk.is_told(SAYS[other]["missed"])  # nothing that happened is lost with the page
        await desk.looks("missed-dark")
        await _gives_up(caller)
        caller.check()
        desk.check()


async def _gives_up(caller: CallerWithPhone) -> None:
    """The order is cancelled, and its voucher is there for the next time."""
    await caller.presses("#cancel")
    await caller.presses("#cancel-yes")
    await caller.is_at("unused")


@BOTH
async def test_a_phone_that_is_not_answered_is_rung_three_times_and_the_page_says_when(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    says, width = SAYS[language], WIDTH[language]
    async with (
        a_counselor(browser, demo, pictures, language=OTHER[language]) as desk,
        a_caller(browser, demo, pictures, 4, language=language, width=width) as caller,
    ):
        await caller.world.passes(CODE_EVERY_SECONDS)
        await caller.opens("/call")
        await caller.verifies()
        await caller.prepares_a_call(desk.name)
        await caller.world.teach(caller.number, answers="no_answer")
        await caller.presses("#call")
        for attempt in (1, 2):
            await caller.is_at("ringing_you")
            await caller.world.passes(RING_SECONDS)
            await caller.is_at("waiting")
            await caller.is_told(says["attempt"].format(attempt))
            await caller.looks("not-answered")
            await caller.presses("#call-now")
        await caller.is_at("ringing_you")
        await caller.world.passes(RING_SECONDS)
        for told in (says["ready"], says["not_reached"], says["nothing_used"]):
            await caller.is_told(told)
        await expect(desk.page.locator(".offer")).to_have_count(0)
        await _gives_up(caller)
        caller.check()
        desk.check()
