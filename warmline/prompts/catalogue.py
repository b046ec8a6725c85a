"""The prompts: a key, and its text in every language. Pure but for reading the catalogue, which is
part of the package.

A number is never put together from pieces: each that can be spoken is a prompt of its own, so there
is a bounded set of them and a file says a whole sentence (docs/prompts.md).
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from dialer.machine.waiting import FARTHEST_TOLD, WAIT_STEPS_MINUTES
from dialer.policy import CapKind, Policy
from warmline.prompts.numbers import SPEAKERS

LANGUAGES = ("zh-CN", "en")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One thing that is said; `key` is what the machine orders and what its files are called."""

    key: str
    texts: Mapping[str, str]  # by language


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How a language is synthesised: the voice's name at espeak-ng, and its pace."""

    espeak: str
    words_per_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What the TOML file holds."""

    voices: Mapping[str, Voice]  # by language
    fixed: Mapping[str, Mapping[str, str]]
    numbered: Mapping[str, Mapping[str, str]]  # with one placeholder of `numbers.SPEAKERS`

    def prompts(
        self, warn_seconds: Iterable[int], own: Iterable[Prompt] = ()
    ) -> tuple[Prompt, ...]:
        """Every prompt that can be spoken where programs warn `warn_seconds` before the end, and
        have these of their `own`.
        """
        numbers = {
            "position": range(2, FARTHEST_TOLD + 1),
            "wait": WAIT_STEPS_MINUTES,
            "left": sorted(set(warn_seconds), reverse=True),
        }
        return (
            *(Prompt(key=key, texts=texts) for key, texts in self.fixed.items()),
            *own,
            *(
                Prompt(key=f"{family}_{number}", texts=_filled(texts, number))
                for family, texts in self.numbered.items()
                for number in numbers[family]
            ),
        )


def read(body: str) -> Catalogue:
    """A catalogue from its TOML."""
    tables = tomllib.loads(body)
    return Catalogue(
        voices={language: Voice(**voice) for language, voice in tables["voices"].items()},
        fixed=tables["prompts"],
        numbered=tables["numbered"],
    )


@cache
def shipped() -> Catalogue:
    """The catalogue of this version, read once."""
    return read((resources.files("warmline.prompts") / "catalogue.toml").read_text("utf-8"))


def warned_seconds(policies: Iterable[Policy]) -> frozenset[int]:
    """When the programs behind these policies warn of the end: each has a prompt of its own."""
    return frozenset(
        seconds
        for policy in policies
        if policy.cap_kind is not CapKind.NONE
        for seconds in policy.warn_seconds
    )


def own_greetings(policies: Iterable[Policy]) -> tuple[Prompt, ...]:
    """The greetings that programs have words of their own for."""
    return tuple(
        Prompt(key=policy.greeting, texts=dict(policy.greeting_texts))
        for policy in policies
        if policy.greeting_texts
    )


def _filled(texts: Mapping[str, str], number: int) -> dict[str, str]:
    return {
        language: text.format_map(_Spoken(language, number)) for language, text in texts.items()
    }


class _Spoken(dict[str, str]):
    """Says a number in the words that a placeholder asks for, and only those."""

    def __init__(self, language: str, number: int) -> None:
        super().__init__()
        self._language = language
        self._number = number

    def __missing__(self, placeholder: str) -> str:
        return SPEAKERS[self._language][placeholder](self._number)
