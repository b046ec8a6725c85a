"""Whether customers are told of changes as their programs promise (B04), for `warmline doctor`."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from billing.policies.announcing import is_late
from terms.ids import TenantId
from warmline.policies.store import reached_by_change
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.database import Connection


async def not_told_ahead(
    connection: "Connection", tenant: TenantId, programs: Iterable[Program], today: date
) -> list[str]:
    """What is wrong with changes that do not hold yet, a sentence for each."""
    told = []
    for program in sorted(programs, key=lambda one: one.id):
        ahead = [one for one in program.billing.cover.changes if today < one.effective_on]
        reached = await reached_by_change(connection, tenant, program.id) if ahead else {}
        for change in ahead:
            found = reached.get(change.key)
            what = f"{program.id}, {change.kind} from {change.effective_on}"
            if found is not None and is_late(change, found.known_at):
                told.append(f"{what}: installed after the day on which it says it is announced")
            if found is not None and found.failed:
                told.append(f"{what}: {found.failed} of its customers could not be told")
    return told
