"""The page on policies: every column is on it, and its example is a list."""

import re
from datetime import date
from pathlib import Path

from billing.policies.columns import CHINESE, REQUIRED, Column
from billing.policies.relation import Relation
from billing.policies.roster import gather
from billing.policies.rows import STATUSES
from warmline.policies.tables import read_table

PAGE = (Path(__file__).parents[3] / "docs" / "policies.md").read_text(encoding="utf-8")
ROWS = {
    row[1]: row.string[row.start() : row.string.index("\n", row.start())]
    for row in re.finditer(r"^\| `(\w+)`", PAGE, re.MULTILINE)
}


def test_every_column_is_there_with_all_its_headers() -> None:
    for column in Column:
        row = ROWS[column.value]
        for word in CHINESE[column]:
            assert word in row, column
        assert (f"`{column}` *" in row) is (column in REQUIRED), column


def test_every_status_and_relation_is_there() -> None:
    for word in STATUSES:
        assert word in ROWS["status"] or word == "已退保"
    for relation in Relation:
        assert f"`{relation}`" in ROWS["relation"]


def test_the_example_is_a_list_that_can_be_taken_over() -> None:
    example = PAGE.split("```")[3].strip()

    lines = read_table(example.encode())
    found = gather(
        ((line.number, line.cells) for line in lines), sponsor="default", today=date(2026, 1, 1)
    )

    assert found.rejected == ()
    assert [policy.number for policy in found.policies] == ["P2025000001", "P2025000002"]
