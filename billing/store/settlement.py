"""The settlement's lines and sums. PostgreSQL adds up; what counts is decided in the core."""

from typing import TYPE_CHECKING

from billing.settlement import Grade, GradeLine
from terms.change import Change
from terms.ids import CallId, CounselorId, OrderId, ProgramId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

GRADE_COLUMNS = """call, order_id, program, counselor, ended_at, from_grade, to_grade,
    talked_seconds, at"""


def adding_grade(tenant: TenantId, line: GradeLine, entry: int) -> Change:
    """Write one line, to be done with other changes of the deciding transaction.

    `entry` is the number of the one in the order's book that vouches for it.
    """
    added = """
        grade_added AS (
            INSERT INTO call_grades (tenant, call, order_id, program, counselor, ended_at,
                from_grade, to_grade, talked_seconds, at, entry)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        )"""
    arguments = (
        *(tenant, line.call, line.order, line.program, line.counselor, line.ended_at),
        *(line.from_grade, line.to_grade, line.talked_seconds, line.at, entry),
    )
    return Change(added, "true AS grade_added", arguments)


async def grade_lines_of(
    connection: "Connection", tenant: TenantId, order: OrderId
) -> list[GradeLine]:
    """The order's lines, oldest first."""
    rows = await connection.fetch(
        f"""SELECT {GRADE_COLUMNS} FROM call_grades
            WHERE tenant = $1 AND order_id = $2 ORDER BY entry""",
        *(tenant, order),
    )
    return [read_line(row) for row in rows]


def read_line(row: "Record") -> GradeLine:
    """A line from a row that has `GRADE_COLUMNS`."""
    counselor = row["counselor"]
    return GradeLine(
        call=CallId(row["call"]),
        order=OrderId(row["order_id"]),
        program=ProgramId(row["program"]),
        counselor=None if counselor is None else CounselorId(counselor),
        ended_at=row["ended_at"],
        from_grade=Grade(row["from_grade"]),
        to_grade=Grade(row["to_grade"]),
        talked_seconds=row["talked_seconds"],
        at=row["at"],
    )
