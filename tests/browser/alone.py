"""A caller alone with the page: what is said in either language, and how they get somewhere."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser

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

CHINA = ZoneInfo("Asia/Shanghai")
CODE_EVERY_SECONDS = 61
WRAP_UP_SECONDS = 61
UNDER_WAY = "[data-stage]:not([data-stage=ready])"
"""The call has begun; a phone that answers by itself may have done so already."""

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
        "busy_now": "对方正在通话",
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
        "busy_now": "They are on a call",
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


@contextmanager
def a_demo_of(programs: Mapping[str, str]) -> Iterator[DemoProcess]:
    """A demo where these programs' files, by name, join the shipped ones or take their place."""
    with a_folder() as folder:
        files = folder / "programs"
        files.mkdir()
        for name, body in programs.items():
            (files / f"{name}.toml").write_text(body, encoding="utf-8")
        folder.chmod(0o755)
        with DemoProcess(folder / "data", free_port(), programs=str(files)) as running:
            running.ready()
            yield running
            running.interrupt()


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


def a_listener(demo: DemoProcess) -> str:
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


async def until_open(world: World) -> datetime:
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


async def office_token(world: World, office: dict[str, str]) -> str:
    """The sign-in of whoever holds every role of the office, kept in `office`."""
    if "token" not in office:
        login = overseer(world.demo)
        body = {
            "email": login["email"],
            "password": login["password"],
            "totp": code_now(login["totp_secret"], machine_now()),
        }
        answer = await world.context.request.post(f"{world.demo.url}/v1/sessions", data=body)
        assert answer.ok, await answer.text()
        office["token"] = (await answer.json())["token"]
    return office["token"]


async def decides(world: World, office: dict[str, str], order: str, decision: str) -> None:
    """Support decides the order's claim, as its page would."""
    url, request = world.demo.url, world.context.request
    staff = {"Authorization": f"Bearer {await office_token(world, office)}"}
    case: Any = await (await request.get(f"{url}/v1/staff/orders/{order}", headers=staff)).json()
    claim = case["claims"][0]["id"]
    decided = await request.post(
        f"{url}/v1/claims/{claim}/decision",
        data={"decision": decision, "reason": "<b>线路记录</b>"},
        headers=staff,
    )
    assert decided.ok, await decided.text()


async def talks(caller: CallerWithPhone) -> str:
    """A talk from the button to its end; the order's id."""
    await until_open(caller.world)
    await caller.world.teach(caller.number, answers="yes", talks_for_seconds=70, ends_by="hangup")
    await caller.prepares_a_call(a_listener(caller.world.demo))
    await caller.presses("#call")
    await caller.sees(UNDER_WAY)
    for _ in range(6):
        await caller.world.passes(20)
    await caller.is_at("over")
    return urlsplit(caller.page.url).path.rpartition("/")[2]
