"""What the service says in stable words, the pages say in the reader's."""

import ast
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

import billing.remedy
import dialer.verdict

PAGES = Path("web/src/support/reasons.ts")
_WORD = re.compile(r"[a-z]+(_[a-z]+)*_|[a-z]+(_[a-z]+)+")
_IN_BOTH = re.compile(r'^ +(\w+): \[\s*"([^"]+)",\s*"([^"]+)",?\s*\],', re.MULTILINE)
_NOT_REASONS = {"claim_", "voucher_reissued"}
"""Words of the ledger and of orders, which billing.remedy writes as well."""


def _reasons(module: ModuleType) -> set[str]:
    """Every stable word that stands in the code; of one that ends in a number, what is before."""
    code = ast.parse(inspect.getsource(module))
    texts = {
        node.value
        for node in ast.walk(code)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return {text for text in texts if _WORD.fullmatch(text)} - _NOT_REASONS


def _known() -> dict[str, tuple[str, str]]:
    found = _IN_BOTH.findall(PAGES.read_text(encoding="utf-8"))
    return {word: (zh, en) for word, zh, en in found}


@pytest.mark.parametrize("module", [dialer.verdict, billing.remedy], ids=lambda one: one.__name__)
def test_support_reads_every_reason_in_both_languages(module: ModuleType) -> None:
    reasons = _reasons(module)
    assert len(reasons) > 10
    assert reasons <= _known().keys()


def test_a_drop_that_is_a_reason_to_go_on_has_words_of_its_own() -> None:
    """A proposal may give the verdict itself as its reason."""
    assert {"system_drop", "suspected_drop"} <= _known().keys()


def test_each_language_has_its_own_words() -> None:
    for word, (zh, en) in _known().items():
        assert re.search(r"[\u4e00-\u9fff]", zh), word
        assert en.isascii(), word
