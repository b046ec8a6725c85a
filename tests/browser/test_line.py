"""Other programs: time that a counselor may add to, a line to wait in, a doctor's own words."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from routing.counselor import Grade
from tests.browser.alone import BOTH, SAYS, a_demo_of, office_token, until_open, verified
from tests.browser.people import (
    DESK_WIDTH,
    CallerWithPhone,
    CounselorAtDesk,
    Language,
    World,
    a_counselor,
    a_page,
    listen,
)
from tests.warmline.demo.running import DemoProcess
from warmline.demo.cast import COUNSELORS, DOCTOR, LISTENING
from warmline.programs import load_shipped

CAP_SECONDS = 1500
A_WHILE_SECONDS = 10
NOTES_SECONDS = 220  # and more: the doctor is free again
THE_DOCTOR = next(one for one in COUNSELORS if one.program == DOCTOR and one.grade is Grade.CHIEF)
TELLS: dict[Language, dict[str, str]] = {
    "zh-CN": {
        "time_up": "通话不会被切断：可以延长",
        "added": "已延长 5 分钟",
        "next": "下一位就是您",
        "second": "您前面还有 1 位",
        "wait": "大约等",
        "owed": "这份小结会发给来电者本人",
        "summary": "医生写给您的小结",
        "written": "血压偏高，先不用吃药：少盐、早睡。\n三天后早上再量一次，记下来。",
    },
    "en": {
        "time_up": "Nobody is cut off: give more time",
        "added": "5 minutes added",
        "next": "You are next",
        "second": "One person is before you",
        "wait": "It may take about",
        "owed": "This summary is sent to the caller",
        "summary": "The doctor's summary for you",
        "written": "A little high.\nLess salt, more sleep; measure again in three days.",
    },
}


@pytest.fixture(scope="module")
def demo(chromium: str) -> Iterator[DemoProcess]:
    """A demo whose listening talks may be given more time, and with one doctor for everybody."""
    shipped = load_shipped()
    programs = {}
    for program, old, new in (
        (LISTENING, 'cap_kind = "hard"', 'cap_kind = "soft"'),
        (DOCTOR, 'least_grade = "attending"', 'least_grade = "chief"'),
    ):
        body = shipped[program].body
        assert old in body
        programs[str(program)] = body.replace(old, new)
    with a_demo_of(programs) as running:
        yield running


@BOTH
async def test_a_counselor_is_asked_for_more_time_gives_it_and_both_see_how_much(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    tells = TELLS[language]
    async with (
        a_counselor(browser, demo, pictures, language=language) as desk,
        verified(browser, demo, pictures, 1, language) as caller,
    ):
        await until_open(caller.world)
        await caller.prepares_a_call(desk.name)
        await caller.presses("#call")
        await caller.is_at("ringing_you")
        await caller.world.picks_up(caller.number)
        await desk.answers_and_accepts()
        await caller.is_at("connected")
        await expect(caller.page.locator(".time-left .countdown")).to_be_visible()
        await caller.world.passes(CAP_SECONDS)

        await desk.sees(".talk-time.over")
        await desk.is_told(tells["time_up"])
        await desk.looks("time-up")
        await caller.is_at("connected")
        await expect(caller.page.locator(".time-left .countdown")).to_have_count(0)
        await caller.looks("time-up-caller")

        await desk.presses("#extend")
        await desk.is_told(tells["added"])
        await expect(desk.page.locator(".talk-time.over")).to_have_count(0)
        await desk.looks("time-added")
        for person in (desk, caller):
            count_down = person.page.locator(".on-call .countdown, .time-left .countdown")
            await expect(count_down).to_have_text(re.compile(r"0[45]:\d\d"))
        await caller.presses("#hang-up")
        await caller.is_at("over")
        await desk.hands_in("又多谈了几分钟")
        caller.check()
        desk.check()


async def _calls_a_doctor(caller: CallerWithPhone) -> None:
    await caller.opens("/call/new/family-doctor")
    await caller.presses("#begin")
    await caller.is_at("ready")
    await caller.presses("#call")


async def _until_rung(caller: CallerWithPhone) -> None:
    """The doctor writes notes, and is rung first; a phone is not left to ring out."""
    for _ in range(NOTES_SECONDS // A_WHILE_SECONDS):
        await caller.world.passes(A_WHILE_SECONDS)
        if await caller.world.is_ringing(caller.number):
            return
    pytest.fail("nobody rang")


@BOTH
async def test_who_waits_in_line_reads_their_place_moves_up_and_is_connected(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    tells = TELLS[language]
    async with (
        verified(browser, demo, pictures, 0, language) as first,
        verified(browser, demo, pictures, 1, language) as second,
        verified(browser, demo, pictures, 2, language) as third,
    ):
        world = first.world
        await world.teach(first.number, answers="yes")
        await _calls_a_doctor(first)
        await world.passes(20)
        await first.is_at("connected")

        await _calls_a_doctor(second)
        await second.is_at("queued")
        await second.is_told(tells["next"])
        await _calls_a_doctor(third)
        await third.is_at("queued")
        for told in (tells["second"], tells["wait"]):
            await third.is_told(told)
        await third.looks("queued")

        await second.presses("#stop")
        await second.is_at("ready")
        await third.is_told(tells["next"])  # nothing was loaded anew
        await third.looks("queued-next")
        await third.page.reload()
        await third.is_told(tells["next"])

        await first.presses("#hang-up")
        await first.is_at("over")
        await world.teach(third.number, answers="by_hand")
        await _until_rung(third)
        await third.is_at("ringing_you")
        await world.picks_up(third.number)
        await third.is_at("connected")
        await third.presses("#hang-up")
        await third.is_at("over")
        await second.presses("#cancel")
        await second.presses("#cancel-yes")
        await world.passes(NOTES_SECONDS)
        for caller in (first, second, third):
            caller.check()


@asynccontextmanager
async def _the_doctor(
    browser: Browser, demo: DemoProcess, pictures: Path, office: dict[str, str], language: Language
) -> AsyncIterator[CounselorAtDesk]:
    """The one doctor, in front of the desk with an account of their own."""
    async with a_page(browser, language, DESK_WIDTH, "light") as page:
        world = World(demo, page.context)
        if "doctor" not in office:
            office["doctor"] = await _account(world, office)
        doctor = CounselorAtDesk(
            page, world, pictures, language, number=THE_DOCTOR.number.digits, name=THE_DOCTOR.name
        )
        listen(doctor)
        await doctor.opens("/desk")
        await page.fill("#email", "doctor@example.test")
        await page.fill("#password", office["doctor"])
        await doctor.presses("#enter")
        await doctor.sees("#status")
        yield doctor


async def _account(world: World, office: dict[str, str]) -> str:
    """An operator opens it; its password."""
    answer = await world.context.request.post(
        f"{world.demo.url}/v1/staff/members",
        data={
            "email": "doctor@example.test",
            "roles": ["counselor"],
            "counselor": THE_DOCTOR.id,
        },
        headers={"Authorization": f"Bearer {await office_token(world, office)}"},
    )
    assert answer.ok, await answer.text()
    return str((await answer.json())["password"])


@BOTH
async def test_what_a_doctor_writes_after_the_talk_is_read_by_the_caller(
    demo: DemoProcess, browser: Browser, pictures: Path, office: dict[str, str], language: Language
) -> None:
    tells = TELLS[language]
    async with (
        _the_doctor(browser, demo, pictures, office, language) as doctor,
        verified(browser, demo, pictures, 3, language) as caller,
    ):
        await caller.world.teach(caller.number, answers="yes")
        await _calls_a_doctor(caller)
        await caller.world.passes(20)
        await caller.is_at("connected")
        await doctor.sees(".on-call[data-state=bridged]")
        await caller.world.passes(300)
        await caller.presses("#hang-up")
        await caller.is_at("over")
        await caller.is_told(SAYS[language]["completed"])
        await expect(caller.page.locator("#main")).not_to_contain_text(tells["summary"])

        await doctor.sees("#hand-in")
        await doctor.is_told(tells["owed"])
        await doctor.looks("doctor-wrap-up")
        await doctor.writes(tells["written"])
        order = urlsplit(caller.page.url).path
        await caller.is_told(tells["summary"])  # it comes by itself
        await caller.looks("doctor-summary")
        await caller.opens("/call/history")
        await caller.opens(order)
        for line in tells["written"].splitlines():
            await caller.is_told(line)
        doctor.check()
        caller.check()
