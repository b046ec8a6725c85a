"""How a frozen value becomes another one. Every state in this house is such a value.

A decision makes a hundred of them per call, and `dataclasses.replace` is half of what a decision
costs: it asks each field about itself and runs the constructor anew. `replace` copies the slots
instead, some five times as fast, and holds the new value to its own `__post_init__` all the same.
"""

import dataclasses
from collections.abc import Callable
from itertools import repeat
from operator import attrgetter, call
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    # Type checkers know the fields of this one.
    from dataclasses import replace as replace
else:

    def replace(value, /, **changes):
        """A copy of `value`, a frozen slotted dataclass, with some fields changed.

        Raises TypeError for a field it does not have, and whatever its `__post_init__` raises.
        """
        kind = type(value)
        layout = _LAYOUTS.get(kind) or _layout(kind)
        fresh = object.__new__(kind)
        # A loop that runs in C: each writer gives None, so `any` takes them all.
        any(map(call, layout.writers, repeat(fresh), layout.read(value)))
        for name in changes:
            if name not in layout.writer_of:
                raise TypeError(f"{kind.__name__} has no field {name}")
            layout.writer_of[name](fresh, changes[name])
        if layout.is_checked:
            fresh.__post_init__()
        return fresh


class _Layout(NamedTuple):
    read: Callable[[Any], tuple[Any, ...]]
    writers: tuple[Callable[[Any, Any], None], ...]
    writer_of: dict[str, Callable[[Any, Any], None]]
    is_checked: bool


_LAYOUTS: dict[type, _Layout] = {}


def _layout(kind: type) -> _Layout:
    """Where the fields of a kind of value are kept: looked up once."""
    names = [field.name for field in dataclasses.fields(kind)]
    if len(names) < 2 or "__slots__" not in vars(kind):
        raise TypeError(f"{kind.__name__} is no slotted dataclass of several fields")
    writer_of = {name: getattr(kind, name).__set__ for name in names}
    layout = _Layout(
        read=attrgetter(*names),
        writers=tuple(writer_of.values()),
        writer_of=writer_of,
        is_checked=hasattr(kind, "__post_init__"),
    )
    _LAYOUTS[kind] = layout
    return layout
