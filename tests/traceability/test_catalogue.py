"""The catalogue holds what was asked, once each."""

from collections import Counter
from pathlib import Path

import pytest

from tests.traceability.catalogue import CATALOGUE, CatalogueInvalid, load


def test_every_rule_in_scope_is_listed() -> None:
    catalogue = load()
    per_source = {source.id: len(catalogue.rules_of(source)) for source in catalogue.sources}
    assert per_source == {"000": 42, "001": 51, "002": 51, "003": 40, "004": 63}
    assert Counter(rule.rule_class for rule in catalogue.rules) == {
        "telephony": 70,
        "dispatch": 177,
    }


def test_every_default_is_listed_in_order() -> None:
    assert [default.id for default in load().defaults] == [f"X{n:02}" for n in range(1, 57)]


def test_every_text_is_one_sentence_like_line() -> None:
    for entry in load().entries:
        assert entry.text.strip() == entry.text
        assert entry.text.endswith(".")
        assert "\n" not in entry.text


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('id = "A02"', 'id = "A01"', "A01: it stands here 2 times"),
        ('id = "A02"', 'id = "Z9"', "Z9: a rule is named like A01"),
        ('id = "X02"', 'id = "B02"', "B02: a default is named like X01"),
        ('class = "telephony"', 'class = "telefony"', "A01: the class is one of"),
        ('source = "000"', 'source = "999"', "A01: there is no source 999"),
        ('sources = ["000"]', "sources = []", "X01: it must name sources that exist"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, old: str, new: str, fault: str) -> None:
    broken = tmp_path / "rules.toml"
    broken.write_text(CATALOGUE.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueInvalid, match=fault):
        load(broken)
