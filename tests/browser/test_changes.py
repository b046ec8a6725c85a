"""A caller's page shows beside the voucher what the service will do otherwise."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from billing.policies.waiting import today_in_china
from tests.browser.people import PHONE_WIDTH, Language, a_caller
from tests.people import LISTENING
from tests.warmline.demo.running import DemoProcess, a_folder, free_port
from warmline.programs import load_shipped

SAYS: dict[Language, str] = {
    "zh-CN": "起：通话时间改为9点至21点",
    "en": ": talks from 9:00 to 21:00",
}


@pytest.fixture(scope="module")
def demo(chromium: str) -> Iterator[DemoProcess]:
    """A demo whose listening talk changes in a month."""
    today = today_in_china(datetime.now(UTC))
    change = f"""
[[billing.changes]]
announced_on = {today - timedelta(days=10)}
effective_on = {today + timedelta(days=30)}
text_zh = "通话时间改为9点至21点"
text_en = "talks from 9:00 to 21:00"
"""
    with a_folder() as folder:
        programs = folder / "programs"
        programs.mkdir()
        body = load_shipped()[LISTENING].body
        (programs / "changes.toml").write_text(f"{body}{change}", encoding="utf-8")
        folder.chmod(0o755)
        with DemoProcess(folder / "data", free_port(), programs=str(programs)) as running:
            running.ready()
            yield running
            running.interrupt()


@pytest.mark.rule("B04")
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_change_stands_beside_a_voucher_that_can_still_be_used(
    demo: DemoProcess, browser: Browser, pictures: Path, language: Language
) -> None:
    place = list(SAYS).index(language)
    async with a_caller(
        browser, demo, pictures, place, language=language, width=PHONE_WIDTH
    ) as caller:
        await caller.world.passes(61)
        await caller.opens("/call")
        await caller.verifies()
        await expect(caller.page.locator("#main")).not_to_contain_text(SAYS[language])
        await caller.presses("#add-voucher")
        await caller.page.fill("#voucher-code", await caller.world.voucher())
        await caller.page.keyboard.press("Enter")

        await expect(caller.page.locator(".voucher .ahead")).to_contain_text(SAYS[language])
        await caller.looks("change-ahead")
        caller.check()
