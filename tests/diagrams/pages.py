"""Which page of `docs/` shows which machine."""

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.diagrams import calls, orders
from tests.diagrams.walk import Diagram

_DOCS = Path(__file__).parents[2] / "docs"
PAGES: Mapping[Path, Callable[[], Diagram]] = {
    _DOCS / "call-states.md": calls.diagram,
    _DOCS / "order-states.md": orders.diagram,
}
