"""How frozen values are made, and how one becomes another. Every state in this house is one.

A decision makes hundreds of values per call. What `dataclasses` offers for that goes around a
frozen class's own lock, field by field, and takes most of the time that a decision takes. Here a
mutable twin of the class, which has the very same slots, is filled and then turned into the real
thing: two to four times as fast for a new value, fifteen times for a changed copy. What comes out
is the same, frozen and held to its own `__post_init__`.
"""

import ast
import dataclasses
import inspect
from collections.abc import Callable
from functools import cache
from textwrap import dedent
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    # Type checkers know the fields of this one.
    from dataclasses import replace as replace
else:

    def replace(value, /, **changes):
        """A copy of `value`, a frozen slotted dataclass, with some fields changed.

        Raises TypeError for a field it does not have, and whatever its `__post_init__` raises.
        """
        return _COPIERS[type(value)](value, changes)


T = TypeVar("T")


def quickly_made(kind: type[T]) -> type[T]:
    """Give a frozen slotted dataclass, which nothing derives from, a faster constructor.

    The constructor takes what it took before. It pays where there are three fields or more.
    """
    setattr(kind, "__new__", _constructor(kind, "cls"))  # noqa: B010 - checkers go by the dataclass
    delattr(kind, "__init__")
    return kind


def maker(kind: type[T]) -> type[T]:
    """The constructor of a quickly made class as a plain function, where very many are made.

    Python takes longer to call a class than to fill a value. It is typed as the class itself, for
    it is called in the same way.
    """
    plain: Any = _constructor(kind)
    made: type[T] = plain
    return made


def changer(kind: type[T], *changing: str) -> Callable[..., T]:
    """What `replace` does with just these fields: a plain function of the value, then of them.

    It takes half as long as `replace`, where a change is made very often: it runs `__post_init__`
    only where that reads one of them. Raises TypeError for a field that the class does not have.
    """
    names = [field.name for field in _fields(kind)]
    if unknown := set(changing).difference(names):
        raise TypeError(f"{kind.__name__} has no field {min(unknown)}")
    each = "\n".join(
        f"    fresh.{name} = {name if name in changing else f'value.{name}'}" for name in names
    )
    arguments = ", ".join(("value", *changing))
    plain: Any = kind
    is_checked = not _read_by_check(plain).isdisjoint(changing)
    return _written(
        _MAKER, kind, _tools(kind), is_checked=is_checked, arguments=arguments, each=each
    )


@cache
def _read_by_check(kind: type) -> frozenset[str]:
    """The fields that `__post_init__` reads, by its text; all, where it has `self` not just there.

    What a check does not read it cannot find wrong, and the value was held to it as it was before.
    """
    every = frozenset(field.name for field in _fields(kind))
    check = getattr(kind, "__post_init__", None)
    if check is None:
        return frozenset()
    try:
        text = ast.parse(dedent(inspect.getsource(check)))
    except OSError:
        return every
    itself = {check.__code__.co_varnames[0], "super"}
    uses = [one for one in ast.walk(text) if isinstance(one, ast.Name) and one.id in itself]
    reads = [
        one.attr
        for one in ast.walk(text)
        if isinstance(one, ast.Attribute) and one.value in uses and one.attr in every
    ]
    return frozenset(reads) if len(reads) == len(uses) else every


def _constructor(kind: type, *first: str) -> Callable[..., Any]:
    """A function of the arguments that the dataclass takes, after those named."""
    scope, arguments, each = {**_tools(kind), "unset": _UNSET}, list(first), []
    for field in _fields(kind):
        name, argument, value = field.name, field.name, field.name
        if field.kw_only and "*" not in arguments:
            arguments.append("*")
        if field.default is not dataclasses.MISSING:
            argument = f"{name}=default_{name}"
            scope[f"default_{name}"] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            argument, value = f"{name}=unset", f"default_{name}() if {name} is unset else {name}"
            scope[f"default_{name}"] = field.default_factory
        arguments.append(argument)
        each.append(f"    fresh.{name} = {value}")
    return _written(_MAKER, kind, scope, arguments=", ".join(arguments), each="\n".join(each))


_UNSET = object()

_MAKER = """
def made({arguments}):
    fresh = Twin()
{each}
    fresh.__class__ = Kind
    {check}
    return fresh
"""

_COPIER = """
def made(value, changes):
    fresh = Twin()
{each}
    try:
        for name in changes:
            setattr(fresh, name, changes[name])
    except AttributeError:
        raise TypeError(f"{{Kind.__name__}} has no field {{name}}") from None
    fresh.__class__ = Kind
    {check}
    return fresh
"""


class _Copiers(dict[type, Callable[[Any, dict[str, Any]], Any]]):
    """A function per class, written when the first of its values is copied."""

    def __missing__(self, kind: type) -> Callable[[Any, dict[str, Any]], Any]:
        each = "\n".join(f"    fresh.{field.name} = value.{field.name}" for field in _fields(kind))
        copier = self[kind] = _written(_COPIER, kind, _tools(kind), each=each)
        return copier


_COPIERS = _Copiers()


def _fields(kind: type) -> tuple["dataclasses.Field[Any]", ...]:
    return dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()


def _tools(kind: type) -> dict[str, Any]:
    """What the written functions need: the class and its twin."""
    slots = vars(kind).get("__slots__", ())
    if len(slots) < 2:
        raise TypeError(f"{kind.__name__} is no slotted dataclass of several fields")
    return {"Twin": _twin(kind, slots), "Kind": kind}


@cache
def _twin(kind: type, slots: tuple[str, ...]) -> type:
    return type(kind.__name__, kind.__bases__, {"__slots__": slots})


def _written(
    text: str, kind: type, scope: dict[str, Any], *, is_checked: bool = True, **parts: str
) -> Callable[..., Any]:
    """A function written for one class, as `dataclasses` writes its constructors."""
    check = "fresh.__post_init__()" if is_checked and hasattr(kind, "__post_init__") else ""
    exec(text.format(check=check, **parts), scope)
    made: Callable[..., Any] = scope["made"]
    return made
