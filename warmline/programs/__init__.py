"""Programs are data: one TOML file each, with a section per room (docs/programs.md)."""

from warmline.programs.files import (
    LineFault,
    ProgramFileInvalid,
    check,
    load_directory,
    load_programs,
    load_shipped,
    read_program,
)
from warmline.programs.program import DEFAULT_SPONSOR, Program, Text

__all__ = [
    "DEFAULT_SPONSOR",
    "LineFault",
    "Program",
    "ProgramFileInvalid",
    "Text",
    "check",
    "load_directory",
    "load_programs",
    "load_shipped",
    "read_program",
]
