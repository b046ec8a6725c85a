"""Where in a program file a section or a key stands, so that a fault can name its line."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_HEADER = re.compile(r"""\s*\[\s*["']?([\w-]+)["']?\s*(?:\.[^\]]*)?\]""")
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*(?:\.\s*["']?([\w-]+)["']?\s*)?[=.]""")
_FENCES = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Lines:
    """The first line of every section and key, counted from 1."""

    sections: Mapping[str, int] = field(default_factory=dict)
    keys: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, section: str, key: str) -> int:
        """The line of the key; of its section when the key is missing; 1 when that is too."""
        return self.keys.get((section, key)) or self.sections.get(section, 1)


def find_lines(body: str) -> Lines:
    """Read the places off the text. It need not be valid TOML."""
    sections: dict[str, int] = {}
    keys: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in _outside_long_texts(body):
        if header := _HEADER.match(line):
            section = header[1]
            sections.setdefault(section, number)
        elif found := _KEY.match(line):
            if section:
                keys.setdefault((section, found[1]), number)
            else:  # before the first header: dialer.cap_seconds = 900
                sections.setdefault(found[1], number)
                if found[2]:
                    keys.setdefault((found[1], found[2]), number)
    return Lines(sections, keys)


def _outside_long_texts(body: str) -> Iterator[tuple[int, str]]:
    """Numbered lines, without those inside a text of several lines."""
    fence: str | None = None
    for number, line in enumerate(body.splitlines(), start=1):
        if fence is None:
            yield number, line
            fence = next((mark for mark in _FENCES if line.count(mark) == 1), None)
        elif fence in line:
            fence = None
