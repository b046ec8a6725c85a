"""The pasts of vouchers: what their books tell, what holds and what replaced them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from billing.history import Past, Step
from billing.voucher import State, Voucher
from terms.ids import BookId, OrderId, TenantId, VoucherId

if TYPE_CHECKING:
    from billing.store.connection import Connection


async def pasts_of(
    connection: "Connection", tenant: TenantId, vouchers: Sequence[Voucher]
) -> dict[VoucherId, Past]:
    """The past of each of these vouchers, whatever their number, in three queries."""
    ids = [voucher.id for voucher in vouchers]
    steps = await _steps(connection, tenant, vouchers)
    held_until = await _held_until(connection, tenant, ids)
    replaced_by = await _replacements(connection, tenant, ids)
    return {
        voucher.id: Past(
            steps=steps[voucher.id],
            held_until=held_until.get(voucher.id),
            replaces=voucher.replaces,
            replaced_by=replaced_by.get(voucher.id),
        )
        for voucher in vouchers
    }


async def _steps(
    connection: "Connection", tenant: TenantId, vouchers: Sequence[Voucher]
) -> dict[VoucherId, list[Step]]:
    of_book = {voucher.book: voucher.id for voucher in vouchers}
    rows = await connection.fetch(
        """SELECT book, to_account, reason, order_id, at FROM ledger_entries
           WHERE tenant = $1 AND book = ANY ($2::text[]) ORDER BY book, number""",
        *(tenant, list(of_book)),
    )
    steps: dict[VoucherId, list[Step]] = defaultdict(list)
    for row in rows:
        steps[of_book[BookId(row["book"])]].append(
            Step(
                account=State(row["to_account"]),
                reason=row["reason"],
                order=None if row["order_id"] is None else OrderId(row["order_id"]),
                at=row["at"],
            )
        )
    return steps


async def _held_until(
    connection: "Connection", tenant: TenantId, ids: Sequence[VoucherId]
) -> dict[VoucherId, datetime]:
    rows = await connection.fetch(
        """SELECT voucher, coalesce(resume_until, expires_at) AS until FROM orders
           WHERE tenant = $1 AND voucher = ANY ($2::text[])
               AND state IN ('open', 'in_call', 'interrupted')""",
        *(tenant, list(ids)),
    )
    return {VoucherId(row["voucher"]): row["until"] for row in rows}


async def _replacements(
    connection: "Connection", tenant: TenantId, ids: Sequence[VoucherId]
) -> dict[VoucherId, VoucherId]:
    rows = await connection.fetch(
        "SELECT replaces, id FROM vouchers WHERE tenant = $1 AND replaces = ANY ($2::text[])",
        *(tenant, list(ids)),
    )
    return {VoucherId(row["replaces"]): VoucherId(row["id"]) for row in rows}
