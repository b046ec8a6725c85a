"""Lists as files, and taking them over."""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from openpyxl import Workbook

from billing.policies.columns import Column
from billing.policies.roster import Roster
from billing.policies.waiting import today_in_china
from tests.billing.policies.lists import GOOD
from tests.people import TENANT
from warmline.ids import new_id
from warmline.policies.importing import Choice, Comparison, Importer
from warmline.policies.tables import read_table
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

Row = dict[Column, str]

APPLY = Choice(apply=True)
PARTIAL = Choice(apply=True, partial=True)
LOOK = Choice()


def as_csv(
    rows: Iterable[Row], *, headers: Sequence[str] | None = None, encoding: str = "utf-8"
) -> bytes:
    """The rows as a file, with every column that one of them has."""
    told = list(rows)
    columns = list(dict.fromkeys(column for row in told for column in row)) or list(GOOD)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headers or [column.value for column in columns])
    writer.writerows([row.get(column, "") for column in columns] for row in told)
    return text.getvalue().encode(encoding)


def as_xlsx(rows: Iterable[Sequence[Any]], *, sheets: int = 1) -> bytes:
    """The cells as a workbook."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(list(row))
    for _ in range(sheets - 1):
        book.create_sheet()
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def zip_bomb() -> bytes:
    """Some kilobytes that would become sixteen megabytes of sheet."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("xl/worksheets/sheet1.xml", b"0" * 16 * 1024 * 1024)
    return packed.getvalue()


async def warm(pool: "Pool[Record]", count: int) -> None:
    """Have so many connections ready: who opens one first would be done before the others begin."""
    connections = [await pool.acquire() for _ in range(count)]
    for connection in connections:
        await pool.release(connection)


@dataclass(frozen=True, slots=True)
class Office:
    """Where lists are taken over."""

    pool: "Pool[Record]"
    seal: AesSeal
    now: datetime

    def importer(self) -> Importer:
        """Somebody who imports."""
        return Importer(
            seal=self.seal,
            tenant=TENANT,
            by="test",
            new_id=new_id,
            progress=lambda stage, done, total: None,
        )

    def read(self, raw: bytes, *, sponsor: str = "default") -> Roster:
        """What the list says."""
        today = today_in_china(self.now)
        return self.importer().gather(read_table(raw), sponsor=sponsor, today=today)

    async def take(
        self, raw: bytes, choice: Choice = APPLY, *, sponsor: str = "default"
    ) -> tuple[Comparison, bool]:
        """Take a list over, in a transaction of its own."""
        roster = self.read(raw, sponsor=sponsor)
        async with self.pool.acquire() as connection, connection.transaction():
            return await self.importer().take_over(connection, roster, choice, self.now)

    async def everything(self) -> list[tuple[Any, ...]]:
        """All that is kept of policies and people, without what a list does not tell."""
        rows = await self.pool.fetch(
            """SELECT number, product, status, purchased_on, effective_on, cooling_off_end, ends_on,
                   digest, person.id, role, relation, speaks_for, details, phone
               FROM insurance_policies AS policy JOIN policy_people AS person
                   ON person.tenant = policy.tenant AND person.policy = policy.id
               ORDER BY sponsor, number, place, role"""
        )
        return [tuple(row.values()) for row in rows]
