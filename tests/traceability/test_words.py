"""What the pages say must be there: tests they name, rules they cite, files they point to."""

import re
from pathlib import Path

import pytest

from tests.traceability.catalogue import load
from tests.traceability.report import ROOT
from warmline.settings import CONFIG_VARIABLE, PREFIX, Settings

ENGLISH = ROOT / "README.md"
CHINESE = ROOT / "README.zh-CN.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")
_RULE = re.compile(r"(?<![\w-])([A-EX][0-9]{2})(?![\w-])")
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
_CODE = re.compile(r"`[^`]+`")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def structure(readme: Path) -> list[str]:
    """The marks of every line (headings, rows, items) and its code, whatever the language."""
    found = []
    in_block = False
    for line in readme.read_text(encoding="utf-8").splitlines():
        fence = line.startswith("```")
        in_block ^= fence
        if in_block or fence:
            found.append(line)
        elif mark := re.match(r"#+ |- |\|", line):
            found.append(" ".join([mark[0], f"{line.count('|')}", *sorted(_CODE.findall(line))]))
    return found


def test_both_readmes_have_the_same_parts_and_the_same_code() -> None:
    assert structure(ENGLISH) == structure(CHINESE)


def test_the_readme_lists_every_setting_and_no_other() -> None:
    table = ENGLISH.read_text(encoding="utf-8").partition("\n## Settings\n")[2]
    named = set(re.findall(r"`(WARMLINE_\w+)`", table.partition("\n## ")[0]))
    assert named == {CONFIG_VARIABLE} | {
        f"{PREFIX}{name.upper()}" for name in Settings.model_fields
    }


@each_page
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    for file, test in _NAMED_TEST.findall(page.read_text(encoding="utf-8")):
        source = ROOT / file
        assert source.is_file(), f"{file} is not there"
        if test:
            assert re.search(rf"def {test}\(", source.read_text(encoding="utf-8")), (
                f"{file} has no test {test}"
            )


@each_page
def test_every_rule_that_a_page_cites_is_known(page: Path) -> None:
    cited = set(_RULE.findall(page.read_text(encoding="utf-8")))
    assert cited <= load().ids


@each_page
def test_every_file_that_a_page_points_to_exists(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), f"{page.name} points to {target}"
