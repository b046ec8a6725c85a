"""The pages in `docs/` show the machines as they are."""

from pathlib import Path

import pytest

import billing.order
import dialer.call
from tests.diagrams import calls, orders
from tests.diagrams.pages import PAGES
from tests.diagrams.walk import Diagram, page


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_page_in_the_repository_is_the_one_the_machine_gives(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == page(PAGES[path]()), "run `make diagrams`"


@pytest.mark.parametrize(
    ("diagram", "states"),
    [(calls.diagram(), dialer.call.State), (orders.diagram(), billing.order.State)],
    ids=["calls", "orders"],
)
def test_the_walk_visits_every_state(
    diagram: Diagram, states: type[dialer.call.State] | type[billing.order.State]
) -> None:
    visited = {*diagram.beginnings, *(edge.after for edge in diagram.edges)}

    assert visited == {state.value for state in states}


def test_nothing_leads_out_of_the_end_of_a_call() -> None:
    assert not [edge for edge in calls.diagram().edges if edge.before == "ended"]
