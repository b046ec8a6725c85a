"""Numbers and times as they are spoken, in each language of the catalogue. Pure.

Chinese is spelled out, for a two before a measure word is not the two of a count.
"""

from collections.abc import Callable, Mapping

Speaker = Callable[[int], str]
"""What an amount is called: a number, minutes or seconds."""

_DIGITS = "零一二三四五六七八九"


def chinese_number(number: int) -> str:
    """0 to 99, as in `第十二位`."""
    if not 0 <= number <= 99:
        raise ValueError(f"{number} is not from 0 to 99")
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def chinese_minutes(minutes: int) -> str:
    """`两分钟`: before a measure word two has a word of its own."""
    return f"{_chinese_amount(minutes)}分钟"


def chinese_time(seconds: int) -> str:
    """`两分钟`, `三十秒`, `一分三十秒`, `一分零五秒`."""
    minutes, rest = divmod(seconds, 60)
    if rest == 0:
        return chinese_minutes(minutes)
    if minutes == 0:
        return f"{_chinese_amount(rest)}秒"
    zero = _DIGITS[0] if rest < 10 else ""
    return f"{_chinese_amount(minutes)}分{zero}{chinese_number(rest)}秒"


def english_number(number: int) -> str:
    """In digits: every voice reads them."""
    return str(number)


def english_minutes(minutes: int) -> str:
    """`1 minute`, `2 minutes`."""
    return _english_amount(minutes, "minute")


def english_time(seconds: int) -> str:
    """`2 minutes`, `30 seconds`, `1 minute and 30 seconds`."""
    minutes, rest = divmod(seconds, 60)
    told = [
        *([english_minutes(minutes)] if minutes else []),
        *([_english_amount(rest, "second")] if rest or not minutes else []),
    ]
    return " and ".join(told)


SPEAKERS: Mapping[str, Mapping[str, Speaker]] = {
    "zh-CN": {"number": chinese_number, "minutes": chinese_minutes, "time": chinese_time},
    "en": {"number": english_number, "minutes": english_minutes, "time": english_time},
}
"""By language and placeholder. `number` and `minutes` take these, `time` takes seconds."""


def _chinese_amount(number: int) -> str:
    return "两" if number == 2 else chinese_number(number)


def _english_amount(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
