"""Every prompt that the code can speak, read from the code itself.

Whatever is handed to a function that speaks is resolved to keys: a word, a constant, a refusal's
code, a variable that is set from words nearby. What cannot be resolved is told, so that a prompt
nobody thought of fails the test instead of being silence on somebody's line.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dialer.policy import GREETING
from routing.admission import SpokenRefusal
from terms.refusals import RefusalCode
from warmline.desk.switchboard import told

ROOT = Path(__file__).parents[3]
PLACES = ("dialer", "warmline")
NOT_LOOKED_AT = ("dialer/carriers",)  # they play what they are given

SPEAKERS: Mapping[str, tuple[str, int]] = {
    "Say": ("", 1),
    "say_to_all": ("", 1),
    "say_farewell": ("", 1),
    "CounselorUnavailable": ("", 0),
    "_TurnedAway": ("warmline/desk/switchboard.py", 0),
    "_turn_away": ("warmline/desk/switchboard.py", 2),
}
"""Who speaks: where, if the name alone does not tell; and which of the arguments it speaks."""

PASSED_ON = frozenset(
    {
        ("dialer/machine/steps.py", "say_to_all", "prompt"),
        ("dialer/machine/steps.py", "say_farewell", "prompt"),
        ("dialer/machine/waiting.py", "_unavailable", "why"),  # CounselorUnavailable's
        ("warmline/desk/switchboard.py", "_turn_away", "prompt"),
        ("warmline/desk/switchboard.py", "_take_call_in", "why.prompt"),  # _TurnedAway's
        ("warmline/desk/switchboard.py", "_join", "offered.why"),  # CounselorUnavailable's
        ("warmline/simulation/obeying.py", "_translated", "prompt"),
    }
)
"""Speakers that only say what another speaker of the list handed to them."""

WORKED_OUT: Mapping[tuple[str, str], frozenset[str]] = {
    ("dialer/machine/steps.py", "policy.greeting"): frozenset({GREETING}),  # or a program's own
    ("warmline/desk/switchboard.py", "refusal"): frozenset(SpokenRefusal),
    ("warmline/desk/switchboard.py", "told(refusal.code)"): frozenset(map(told, RefusalCode)),
    ("warmline/desk/fold.py", "refusal"): frozenset(
        {RefusalCode.COUNSELOR_OFFLINE, RefusalCode.COUNSELOR_BUSY}  # routing.counselor.claimable
    ),
}

FAMILIES = frozenset({"position_prompt", "wait_prompts"})
"""Functions that make keys with a number in them; tested by their numbers."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the code speaks. `families`: beginnings of keys that end with a number."""

    keys: frozenset[str]
    families: frozenset[str]
    unresolved: tuple[str, ...]


def find() -> Found:
    """Look through the code."""
    keys: set[str] = set()
    families: set[str] = set()
    unresolved = []
    for file, function, tree, said in _everything_said():
        told_here = _resolve(file, function, tree, said)
        if told_here is None:
            unresolved.append(f"{file}: {function.name}: {ast.unparse(said)}")
            continue
        for key in told_here:
            (families if key.endswith("_") else keys).add(key)
    return Found(frozenset(keys), frozenset(families), tuple(unresolved))


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _everything_said() -> Iterator[tuple[str, Function, ast.Module, ast.expr]]:
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*.py")):
            file = path.relative_to(ROOT).as_posix()
            if file.startswith(NOT_LOOKED_AT):
                continue
            tree = ast.parse(path.read_text("utf-8"))
            for function in ast.walk(tree):
                if isinstance(function, Function):
                    yield from ((file, function, tree, said) for said in _said_in(file, function))


def _said_in(file: str, function: Function) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        where, place = SPEAKERS.get(name, ("", -1))
        if place < 0 or (where and where != file):
            continue
        named = [one.value for one in node.keywords if one.arg in ("prompt", "why")]
        yield named[0] if named else node.args[place]


def _resolve(
    file: str, function: Function, tree: ast.Module, said: ast.expr
) -> frozenset[str] | None:
    """The keys an expression can be; empty when another speaker answers for it."""
    text = ast.unparse(said)
    if (file, function.name, text) in PASSED_ON:
        return frozenset()
    if (file, text) in WORKED_OUT:
        return WORKED_OUT[file, text]
    match said:
        case ast.Constant(value=str(key)):
            return frozenset({key})
        case ast.Attribute(value=ast.Name(id="RefusalCode"), attr=name):
            return frozenset({RefusalCode[name].value})
        case ast.JoinedStr(values=[ast.Constant(value=str(beginning)), ast.FormattedValue()]):
            return frozenset({beginning})
        case ast.Name(id=name):
            return _set_nearby(name, function) or _set_nearby(name, tree)
    return None


def _set_nearby(name: str, within: ast.AST) -> frozenset[str] | None:
    """The words a variable is set to, or that a loop over another one takes it from."""
    for node in ast.walk(within):
        match node:
            case ast.comprehension(target=ast.Name(id=taken), iter=ast.Name(id=source)) if (
                taken == name
            ):
                return _set_nearby(source, within)
            case ast.Assign(targets=[ast.Name(id=taken)], value=value) if taken == name:
                return _words(value)
    return None


def _words(value: ast.expr) -> frozenset[str] | None:
    if any(isinstance(node, ast.Call) for node in ast.walk(value)):
        return _by_families(value)
    words = _constants(value)
    return frozenset(words) or None


def _constants(value: ast.expr) -> Iterable[str]:
    return {
        node.value
        for node in ast.walk(value)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def _by_families(value: ast.expr) -> frozenset[str] | None:
    called = {ast.unparse(node.func) for node in ast.walk(value) if isinstance(node, ast.Call)}
    return frozenset() if called <= FAMILIES else None
