"""Where in a program file a section or a key stands, so that a fault can name its line."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_HEADER = re.compile(r"""\s*\[\s*["']?([\w-]+)["']?\s*(?:\.[^\]]*)?\]""")
_TABLE = re.compile(r"""\s*\[\[\s*["']?([\w-]+)["']?\s*\.\s*["']?([\w-]+)["']?\s*\]\]""")
_KEY = re.compile(r"""\s*["']?([\w-]+)["']?\s*(?:\.\s*["']?([\w-]+)["']?\s*)?[=.]""")
_FENCES = ('"""', "'''")


@dataclass(frozen=True, slots=True)
class Lines:
    """The first line of every section and key, counted from 1."""

    sections: Mapping[str, int] = field(default_factory=dict)
    keys: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def of(self, section: str, key: str) -> int:
        """The line of the key; of its table, then its section, when the key is missing; else 1."""
        table, _, _ = key.rpartition(".")
        for known in (key, table, table.partition("[")[0]):
            if (section, known) in self.keys:
                return self.keys[section, known]
        return self.sections.get(section, 1)


def find_lines(body: str) -> Lines:
    """Read the places off the text. It need not be valid TOML."""
    sections: dict[str, int] = {}
    keys: dict[tuple[str, str], int] = {}
    section, within = "", ""
    tables: Counter[tuple[str, str]] = Counter()
    for number, line in _outside_long_texts(body):
        if table := _TABLE.match(line):
            section, name = table[1], table[2]
            tables[section, name] += 1
            within = f"{name}[{tables[section, name]}]"
            keys.setdefault((section, name), number)
            keys.setdefault((section, within), number)
            within += "."
        elif header := _HEADER.match(line):
            section, within = header[1], ""
            sections.setdefault(section, number)
        elif found := _KEY.match(line):
            if section:
                keys.setdefault((section, f"{within}{found[1]}"), number)
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
