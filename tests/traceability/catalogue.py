"""The rules asked of us and the defaults we chose: `tests/rules.toml`, read and checked."""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).resolve().parents[1] / "rules.toml"
RULE_CLASSES = ("telephony", "dispatch")
_RULE_ID = re.compile(r"[A-E][0-9]{2}")
_DEFAULT_ID = re.compile(r"X[0-9]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One document that asks something of us, under a neutral name."""

    id: str
    name: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing a source document asks; `rule_class` is `telephony` or `dispatch`."""

    id: str
    source: str
    rule_class: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """What we do where the sources are silent or disagree."""

    id: str
    sources: tuple[str, ...]
    question: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything a test may claim to prove."""

    sources: tuple[Source, ...]
    rules: tuple[Rule, ...]
    defaults: tuple[Default, ...]

    @property
    def entries(self) -> tuple[Rule | Default, ...]:
        """Rules and defaults: all that has an id of its own."""
        return (*self.rules, *self.defaults)

    @property
    def ids(self) -> frozenset[str]:
        """The ids that `@pytest.mark.rule` accepts."""
        return frozenset(entry.id for entry in self.entries)

    def rules_of(self, source: Source) -> tuple[Rule, ...]:
        """The rules of one document, in its own order."""
        return tuple(rule for rule in self.rules if rule.source == source.id)


class CatalogueInvalid(Exception):
    """The file does not say what a catalogue must; the text names the first fault."""


def load(path: Path = CATALOGUE) -> Catalogue:
    """Read the catalogue. Raises CatalogueInvalid when an id, source or class is wrong."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    catalogue = Catalogue(
        sources=tuple(Source(**entry) for entry in table["source"]),
        rules=tuple(_rule(entry) for entry in table["rule"]),
        defaults=tuple(_default(entry) for entry in table["default"]),
    )
    _check(catalogue)
    return catalogue


def _rule(entry: Mapping[str, Any]) -> Rule:
    return Rule(
        id=entry["id"], source=entry["source"], rule_class=entry["class"], text=entry["text"]
    )


def _default(entry: Mapping[str, Any]) -> Default:
    return Default(
        id=entry["id"],
        sources=tuple(entry["sources"]),
        question=entry["question"],
        text=entry["text"],
    )


def _check(catalogue: Catalogue) -> None:
    known = {source.id for source in catalogue.sources}
    for rule in catalogue.rules:
        if not _RULE_ID.fullmatch(rule.id):
            raise CatalogueInvalid(f"{rule.id}: a rule is named like A01")
        if rule.source not in known:
            raise CatalogueInvalid(f"{rule.id}: there is no source {rule.source}")
        if rule.rule_class not in RULE_CLASSES:
            raise CatalogueInvalid(f"{rule.id}: the class is one of {', '.join(RULE_CLASSES)}")
    for default in catalogue.defaults:
        if not _DEFAULT_ID.fullmatch(default.id):
            raise CatalogueInvalid(f"{default.id}: a default is named like X01")
        if not default.sources or not known.issuperset(default.sources):
            raise CatalogueInvalid(f"{default.id}: it must name sources that exist")
    ids = [source.id for source in catalogue.sources]
    ids += [entry.id for entry in catalogue.entries]
    for entry_id, times in Counter(ids).items():
        if times > 1:
            raise CatalogueInvalid(f"{entry_id}: it stands here {times} times")
