"""Quotas, each written together with the entry that says why."""

import json
from datetime import date, datetime
from typing import TYPE_CHECKING

from billing.ledger import Entry, Head
from billing.quota import Period, Quota, Stage, Use, standing_for
from billing.store.connection import carry_out
from billing.store.ledger import entry_arguments, noting
from terms.change import Change
from terms.ids import BookId, OrderId, ProgramId, TenantId

if TYPE_CHECKING:
    from billing.store.connection import Connection, Record

QUOTA_COLUMNS = """book, program, subject, period, starts, ends, uses, no_contacts, changed_at,
    head_number, head_hash"""


class QuotaMoved(Exception):
    """Somebody else moved the quota since it was read: read again and decide anew."""


async def lock_quota(
    connection: "Connection", tenant: TenantId, blank: Quota, anchor: date | None = None
) -> Quota:
    """The quota that `quota.quota_on` named by `anchor`, or the one that stands for it since the
    anchor was corrected; nobody else's until the transaction ends.

    One that nobody used yet is made.
    """
    if anchor is not None:
        blank = standing_for(blank, anchor, await _on_shelf(connection, tenant, blank.shelf))
    row = await connection.fetchrow(
        f"""INSERT INTO quotas (tenant, {QUOTA_COLUMNS})
            VALUES ($1, $2, $3, $4, $5, $6, $7, '[]', 0, NULL, 0, $8)
            ON CONFLICT (tenant, book) DO UPDATE SET program = excluded.program
            RETURNING {QUOTA_COLUMNS}""",
        tenant,
        blank.book,
        blank.program,
        blank.subject,
        blank.period,
        blank.starts,
        blank.ends,
        blank.head.hash,
    )
    assert row is not None
    return read_quota(row)


async def _on_shelf(connection: "Connection", tenant: TenantId, shelf: str) -> list[Quota]:
    """The quotas of one program, subject and period, whatever the year."""
    rows = await connection.fetch(
        f"""SELECT {QUOTA_COLUMNS} FROM quotas
            WHERE tenant = $1 AND book >= $2 || '-' AND book < $2 || '.'""",
        *(tenant, shelf),
    )
    return [read_quota(row) for row in rows]


async def load_quota(connection: "Connection", tenant: TenantId, book: BookId) -> Quota | None:
    """The quota as it is, unlocked; None when nobody used it yet."""
    row = await connection.fetchrow(
        f"SELECT {QUOTA_COLUMNS} FROM quotas WHERE tenant = $1 AND book = $2", tenant, book
    )
    return read_quota(row) if row else None


async def save_quota(
    connection: "Connection", tenant: TenantId, quota: Quota, entry: Entry
) -> None:
    """The quota after one entry, and the entry: both or neither, in one statement.

    Raises QuotaMoved when it is not the entry that comes next.
    """
    change = saving_quota(tenant, quota, entry)
    check_quota_moved(await carry_out(connection, change), quota)


_SAVING = f"""
    quota_moved AS (
        UPDATE quotas SET uses = $3, no_contacts = $4, changed_at = $5, head_number = $6,
            head_hash = $7
        WHERE tenant = $1 AND book = $2 AND head_number = $6 - 1
        RETURNING 1
    ), {noting("quota_noted", "quota_moved", 8)}"""


def saving_quota(tenant: TenantId, quota: Quota, entry: Entry) -> Change:
    """What `save_quota` does, to be done with other changes; `check_quota_moved` reads the answer.

    Raises QuotaMoved when the entry is not the one that led to this quota.
    """
    if entry.head != quota.head:
        raise QuotaMoved(quota.book)
    arguments = (
        tenant,
        quota.book,
        json.dumps([[use.order, use.stage, use.at.isoformat()] for use in quota.uses]),
        quota.no_contacts,
        quota.changed_at,
        quota.head.number,
        quota.head.hash,
        *entry_arguments((entry,)),
    )
    return Change(_SAVING, "(SELECT true FROM quota_moved) AS quota_moved", arguments)


def check_quota_moved(row: "Record", quota: Quota) -> None:
    """Raises QuotaMoved."""
    if row["quota_moved"] is None:
        raise QuotaMoved(quota.book)


def read_quota(row: "Record", prefix: str = "") -> Quota:
    """A quota from a row that has its columns, each with `prefix` before its name."""
    return Quota(
        program=ProgramId(row[prefix + "program"]),
        subject=row[prefix + "subject"],
        period=Period(row[prefix + "period"]),
        starts=row[prefix + "starts"],
        ends=row[prefix + "ends"],
        uses=tuple(
            Use(order=OrderId(order), stage=Stage(stage), at=datetime.fromisoformat(at))
            for order, stage, at in json.loads(row[prefix + "uses"])
        ),
        no_contacts=row[prefix + "no_contacts"],
        changed_at=row[prefix + "changed_at"],
        head=Head(row[prefix + "head_number"], row[prefix + "head_hash"]),
    )
