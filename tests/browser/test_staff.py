"""The pages of support, supervisor and operator: a case judged, and every screen looked at."""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, StorageState, expect

from tests.browser.people import (
    ALL_PICTURES,
    DESK_WIDTH,
    PHONE_WIDTH,
    Language,
    World,
    a_caller,
    a_counselor,
)
from tests.browser.staff import a_member
from tests.browser.unseen import CODE_EVERY_SECONDS, an_unseen_caller
from tests.warmline.demo.running import DemoProcess
from warmline.clock import machine_now
from warmline.people.totp import code_now

CALLER = 3
WRAP_UP_SECONDS = 300  # and more: whoever talked just before is free again
CUT_OFF: dict[Language, int] = {"zh-CN": 4, "en": 2}
SAYS: dict[Language, dict[str, str]] = {
    "zh-CN": {
        "database": "数据库PostgreSQL",
        "filed": "已收到您的反馈",
        "reissue": "补发一张券",
        "reissued": "已为您补发一张新券",
        "replaced": "已换新券",
    },
    "en": {
        "database": "databasePostgreSQL",
        "filed": "We have your report",
        "reissue": "A new voucher",
        "reissued": "You have been given a new voucher",
        "replaced": "Replaced",
    },
}
HALF_WRITTEN = "聊了工作，还"
REASON = "线路在通话中断开，没能接回"
SCREENS = (
    ("wallboard", "/supervisor", ".tiles"),
    ("half-hours", "/supervisor/heat", "table.heat"),
    ("counselors", "/supervisor/people", "tbody tr"),
    ("queue", "/support", ".queue-line"),
    ("search", "/support/search", "#search-text"),
    ("health", "/operator", ".finding"),
    ("programs", "/operator/programs", "details.card"),
    ("policies", "/operator/policies", "#policy-file"),
    ("vouchers", "/operator/vouchers", "#vouchers"),
    ("people", "/operator/people", "tbody tr"),
    ("reports", "/operator/reports", "#reports"),
)
LIST = """\
sponsor,policy_number,product,purchased_on,effective_on,status,policyholder_name,policyholder_phone,\
relation,insured_name,insured_birth_date
default,P-1,mind-care,2026-01-01,2026-01-01,in_force,王安,13800013999,self,王安,1990-05-01
default,P-2,mind-care,yesterday,2026-01-01,in_force,王安,13800013999,self,王安,1990-05-01
"""


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    """What the first test leaves for the others: a code counts for one sign-in alone."""
    return {}


async def _signed_in(
    browser: Browser, demo: DemoProcess, pictures: Path, kept: dict[str, Any]
) -> StorageState:
    if "state" not in kept:
        async with a_member(browser, demo, pictures, None) as member:
            await member.signs_in()
            kept["state"] = await member.page.context.storage_state()
            kept["order"] = await _a_claim(member.world)
    state: StorageState = kept["state"]
    return state


def _listener(world: World) -> dict[str, str]:
    """Who listens, and whose phone answers by itself."""
    people = world.demo.playbill["counselors"]
    found: dict[str, str] = next(one for one in people if one["program"] == "psych-listening")
    return found


async def _a_claim(world: World) -> str:
    """A talk that was cut off for good, and the caller's claim about it."""
    caller = await an_unseen_caller(world, CALLER)
    await world.teach(caller.number, answers="yes", talks_for_seconds=90, ends_by="drop")
    order = await caller.orders(_listener(world)["id"])
    await caller.calls(order)
    for _ in range(100):
        await world.passes(2)
        if (await caller.asks("GET", f"/v1/orders/{order}"))["state"] == "in_call":
            break
    for _ in range(8):
        await world.passes(20)
    await world.teach(caller.number, answers="off")
    for _ in range(12):
        await world.passes(30)
    claim = {"reason": "断了", "text": "<b>没声音</b>"}
    await caller.asks("POST", f"/v1/orders/{order}/claims", claim)
    return order


@pytest.mark.parametrize(
    ("language", "width"), [("zh-CN", DESK_WIDTH), ("en", PHONE_WIDTH)], ids=["zh", "en"]
)
async def test_every_screen_of_the_office_fits_and_can_be_used_by_everybody(
    demo: DemoProcess,
    browser: Browser,
    pictures: Path,
    kept: dict[str, Any],
    language: Language,
    width: int,
) -> None:
    state = await _signed_in(browser, demo, pictures, kept)
    is_light = language == "zh-CN" or ALL_PICTURES
    scheme: Literal["light", "dark"] = "light" if is_light else "dark"
    async with a_member(
        browser, demo, pictures, state, language=language, width=width, scheme=scheme
    ) as member:
        for name, path, there in SCREENS:
            await member.goes_to(path, there)
            await member.looks(f"office-{name}")
            if name == "health":
                found = member.page.locator("[data-finding=database_good]")
                await expect(found).to_contain_text(SAYS[language]["database"])
        await member.goes_to("/support", ".queue-line")
        await member.page.locator(".queue-line").first.click()
        await member.sees(".lines-figure svg")
        await member.looks("office-claim")
        await member.goes_to(f"/support/orders/{kept['order']}", ".lines-figure svg")
        await member.looks("office-order")
        member.check()


@pytest.mark.parametrize(
    ("place", "language", "told"),
    [(0, "zh-CN", "页面没有显示来电"), (1, "en", "Console not showing")],
    ids=["zh", "en"],
)
async def test_a_supervisor_sees_whose_page_does_not_show_the_call_that_rings(
    demo: DemoProcess,
    browser: Browser,
    pictures: Path,
    kept: dict[str, Any],
    place: int,
    language: Language,
    told: str,
) -> None:
    state = await _signed_in(browser, demo, pictures, kept)
    async with a_member(browser, demo, pictures, state, language=language) as member:
        world = member.world
        caller, listener = await an_unseen_caller(world, place), _listener(world)
        await world.teach(caller.number, answers="yes", talks_for_seconds=60)
        await world.teach(listener["number"], answers="by_hand")
        order = await caller.orders(listener["id"])
        await member.goes_to("/supervisor", ".tiles")
        await caller.calls(order)
        await expect(member.page.locator("section[aria-labelledby=now]")).to_contain_text(told)
        await member.looks("office-wallboard-not-showing")
        await member.goes_to("/supervisor/people", "tbody tr")
        await expect(
            member.page.locator("tbody tr", has_text=listener["name"]).locator("td").first
        ).to_contain_text(told)
        await member.looks("office-counselors-not-showing")
        await caller.gives_up(order)
        await world.teach(listener["number"], answers="yes", presses="1")
        member.check()


@pytest.mark.parametrize(
    ("place", "language", "free", "whose"),
    [(0, "zh-CN", "空闲", "督导在"), (1, "en", "Free", "A supervisor ended")],
    ids=["zh", "en"],
)
async def test_a_supervisor_ends_a_wrap_up_by_keyboard_and_what_was_typed_stays(
    demo: DemoProcess,
    browser: Browser,
    pictures: Path,
    kept: dict[str, Any],
    place: int,
    language: Language,
    free: str,
    whose: str,
) -> None:
    state = await _signed_in(browser, demo, pictures, kept)
    async with (
        a_member(browser, demo, pictures, state, language=language) as member,
        a_counselor(browser, demo, pictures, language=language) as desk,
    ):
        await desk.world.passes(CODE_EVERY_SECONDS)
        caller = await an_unseen_caller(desk.world, place)
        login = next(one for one in demo.playbill["staff"] if one["roles"] == ["counselor"])
        await caller.calls(await caller.orders(login["counselor"]))
        await desk.answers_and_accepts()
        await desk.world.handset(caller.number, "hangup")
        await desk.sees(".waiting.wrap_up")
        await desk.page.fill("#summary", HALF_WRITTEN)

        await member.goes_to("/supervisor/people", "tbody tr")
        row = member.page.locator("tbody tr", has_text=desk.name)
        await row.locator("button").press("Enter")
        await member.sees("dialog[open] input:focus")
        await member.page.keyboard.type("the page is gone")
        await member.looks("office-end-wrap-up")
        await member.page.locator("#end-wrap-up").press("Enter")

        await expect(row).to_contain_text(free)
        await desk.sees(".waiting.free")
        told = desk.page.locator(".wrap-up-ended")
        await expect(told).to_contain_text(whose)
        await desk.looks("wrap-up-ended")
        await expect(desk.page.locator("#summary")).to_have_value(HALF_WRITTEN)
        await desk.page.locator("#wrap-up-ended-seen").press("Enter")
        await expect(told).to_have_count(0)
        await desk.hands_in("came to an end")
        member.check()
        desk.check()


async def test_support_finds_a_case_sees_a_number_for_a_reason_and_decides(
    demo: DemoProcess, browser: Browser, pictures: Path, kept: dict[str, Any]
) -> None:
    state = await _signed_in(browser, demo, pictures, kept)
    number = demo.playbill["callers"][CALLER]
    async with a_member(browser, demo, pictures, state) as member:
        await member.goes_to("/support/search", "#search-text")
        await member.page.fill("#search-text", number)
        await member.page.keyboard.press("Enter")
        await member.page.locator("a.found").first.click()
        await member.sees("#reveal")
        main = member.page.locator("#main")
        await expect(main).not_to_contain_text(number.removeprefix("+86"))
        assert number.removeprefix("+") not in member.page.url
        await member.presses("#reveal")
        await member.page.locator("dialog input").fill("回电说明处理结果")
        await member.presses("#reveal-yes")
        await expect(main).to_contain_text(number.removeprefix("+86"))

        await member.goes_to("/support", ".queue-line")
        await member.page.locator(".queue-line").first.click()
        await member.sees("#decide")
        await expect(main).to_contain_text("<b>没声音</b>")  # what was said is never markup
        await member.page.locator("label.choice", has_text="补发一张券").click()
        await member.page.locator("textarea").fill("线路断开，补发一张券")
        await member.presses("#decide-yes")
        await member.sees("#decided")
        member.check()


async def test_an_operator_sees_what_a_list_changes_before_it_is_written(
    demo: DemoProcess, browser: Browser, pictures: Path, kept: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "policies.csv"
    file.write_text(LIST, encoding="utf-8")
    state = await _signed_in(browser, demo, pictures, kept)
    async with a_member(browser, demo, pictures, state) as member:
        await member.goes_to("/operator/policies", "#policy-file")
        strange = tmp_path / "strange.csv"
        strange.write_text(LIST.replace("product", "colour"), encoding="utf-8")
        await member.page.locator("#policy-file").set_input_files(strange)
        await member.presses("button.plain")
        await member.is_told("第 3 列：不认识表头“colour”")
        await member.is_told("（product）一列")
        member.complaints.clear()  # Chromium reports every 422
        await member.page.locator("#policy-file").set_input_files(file)
        await member.presses("button.plain")
        await member.is_told("还没有写入")
        await member.is_told("P-1")
        await member.is_told("投保日期：不是 2025-01-31 这样的日期")
        await member.looks("office-policies-diff")
        member.check()


@pytest.mark.parametrize(
    ("callers", "supports"), [("zh-CN", "en"), ("en", "zh-CN")], ids=["zh_en", "en_zh"]
)
async def test_who_was_cut_off_for_good_claims_and_sees_the_decision_and_the_new_voucher(
    demo: DemoProcess,
    browser: Browser,
    pictures: Path,
    kept: dict[str, Any],
    callers: Language,
    supports: Language,
) -> None:
    says, decides = SAYS[callers], SAYS[supports]
    state = await _signed_in(browser, demo, pictures, kept)
    listener = next(
        one for one in demo.playbill["counselors"] if one["program"] == "psych-listening"
    )
    async with (
        a_caller(browser, demo, pictures, CUT_OFF[callers], language=callers) as caller,
        a_member(browser, demo, pictures, state, language=supports) as support,
    ):
        await caller.world.passes(WRAP_UP_SECONDS)
        await caller.opens("/call")
        await caller.verifies()
        await caller.world.teach(caller.number, answers="by_hand")
        await caller.prepares_a_call(listener["name"])
        order = urlsplit(caller.page.url).path.rpartition("/")[2]
        await caller.presses("#call")
        await caller.is_at("ringing_you")
        await caller.world.picks_up(caller.number)
        await caller.is_at("ringing_them")
        await caller.world.passes(20)
        await caller.is_at("connected")
        await caller.world.passes(60)
        await caller.world.teach(caller.number, answers="off")
        await caller.world.handset(caller.number, "drop")
        await caller.is_at("parted")
        await expect(caller.page.locator(".time-left.stands")).to_contain_text("23:")
        await caller.world.passes(100)
        await caller.is_at("interrupted")
        await caller.presses("#problem")
        await caller.page.locator("label.choice").first.click()
        await caller.presses("#send-claim")
        await caller.is_told(says["filed"])

        await support.goes_to(f"/support/orders/{order}", "section[aria-labelledby=claims]")
        await support.page.locator("section[aria-labelledby=claims] a").first.click()
        await support.sees("#decide")
        await support.page.locator("label.choice", has_text=decides["reissue"]).click()
        await support.page.locator("textarea").fill(REASON)
        await support.presses("#decide-yes")
        await support.sees("#decided")

        await caller.is_told(says["reissued"])
        await caller.is_told(REASON)
        await caller.looks("claim-reissued")
        await caller.opens(f"/call/orders/{order}")
        await expect(caller.page.locator("#see-claim")).to_contain_text(says["reissued"])
        await caller.looks("order-reissued")
        await caller.opens("/call")
        await expect(caller.page.locator(".voucher:not(.spent)")).to_have_count(1)
        await expect(
            caller.page.locator(".voucher.spent", has_text=says["replaced"])
        ).to_have_count(1)
        await caller.looks("home-reissued")
        caller.check()
        support.check()


async def test_a_new_colleague_sets_the_authenticator_up_and_finds_the_queue(
    demo: DemoProcess, browser: Browser, pictures: Path, kept: dict[str, Any]
) -> None:
    state = await _signed_in(browser, demo, pictures, kept)
    email = "new.colleague@example.test"
    async with a_member(browser, demo, pictures, state) as operator:
        await operator.goes_to("/operator/people", "tbody tr")
        form = operator.page.locator("section[aria-labelledby=add]")
        await form.get_by_label("邮箱").fill(email)
        await form.locator("label", has_text="客服").click()
        await form.get_by_role("button", name="开账户").click()
        await operator.sees(".secret code")
        await operator.looks("office-account-opened")
        password = await operator.page.locator(".secret code").inner_text()
        operator.check()

    async with a_member(browser, demo, pictures, None) as colleague:
        await colleague.opens("/support")
        await colleague.page.fill("#email", email)
        await colleague.page.fill("#password", password)
        await colleague.presses("#enter")
        await colleague.sees("[data-secret]")
        await colleague.looks("second-factor")
        await expect(colleague.page.locator("#queue")).to_have_count(0)
        secret = await colleague.page.locator("[data-secret]").get_attribute("data-secret")
        assert secret is not None
        await colleague.page.fill("#totp", code_now(secret, machine_now()))
        await colleague.presses("#confirm-factor")
        await colleague.sees("#queue")
        await colleague.looks("queue-of-a-new-colleague")
        await expect(colleague.page.locator("nav.tabs")).to_be_visible()
        colleague.check()
