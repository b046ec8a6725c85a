"""The texts of SMS: one catalogue per language, filled with the data of a notice. Pure but for
reading the catalogues, which are part of the package."""

import re
import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime

Data = Mapping[str, str | int | None]

VERIFICATION_CODE = "verification_code"
VOUCHER_CODE = "voucher_code"
VOUCHER_REISSUED = "voucher_reissued"
VOUCHER_REVIVED = "voucher_revived"
VOUCHER_EXPIRED = "voucher_expired"
SERVICE_CHANGES = "service_changes"

_SPEAKS_OF_MINUTES = frozenset({"order_interrupted", "claim_resumed"})

_ON_ITS_WAY = timedelta(seconds=15)
"""A code that was sent at once has not lost a minute by it."""

_LEAST = timedelta(microseconds=1)
"""An end is the first moment that is too late; people are told the last day before it."""

_DIALLABLE = re.compile(r"\+?[0-9]{3,15}")


class Language(StrEnum):
    """The languages we write in; Chinese is meant unless somebody says otherwise."""

    ZH = "zh-CN"
    EN = "en"


class TextMissing(LookupError):
    """No such template, or the notice lacks what the template names. Trying again cannot help."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The texts of one language."""

    language: Language
    until: str  # how a time is written, as a Babel pattern
    day: str  # how a date is written, likewise
    our_number: str  # when a program shows a name instead of a number
    texts: Mapping[str, str]


@cache
def catalogue(language: Language) -> Catalogue:
    """The catalogue of `language`, read once."""
    file = resources.files("warmline.notices") / "catalogue" / f"{language}.toml"
    read = tomllib.loads(file.read_text("utf-8"))
    return Catalogue(language=language, **read["formats"], texts=read["texts"])


def placeholders(text: str) -> frozenset[str]:
    """The names a template has filled in."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


def fill(template: str, language: Language, data: Data, zone: ZoneInfo, now: datetime) -> str:
    """The text of a template, with times in the program's zone. Raises TextMissing."""
    words = catalogue(language)
    text = words.texts.get(_variant(template, data))
    if text is None:
        raise TextMissing(f"there is no text for {template}")
    return text.format_map(
        {name: _word(name, words, data, zone, now) for name in placeholders(text)}
    )


def _variant(template: str, data: Data) -> str:
    """An order without a cap has no minutes left to speak of."""
    uncapped = template in _SPEAKS_OF_MINUTES and data.get("remaining_seconds") is None
    return f"{template}_uncapped" if uncapped else template


def _word(name: str, words: Catalogue, data: Data, zone: ZoneInfo, now: datetime) -> str:
    match name:
        case "code":
            return str(_given(data, "code"))
        case "valid_minutes":
            return str(_minutes(_instant(data, "expires_at") + _ON_ITS_WAY - now))
        case "minutes_left":
            return str(_minutes(timedelta(seconds=int(_given(data, "remaining_seconds")))))
        case "until":
            locale = Locale.parse(words.language, sep="-")
            return format_datetime(_instant(data, "until"), words.until, zone, locale)
        case "last_day":
            locale = Locale.parse(words.language, sep="-")
            last = _instant(data, "expires_at") - _LEAST
            return format_date(last.astimezone(zone).date(), words.day, locale)
        case "from_day":
            locale = Locale.parse(words.language, sep="-")
            return format_date(
                date.fromisoformat(str(_given(data, "effective_on"))), words.day, locale
            )
        case "what":
            return str(_given(data, "what_zh" if words.language is Language.ZH else "what_en"))
        case "shows":
            shown = str(_given(data, "shows"))
            return shown if _DIALLABLE.fullmatch(shown) else words.our_number
        case _:
            raise TextMissing(f"nothing is known about {name}")


def _given(data: Data, key: str) -> str | int:
    value = data.get(key)
    if value is None:
        raise TextMissing(f"{key} is missing")
    return value


def _instant(data: Data, key: str) -> datetime:
    return datetime.fromisoformat(str(_given(data, key)))


def _minutes(span: timedelta) -> int:
    """Whole minutes: never more than there are, and at least one."""
    return max(int(span.total_seconds()) // 60, 1)
