"""Notes as they are typed: kept on the server, so that no lost tab loses what was said."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import CallId, TenantId
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.desk.store import Connection

_PURPOSE = "note draft"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was typed last. `version` 0: nothing yet."""

    notes: str
    version: int
    saved_at: datetime


class ChangedMeanwhile(Exception):
    """Somebody, in another tab perhaps, saved a newer version."""


async def load_draft(
    connection: "Connection", seal: AesSeal, tenant: TenantId, call: CallId
) -> Draft | None:
    """The draft about a call, None before anything was typed or after it was handed in."""
    row = await connection.fetchrow(
        """SELECT notes_sealed, version, saved_at FROM note_drafts
           WHERE tenant = $1 AND call = $2 FOR UPDATE""",
        *(tenant, call),
    )
    if row is None:
        return None
    notes = seal.open_text(row["notes_sealed"], _PURPOSE)
    return Draft(notes=notes, version=row["version"], saved_at=row["saved_at"])


async def save_draft(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    call: CallId,
    *,
    notes: str,
    over: int,
    now: datetime,
) -> Draft:
    """Keep `notes` in place of version `over`. The same notes again change nothing.

    Raises ChangedMeanwhile.
    """
    kept = await load_draft(connection, seal, tenant, call)
    if kept is not None and kept.notes == notes:
        return kept
    if over != (0 if kept is None else kept.version):
        raise ChangedMeanwhile
    saved = await connection.fetchval(
        """INSERT INTO note_drafts AS kept (tenant, call, notes_sealed, version, saved_at)
           VALUES ($1, $2, $3, $4 + 1, $5)
           ON CONFLICT (tenant, call) DO UPDATE
           SET notes_sealed = excluded.notes_sealed, version = excluded.version,
               saved_at = excluded.saved_at
           WHERE kept.version = $4
           RETURNING true""",
        *(tenant, call, seal.seal_text(notes, _PURPOSE), over, now),
    )
    if not saved:
        raise ChangedMeanwhile
    return Draft(notes=notes, version=over + 1, saved_at=now)


async def drop_draft(connection: "Connection", tenant: TenantId, call: CallId) -> None:
    """The notes were handed in."""
    await connection.execute(
        "DELETE FROM note_drafts WHERE tenant = $1 AND call = $2", *(tenant, call)
    )
