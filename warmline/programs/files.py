"""Reading program files: the shipped ones, an operator's own, and the text an old order keeps."""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from terms.ids import ProgramId
from terms.section import ProgramInvalid
from warmline.exits import Unusable
from warmline.programs.lines import find_lines
from warmline.programs.program import Program, read_tables

_SHIPPED = Path(__file__).parent
# tomllib tells the place of a fault only inside its message until Python 3.14.
_AT_LINE = re.compile(r" \(at line (\d+), column \d+\)| \(at end of document\)")


@dataclass(frozen=True, slots=True, order=True)
class LineFault:
    """One thing wrong with a program file; `section` and `key` are empty for a broken text."""

    line: int
    section: str
    key: str
    message: str

    def __str__(self) -> str:
        place = f"[{self.section}] {self.key}".strip() if self.section else ""
        return f"line {self.line}: {place + ' ' if place else ''}{self.message}"


class ProgramFileInvalid(Unusable):
    """A program file that cannot be used, with every fault in it."""

    def __init__(self, path: Path, faults: list[LineFault]) -> None:
        told = "; ".join(str(fault) for fault in faults)
        super().__init__(f"The program file {path.name} cannot be used: {told}")
        self.path = path
        self.faults = faults


def load_shipped() -> dict[ProgramId, Program]:
    """The programs that come with Warmline, by id."""
    return load_directory(_SHIPPED)


def load_directory(directory: Path) -> dict[ProgramId, Program]:
    """Every `*.toml` of one directory, by id.

    Raises ProgramFileInvalid for the first file that has faults, or repeats another's id; Unusable
    when the directory cannot be read.
    """
    if not directory.is_dir():
        raise Unusable(f"There is no directory {directory}; WARMLINE_PROGRAMS must name one.")
    programs: dict[ProgramId, Program] = {}
    for path in sorted(directory.glob("*.toml")):
        program, faults = _read_file(path)
        if program is None:
            raise ProgramFileInvalid(path, faults)
        if program.id in programs:
            line = find_lines(program.body).of("program", "id")
            message = f"{program.id} is the id of another file in this directory"
            raise ProgramFileInvalid(path, [LineFault(line, "program", "id", message)])
        programs[program.id] = program
    return programs


def load_programs(added: Path | None) -> dict[ProgramId, Program]:
    """The shipped programs and those of `added`, where a file with a shipped id takes its place."""
    return load_shipped() | (load_directory(added) if added is not None else {})


def check(path: Path) -> list[LineFault]:
    """Everything wrong with one file, by line; empty when it can be used.

    Raises OSError when the file cannot be read.
    """
    return _read_file(path)[1]


def read_program(body: str) -> Program:
    """A program from its text, as `program_versions` keeps it for old orders (X38).

    Raises ProgramInvalid, or tomllib.TOMLDecodeError.
    """
    digest = hashlib.sha256(body.encode()).hexdigest()
    return read_tables(tomllib.loads(body), body, digest)


def _read_file(path: Path) -> tuple[Program | None, list[LineFault]]:
    raw = path.read_bytes()
    try:
        return read_program(raw.decode()), []
    except UnicodeDecodeError as wrong:
        line = raw.count(b"\n", 0, wrong.start) + 1
        return None, [LineFault(line, "", "", "is not UTF-8; save the file in that encoding")]
    except tomllib.TOMLDecodeError as wrong:
        return None, [_syntax_fault(raw.decode(), str(wrong))]
    except ProgramInvalid as invalid:
        lines = find_lines(raw.decode())
        return None, sorted(
            LineFault(lines.of(fault.section, fault.key), fault.section, fault.key, fault.message)
            for fault in invalid.faults
        )


def _syntax_fault(body: str, message: str) -> LineFault:
    place = _AT_LINE.search(message)
    line = int(place[1]) if place and place[1] else len(body.splitlines()) or 1
    return LineFault(line, "", "", f"is not TOML: {_AT_LINE.sub('', message)}")
