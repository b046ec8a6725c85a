"""Reading one section of a program file: every fault is collected, none stops the reading.

A program is data (one TOML table per room). Each room reads its own section with this reader, so
that all of them report faults alike and the operator sees all of them at once.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class ProgramFault:
    """One thing wrong with a program file: where, and what to write instead."""

    section: str
    key: str
    message: str


class ProgramInvalid(Exception):
    """The section cannot be used; `faults` holds everything that was found wrong."""

    def __init__(self, faults: tuple[ProgramFault, ...]) -> None:
        super().__init__("; ".join(f"[{f.section}] {f.key}: {f.message}" for f in faults))
        self.faults = faults


class Section:
    """A cursor over one table. Take each key once, then call `finish`.

    `within` is the path of a table inside the section: its keys are told with it before their name.
    """

    def __init__(self, name: str, table: Mapping[str, object], *, within: str = "") -> None:
        self.name = name
        self._within = within
        self._table = table
        self._taken: set[str] = set()
        self._faults: list[ProgramFault] = []
        self._tables: list[Section] = []

    def fault(self, key: str, message: str) -> None:
        """Note a fault that only the room itself can see (two keys that contradict, say)."""
        self._faults.append(ProgramFault(self.name, f"{self._within}{key}", message))

    def whole(
        self, key: str, *, least: int = 0, most: int = 10**9, default: int | None = None
    ) -> int:
        """A whole number between `least` and `most`; required when there is no default."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int):
            return self._wrong(key, value, "must be a whole number", least)
        if not least <= value <= most:
            return self._wrong(key, value, f"must be between {least} and {most}", least)
        return value

    def wholes(
        self, key: str, *, least: int = 0, most: int = 10**9, default: tuple[int, ...] | None = None
    ) -> tuple[int, ...]:
        """A list of whole numbers, each between `least` and `most`."""
        value = self._take(key, default)
        if not isinstance(value, list | tuple) or not all(
            isinstance(item, int) and not isinstance(item, bool) and least <= item <= most
            for item in value
        ):
            message = f"must be a list of whole numbers between {least} and {most}"
            return self._wrong(key, value, message, ())
        return tuple(value)

    def word(
        self, key: str, *, among: Collection[str] | None = None, default: str | None = None
    ) -> str:
        """A text, one of `among` where that is given."""
        value = self._take(key, default)
        if not isinstance(value, str) or not value:
            return self._wrong(key, value, "must be a text", "")
        if among is not None and value not in among:
            return self._wrong(key, value, f"must be one of {', '.join(sorted(among))}", "")
        return value

    def words(self, key: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A list of texts."""
        value = self._take(key, default)
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
            return self._wrong(key, value, "must be a list of texts", ())
        return tuple(value)

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            return self._wrong(key, value, "must be true or false", False)
        return value

    def day(self, key: str, *, required: bool = False) -> date | None:
        """A day like 2027-01-31, as a text or as TOML's own date; None where there is none."""
        value = self._take(key, None)
        if value is None or value in ("", "-"):
            return self._wrong(key, None, "", None) if required else None
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        try:
            return date.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            return self._wrong(key, value, "must be a day like 2027-01-31", None)

    def tables(self, key: str) -> tuple["Section", ...]:
        """A list of tables, `[[section.key]]`: each read like a section, finished with this one."""
        value = self._take(key, ())
        if not isinstance(value, list | tuple) or not all(isinstance(one, dict) for one in value):
            return self._wrong(key, value, f"must be tables: [[{self.name}.{key}]]", ())
        inner = tuple(
            Section(self.name, table, within=f"{key}[{place}].")
            for place, table in enumerate(value, start=1)
        )
        self._tables += inner
        return inner

    def finish(self) -> None:
        """Report every fault at once, unknown keys among them.

        Raises ProgramInvalid when there is any.
        """
        faults = self._all_faults()
        if faults:
            raise ProgramInvalid(faults)

    def _all_faults(self) -> tuple[ProgramFault, ...]:
        for key in self._table:
            if key not in self._taken:
                self.fault(key, "is not a key of this section; take it out or mend its spelling")
        within = (fault for table in self._tables for fault in table._all_faults())
        return (*self._faults, *within)

    def _take(self, key: str, default: object) -> object:
        self._taken.add(key)
        return self._table.get(key, default)

    def _wrong(self, key: str, value: object, message: str, stand_in: T) -> T:
        self.fault(key, "is missing" if value is None else message)
        return stand_in
