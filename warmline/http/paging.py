"""Lists in pages: `limit` and an opaque `cursor` that only we can make."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from pydantic import Field

from warmline.http.asked import Asked
from warmline.http.model import Model, Query, Whole
from warmline.http.problems import BadInput, InputFault
from warmline.seal import AesSeal

DEFAULT_LIMIT = 20
MOST = 100

Key = tuple[str | int, ...]
"""Where a page ends: the sort key of its last row, the id last."""

I = TypeVar("I", bound=Model)  # noqa: E741
R = TypeVar("R")

_TAG_BYTES = 32


class Page(Query):
    """Which part of a list. Subclass it to add filters."""

    limit: Annotated[Whole, Field(ge=1, le=MOST)] = DEFAULT_LIMIT
    """How many items at most."""

    cursor: Annotated[str, Field(max_length=512)] | None = None
    """`next_cursor` of the page before."""

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than is shown tells whether there is a next page."""
        return self.limit + 1


class PageOf(Model, Generic[I]):
    """A part of a list; `next_cursor` is null on the last one."""

    items: list[I]
    next_cursor: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """`OrderPage` for orders, instead of `PageOf[Order]`."""
        return f"{params[0].__name__}Page"


def start_after(asked: Asked, page: Page) -> Key | None:
    """The sort key the page starts after, None for the first page.

    Raises BadInput for a cursor that we did not make for this operation.
    """
    if page.cursor is None:
        return None
    key = _read(asked.frame.seal, asked.operation, page.cursor)
    if key is None:
        detail = "is not a next_cursor of this list"
        raise BadInput(InputFault(place="query", pointer="/cursor", detail=detail))
    return key


def page_of(
    asked: Asked,
    page: Page,
    rows: Sequence[R],
    *,
    show: Callable[[R], I],
    key: Callable[[R], Key],
) -> tuple[list[I], str | None]:
    """The items and `next_cursor` of `rows`, of which `page.fetch` were asked for."""
    shown = rows[: page.limit]
    cursor = None
    if len(rows) > page.limit:
        cursor = _made(asked.frame.seal, asked.operation, key(shown[-1]))
    return [show(row) for row in shown], cursor


def _purpose(operation: str) -> str:
    return f"cursor {operation}"


def _made(seal: AesSeal, operation: str, key: Key) -> str:
    text = json.dumps(key, separators=(",", ":")).encode()
    tag = seal.sign(text, _purpose(operation))
    return base64.urlsafe_b64encode(tag + text).decode().rstrip("=")


def _read(seal: AesSeal, operation: str, cursor: str) -> Key | None:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except ValueError:
        return None
    tag, text = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
    if not seal.signed(text, _purpose(operation), tag):
        return None
    return tuple(json.loads(text))
