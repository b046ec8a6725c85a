"""How a frozen value becomes another one. Every state in this house is such a value.

A decision makes a hundred of them per call, and `dataclasses.replace` is half of what a decision
costs: it asks each field about itself and runs the constructor anew. `replace` fills a mutable twin
of the value's class, which has the very same slots, and then turns the twin into the real thing:
some fifteen times as fast. The new value is held to its own `__post_init__` all the same.
"""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # Type checkers know the fields of this one.
    from dataclasses import replace as replace
else:

    def replace(value, /, **changes):
        """A copy of `value`, a frozen slotted dataclass, with some fields changed.

        Raises TypeError for a field it does not have, and whatever its `__post_init__` raises.
        """
        kind = type(value)
        copier = _COPIERS.get(kind) or _copier(kind)
        return copier(value, changes)


_Copier = Callable[[Any, dict[str, Any]], Any]

_COPIERS: dict[type, _Copier] = {}

_COPIER = """
def copy(value, changes):
    fresh = new(Twin)
{each}
    for name, changed in changes.items():
        if name not in names:
            raise TypeError(f"{{Kind.__name__}} has no field {{name}}")
        setattr(fresh, name, changed)
    fresh.__class__ = Kind
    {check}
    return fresh
"""


def _copier(kind: type) -> _Copier:
    """How values of this kind are copied: written once, as `dataclasses` writes constructors."""
    names = [field.name for field in dataclasses.fields(kind)]
    if len(names) < 2 or "__slots__" not in vars(kind):
        raise TypeError(f"{kind.__name__} is no slotted dataclass of several fields")
    twin = type(kind.__name__, kind.__bases__, {"__slots__": vars(kind)["__slots__"]})
    each = "\n".join(f"    fresh.{name} = value.{name}" for name in names)
    check = "fresh.__post_init__()" if hasattr(kind, "__post_init__") else ""
    scope: dict[str, Any] = {"new": object.__new__, "Twin": twin, "Kind": kind, "names": names}
    exec(_COPIER.format(each=each, check=check), scope)
    copier: _Copier = scope["copy"]
    _COPIERS[kind] = copier
    return copier
