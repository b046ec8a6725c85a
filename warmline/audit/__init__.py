"""Who of the staff read what of a customer, and decided what, and why. Only ever added to."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import StaffId, TenantId
from warmline.audit.store import add_audit_entry, read_audit_entries
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.database import Connection

_REASON = "audit reason"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What somebody did: `action` to the thing of id `subject`, and why in their own words."""

    staff: StaffId
    action: str  # voucher.read, voucher.voided, ..
    subject: str  # an id of ours; never a code or a number
    reason: str | None = None
    before: Mapping[str, str | int | None] | None = None  # plain states, where something changed
    after: Mapping[str, str | int | None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """A deed, and when it was done. `name` tells people who it was while the account is there."""

    deed: Deed
    at: datetime
    name: str | None


async def note_deed(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    deed: Deed,
    *,
    now: datetime,
    new_id: Callable[[str], str],
) -> None:
    """Write it down, in the transaction of the deed. What was said as a reason is sealed."""
    await add_audit_entry(
        connection,
        tenant,
        new_id("audit"),
        at=now,
        staff=deed.staff,
        action=deed.action,
        subject=deed.subject,
        reason_sealed=None if deed.reason is None else seal.seal_text(deed.reason, _REASON),
        before=deed.before,
        after=deed.after,
    )


async def deeds_about(
    connection: "Connection", seal: AesSeal, tenant: TenantId, subject: str
) -> list[Audited]:
    """Everything staff did with the thing of this id, oldest first."""
    return [
        Audited(
            deed=Deed(
                staff=StaffId(row["staff"]),
                action=row["action"],
                subject=subject,
                reason=(
                    None
                    if row["reason_sealed"] is None
                    else seal.open_text(row["reason_sealed"], _REASON)
                ),
                before=None if row["before"] is None else json.loads(row["before"]),
                after=None if row["after"] is None else json.loads(row["after"]),
            ),
            at=row["at"],
            name=row["name"],
        )
        for row in await read_audit_entries(connection, tenant, subject)
    ]
