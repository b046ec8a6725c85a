"""Which sender the settings name, and what is said of a gateway that is named badly."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.warmline.notices.kit import SECRET
from warmline.clock import VirtualClock
from warmline.notices.choosing import check_sms, sender_of
from warmline.notices.gateway import HttpSender
from warmline.notices.senders import LogSender
from warmline.seal import AesSeal
from warmline.settings import Settings, SettingsInvalid

if TYPE_CHECKING:
    from datetime import datetime

    from asyncpg import Pool, Record


def chosen(folder: Path, **settings: Any) -> Settings:
    return Settings.load(data_dir=folder, **settings)


GOOD_URL = "https://sms.example/v1"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"sms": "http"}, "set WARMLINE_SMS_URL and WARMLINE_SMS_SECRET."),
        ({"sms": "http", "sms_url": GOOD_URL}, "set WARMLINE_SMS_SECRET."),
        ({"sms": "http", "sms_secret": SECRET}, "set WARMLINE_SMS_URL."),
        ({"sms_url": GOOD_URL}, "set WARMLINE_SMS_SECRET."),
        ({"sms_secret": SECRET}, "set WARMLINE_SMS_URL."),
        ({"sms": "twilio"}, "Twilio needs WARMLINE_TWILIO_ACCOUNT_SID"),
    ],
)
def test_a_gateway_that_is_named_by_halves_is_refused_in_one_sentence(
    tmp_path: Path, settings: dict[str, object], told: str
) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        check_sms(chosen(tmp_path, **settings))

    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "guarded"),
    [
        ("https://sms.example/v1", True),
        ("http://127.0.0.1:9000/sms", True),
        ("http://[::1]:9000/sms", True),
        ("http://localhost/sms", True),
        ("http://sms.example/v1", False),
        ("http://127.0.0.1@sms.example/v1", False),
        ("http://localhost.sms.example/v1", False),
        ("http://10.0.0.8/sms", False),
        ("https:///sms", False),
        ("https://[::1/sms", False),
        ("https://sms.example:99999/v1", False),
    ],
)
def test_an_sms_leaves_this_machine_under_tls_or_not_at_all(
    tmp_path: Path, url: str, guarded: bool
) -> None:
    settings = chosen(tmp_path, sms="http", sms_url=url, sms_secret=SECRET)

    if guarded:
        assert check_sms(settings) is not None
        return
    with pytest.raises(SettingsInvalid, match="WARMLINE_SMS_URL cannot be used") as refused:
        check_sms(settings)
    assert url not in str(refused.value)


@pytest.mark.parametrize(
    "secret", ["whsec_", "c2hvcnQ=", f"{SECRET},", f"{SECRET},short", "#" * 40, "é" * 40]
)
def test_a_secret_that_cannot_be_used_is_named_and_not_repeated(
    tmp_path: Path, secret: str
) -> None:
    settings = chosen(tmp_path, sms="http", sms_url=GOOD_URL, sms_secret=secret)

    with pytest.raises(SettingsInvalid, match="WARMLINE_SMS_SECRET cannot be used") as refused:
        check_sms(settings)
    assert SECRET not in str(refused.value)


async def test_the_setting_chooses_the_sender(
    database: "Pool[Record]", seal: AesSeal, noon: "datetime", tmp_path: Path
) -> None:
    clock = VirtualClock(noon)
    named: dict[str, Any] = {"sms_url": GOOD_URL, "sms_secret": SECRET}
    by_gateway = sender_of(chosen(tmp_path, sms="http", **named), database, seal, clock)
    shown = sender_of(chosen(tmp_path, sms="log", **named), database, seal, clock)

    assert isinstance(by_gateway, HttpSender)
    assert isinstance(shown, LogSender)
