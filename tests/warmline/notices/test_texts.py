"""Every text in both languages: the same facts, short enough for one SMS, nothing to hide."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing.policies.changes import MOST_EN, MOST_ZH
from tests.warmline.notices.kit import SHANGHAI
from warmline.desk.claim_writing import CLAIM_SMS_TEMPLATES
from warmline.desk.telling import SMS_TEMPLATES
from warmline.notices.texts import (
    SERVICE_CHANGES,
    VERIFICATION_CODE,
    VOUCHER_CODE,
    VOUCHER_EXPIRED,
    VOUCHER_REISSUED,
    VOUCHER_REVIVED,
    Language,
    TextMissing,
    catalogue,
    fill,
    placeholders,
)
from warmline.programs import load_shipped

SIGNATURE = "【暖线心理热线】"
TEMPLATES = {
    SERVICE_CHANGES,
    VERIFICATION_CODE,
    VOUCHER_CODE,
    VOUCHER_EXPIRED,
    VOUCHER_REISSUED,
    VOUCHER_REVIVED,
    *SMS_TEMPLATES,
    *CLAIM_SMS_TEMPLATES,
}
EVERYTHING = TEMPLATES | {"order_interrupted_uncapped", "claim_resumed_uncapped"}
NOW = datetime(2030, 1, 1, 4, 0, tzinfo=UTC)
DATA: dict[str, str | int | None] = {
    "code": "482913",
    "expires_at": "2030-01-01T04:05:00+00:00",
    "remaining_seconds": 1499,
    "until": "2030-12-31T14:00:00+00:00",
    "shows": "+862112345678",
    "effective_on": "2030-12-31",
    "what_zh": "改" * MOST_ZH,
    "what_en": "x" * MOST_EN,
}
MAY_BE_NAMED = {"code", "last_day", "valid_minutes", "minutes_left", "until", "shows"} | {
    "from_day",
    "what",
}


@pytest.mark.parametrize("language", Language)
def test_there_is_a_text_for_every_sms_the_desk_decides_on(language: Language) -> None:
    assert set(catalogue(language).texts) == EVERYTHING


@pytest.mark.parametrize("template", sorted(EVERYTHING))
def test_both_languages_tell_the_same_facts(template: str) -> None:
    chinese, english = (catalogue(language).texts[template] for language in Language)

    assert placeholders(chinese) == placeholders(english)


@pytest.mark.parametrize("template", sorted(EVERYTHING))
@pytest.mark.parametrize("language", Language)
def test_no_text_can_hold_a_name_a_topic_or_the_others_number(
    template: str, language: Language
) -> None:
    """`shows` is the program's own number, which the caller's display shows anyway."""
    assert placeholders(catalogue(language).texts[template]) <= MAY_BE_NAMED


@pytest.mark.parametrize("template", sorted(EVERYTHING))
@pytest.mark.parametrize("language", Language)
def test_no_text_names_a_program(template: str, language: Language) -> None:
    text = fill(template, language, DATA, SHANGHAI, NOW)

    for program in load_shipped().values():
        assert program.name.zh not in text
        assert program.name.en.lower() not in text.lower()


@pytest.mark.parametrize("template", sorted(EVERYTHING))
def test_a_text_and_its_signature_are_one_sms(template: str) -> None:
    chinese = fill(template, Language.ZH, DATA, SHANGHAI, NOW)
    english = fill(template, Language.EN, DATA, SHANGHAI, NOW)

    assert len(SIGNATURE + chinese) <= 70
    assert len("[Warmline] " + english) <= 160
    assert english.isascii()


@pytest.mark.rule("B12")
def test_the_code_and_how_long_it_lives_are_told() -> None:
    text = fill(VERIFICATION_CODE, Language.ZH, DATA, SHANGHAI, NOW)

    assert text.startswith("验证码482913，5分钟内有效。")


@pytest.mark.rule("A36", "X10")
@pytest.mark.parametrize(("language", "day"), [("zh-CN", "2030年12月31日"), ("en", "31 Dec 2030")])
def test_a_new_voucher_code_comes_with_the_last_day_it_is_good(language: str, day: str) -> None:
    data = {"code": "ABCD-EFGH-JKMN-PQRS", "expires_at": "2030-12-31T16:00:00+00:00"}

    text = fill(VOUCHER_REISSUED, Language(language), data, SHANGHAI, NOW)

    assert "ABCD-EFGH-JKMN-PQRS" in text
    assert day in text
    assert len(SIGNATURE + text) <= (70 if language == "zh-CN" else 160)


@pytest.mark.rule("B04")
@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("zh-CN", "您享有的电话服务自2027年3月1日起有变化：通话时间改为9点至21点。"),
        ("en", "Your phone service changes from 1 Mar 2027: talks from 9:00 to 21:00."),
    ],
)
def test_a_change_is_told_with_its_first_day_and_in_the_programs_words(
    language: str, told: str
) -> None:
    data = {
        "effective_on": "2027-03-01",
        "what_zh": "通话时间改为9点至21点",
        "what_en": "talks from 9:00 to 21:00",
    }

    assert fill(SERVICE_CHANGES, Language(language), data, SHANGHAI, NOW) == told


def test_a_code_on_its_way_has_not_lost_a_minute() -> None:
    text = fill(VERIFICATION_CODE, Language.ZH, DATA, SHANGHAI, NOW + timedelta(seconds=2))

    assert "5分钟内有效" in text


@pytest.mark.rule("X27")
def test_before_the_last_try_the_caller_learns_from_which_number_it_comes() -> None:
    text = fill("we_will_call_again", Language.ZH, DATA, SHANGHAI, NOW)

    assert "+862112345678" in text


def test_a_program_that_shows_no_number_is_told_of_in_words() -> None:
    text = fill("we_will_call_again", Language.EN, {"shows": "warmline"}, SHANGHAI, NOW)

    assert "our service number" in text


@pytest.mark.parametrize(
    ("language", "zone", "told"),
    [
        (Language.ZH, "Asia/Shanghai", "12月31日22:00"),
        (Language.EN, "Asia/Shanghai", "until 22:00 on 31 Dec"),
        (Language.EN, "Asia/Tokyo", "until 23:00 on 31 Dec"),
    ],
)
def test_times_are_told_in_the_programs_zone(language: Language, zone: str, told: str) -> None:
    assert told in fill("order_interrupted", language, DATA, ZoneInfo(zone), NOW)


@pytest.mark.parametrize(("seconds", "told"), [(1499, "24"), (300, "5"), (59, "1"), (0, "1")])
def test_no_more_minutes_are_promised_than_there_are(seconds: int, told: str) -> None:
    data = DATA | {"remaining_seconds": seconds}

    assert f"还剩{told}分钟" in fill("order_interrupted", Language.ZH, data, SHANGHAI, NOW)


@pytest.mark.parametrize("template", ["order_interrupted", "claim_resumed"])
def test_an_order_without_a_cap_has_no_minutes_to_speak_of(template: str) -> None:
    data = DATA | {"remaining_seconds": None}

    text = fill(template, Language.ZH, data, SHANGHAI, NOW)

    assert "分钟" not in text
    assert "12月31日22:00" in text


@pytest.mark.parametrize(("template", "data"), [("nothing", DATA), ("order_interrupted", {})])
def test_a_text_or_a_fact_that_is_missing_is_said(
    template: str, data: dict[str, str | int | None]
) -> None:
    with pytest.raises(TextMissing):
        fill(template, Language.ZH, data, SHANGHAI, NOW)
