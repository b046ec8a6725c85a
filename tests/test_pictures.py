"""The READMEs show every screen as a phone and as a desk see it, and the pictures stay small."""

import re

import pytest

from tests.browser.album import FOLDER, MOST_BYTES, READMES, SECTIONS, WIDTHS, album, kept, taken

_SHOWN = re.compile(r'src="(docs/pictures/[^"]+)"')


@pytest.mark.parametrize("language", READMES)
def test_a_readme_shows_all_pictures_of_its_language_and_no_other(language: str) -> None:
    text = READMES[language].read_text(encoding="utf-8")
    there = {str(path) for path in (FOLDER / language).iterdir()}

    assert album(language) in text, "take them anew: make pictures"
    assert set(_SHOWN.findall(text)) == there


def test_every_screen_was_taken_in_both_widths() -> None:
    for section in SECTIONS:
        for screen in section.screens:
            languages = [one for one in READMES if screen in taken(one)]
            assert languages, screen.name
    for language in READMES:
        for path in (FOLDER / language).iterdir():
            name = path.stem.rpartition("-")[0]
            assert all(kept(language, name, width).exists() for width in WIDTHS), path


def test_the_pictures_are_few_bytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.webp")) < MOST_BYTES
