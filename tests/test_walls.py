"""The cores decide; they never look: no clock, no file, no loop. What imports cannot show."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("dialer", "routing", "billing", "terms")

CLOCKS = frozenset({"now", "utcnow", "today"})
LOOKS = frozenset({"open", "print", "input"})


def core_modules() -> list[Path]:
    """Every module of a room but its SQL and its carriers' drivers."""
    return [
        file
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
        if not _is_shell(file.relative_to(ROOT))
    ]


def _is_shell(file: Path) -> bool:
    if file.stem == "store" or "store" in file.parts:
        return True
    return file.parts[:2] == ("dialer", "carriers") and file.parts[2:] != ("__init__.py",)


def impurities(source: str) -> Iterator[str]:
    """What a pure module does not do, with its line."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in CLOCKS:
                yield f"line {node.lineno}: .{name}()"
            case ast.Call(func=ast.Name(id=name)) if name in LOOKS:
                yield f"line {node.lineno}: {name}()"
            case ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield f"line {node.lineno}: waits"


@pytest.mark.parametrize("file", core_modules(), ids=lambda file: str(file.relative_to(ROOT)))
def test_a_core_looks_at_no_clock_opens_no_file_and_waits_for_nothing(file: Path) -> None:
    assert list(impurities(file.read_text("utf-8"))) == []


def test_every_room_has_a_core() -> None:
    assert {file.relative_to(ROOT).parts[0] for file in core_modules()} == set(ROOMS)
    assert ROOT / "dialer" / "carriers" / "__init__.py" in core_modules()
    assert ROOT / "billing" / "store" / "orders.py" not in core_modules()


@pytest.mark.parametrize(
    "source",
    [
        "datetime.now(UTC)",
        "datetime.utcnow()",
        "date.today()",
        "open('a')",
        "async def f():\n    await g()",
    ],
)
def test_whoever_does_is_found(source: str) -> None:
    assert list(impurities(source)) != []
