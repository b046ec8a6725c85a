"""What the service says in stable words, the pages say in the reader's."""

import ast
import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

import billing.remedy
import dialer.verdict
from billing.policies.columns import CHINESE, Column
from billing.policies.faults import SENTENCES, FaultCode
from billing.policies.file_faults import FILE_SENTENCES, FileFaultCode
from warmline.findings import KINDS, FindingCode

PAGES = Path("web/src/support/reasons.ts")
FILE_FAULTS = Path("web/src/operator/file-faults.ts")
LINE_FAULTS = Path("web/src/operator/line-faults.ts")
FINDINGS = Path("web/src/operator/findings.ts")
_PLACES = re.compile(r"\{(\w+)\}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
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
        assert _CHINESE.search(zh), word
        assert en.isascii(), word


def _table(page: Path, name: str) -> dict[str, str]:
    """The Chinese words of a page by their codes."""
    body = page.read_text(encoding="utf-8").partition(f"const {name}")[2].partition("\n};")[0]
    return dict(re.findall(r'^ +(\w+):\s+"([^"]+)",$', body, re.MULTILINE))


def _same_places(zh: str, en: str) -> bool:
    return sorted(_PLACES.findall(zh)) == sorted(_PLACES.findall(en))


@pytest.mark.parametrize("code", [*FaultCode, *FileFaultCode])
def test_why_a_list_or_a_line_of_it_is_not_taken_is_said_in_both_languages(
    code: FaultCode | FileFaultCode,
) -> None:
    zh = {**_table(LINE_FAULTS, "FAULTS"), **_table(FILE_FAULTS, "FILE_FAULTS")}[code]
    en = SENTENCES[code] if isinstance(code, FaultCode) else FILE_SENTENCES[code]

    assert _CHINESE.search(zh)
    assert en.isascii()
    assert _same_places(zh, en)


def _found() -> dict[str, tuple[str, str]]:
    """The Chinese subject and sentence of each finding."""
    text = FINDINGS.read_text(encoding="utf-8")
    (blocked,) = re.findall(r'^const BLOCKED =\s+"([^"]+)";$', text, re.MULTILINE)
    pairs = re.findall(r'^  (\w+): \[\s*"([^"]+)",\s*([^\]]+?),?\s*\],$', text, re.MULTILINE)
    return {
        code: (subject, sentence.replace("${BLOCKED}", blocked).replace("BLOCKED", blocked))
        for code, subject, sentence in pairs
    }


@pytest.mark.parametrize("code", FindingCode)
def test_what_the_doctor_finds_is_said_in_both_languages(code: FindingCode) -> None:
    kind = KINDS[code]
    subject, sentence = _found()[code]

    assert _CHINESE.search(sentence)
    assert (kind.subject + kind.sentence).isascii()
    assert _same_places(subject, kind.subject)
    assert set(_PLACES.findall(sentence)) == set(_PLACES.findall(kind.sentence))


def test_pages_call_columns_as_lists_do() -> None:
    told = _table(LINE_FAULTS, "COLUMNS")

    assert {one: told[one] in CHINESE[one] for one in Column} == dict.fromkeys(Column, True)
