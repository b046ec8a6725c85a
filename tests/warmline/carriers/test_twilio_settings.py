"""What has to be set for Twilio, and the calls per second that all processes share."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from warmline.bus.in_process import InProcessRateLimits
from warmline.carriers import twilio
from warmline.carriers.choosing import check_carrier
from warmline.carriers.twilio import budget_of, check_twilio, words_of
from warmline.settings import Settings, SettingsInvalid

OURS = "+862155500100"
ENOUGH: dict[str, Any] = {
    "carrier": "twilio",
    "public_url": "https://care.example.com/",
    "twilio_account_sid": "AC" + "1" * 32,
    "twilio_auth_token": SecretStr("of-the-tests"),
    "twilio_numbers": (OURS,),
}


def chosen(tmp_path: Path, **changes: Any) -> Settings:
    return Settings.load(data_dir=tmp_path, **{**ENOUGH, **changes})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"twilio_account_sid": None}, "Twilio needs WARMLINE_TWILIO_ACCOUNT_SID ("),
        ({"twilio_auth_token": None}, "Twilio needs WARMLINE_TWILIO_AUTH_TOKEN ("),
        ({"twilio_api_key": "SK" + "1" * 32}, "WARMLINE_TWILIO_API_SECRET belong together"),
        ({"twilio_api_secret": SecretStr("x")}, "WARMLINE_TWILIO_API_SECRET belong together"),
        ({"twilio_edge": "dublin"}, "WARMLINE_TWILIO_REGION belong together"),
        ({"twilio_region": "ie1"}, "WARMLINE_TWILIO_REGION belong together"),
        ({"twilio_numbers": ()}, "WARMLINE_TWILIO_NUMBERS must be your numbers"),
        ({"twilio_numbers": (OURS, "4008001111")}, "WARMLINE_TWILIO_NUMBERS must be your numbers"),
        ({"public_url": None}, "set it to the address that reaches this service"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        check_carrier(chosen(tmp_path, **changes))

    assert told in str(refused.value)
    assert "of-the-tests" not in str(refused.value)


def test_what_is_enough_is_taken_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARMLINE_TWILIO_NUMBERS", f" {OURS} , +862155500101,")
    settings = chosen(tmp_path, twilio_numbers=(OURS, "+862155500101"))
    read = Settings.load(data_dir=tmp_path)

    check_twilio(settings)

    assert read.twilio_numbers == settings.twilio_numbers
    assert "of-the-tests" not in repr(settings)


def test_prompts_are_spoken_in_the_words_of_the_catalogue(tmp_path: Path) -> None:
    words = words_of(chosen(tmp_path))

    assert "按一" in (words("press_1", "zh-CN") or "")
    assert words("press_1", "en") != words("press_1", "zh-CN")
    assert words("no_such_prompt", "zh-CN") is None
    assert words("press_1", "fr") is None


async def test_all_processes_share_the_accounts_calls_per_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noon: datetime
) -> None:
    shared, elapsed = InProcessRateLimits(), timedelta()
    monkeypatch.setattr(twilio, "machine_now", lambda: noon + elapsed)
    settings = chosen(tmp_path, twilio_calls_per_second=2)
    here, there = budget_of(settings, shared), budget_of(settings, shared)

    await here.take(urgent=False)
    waiting = asyncio.create_task(there.take(urgent=False))
    await there.take(urgent=True)  # a place of its own
    await asyncio.sleep(0)
    assert not waiting.done()

    elapsed = timedelta(seconds=2)
    async with asyncio.timeout(5):
        await waiting


async def test_another_account_has_calls_per_second_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, noon: datetime
) -> None:
    shared = InProcessRateLimits()
    monkeypatch.setattr(twilio, "machine_now", lambda: noon)
    other = chosen(tmp_path, twilio_account_sid="AC" + "2" * 32)

    await budget_of(chosen(tmp_path), shared).take(urgent=False)

    async with asyncio.timeout(5):
        await budget_of(other, shared).take(urgent=False)
