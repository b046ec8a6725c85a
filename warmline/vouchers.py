"""Making vouchers: a code is drawn, shown once, and kept as a keyed hash alone."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from billing.code import RANDOM_BYTES, draw, hashed
from billing.store.vouchers import insert_vouchers
from billing.voucher import Voucher, issue, prepare
from terms.ids import ProgramId, TenantId, VoucherId
from warmline.ids import new_id
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.database import Connection

MOST_AT_ONCE = 10_000

VALID_BEFORE = datetime(3000, 1, 1, tzinfo=UTC)
"""No voucher lasts longer: its last day has to be told in every zone's own calendar."""

_CODE_PURPOSE = "voucher code"
_ENDING_CHARACTERS = 4


def new_codes(count: int) -> list[str]:
    """Codes nobody can guess."""
    return [draw(secrets.token_bytes(RANDOM_BYTES)) for _ in range(count)]


def code_digest(seal: AesSeal, code: str) -> bytes:
    """What is kept of a code, and looked up when somebody types it.

    Keyed by the eldest secret, as all look-ups are: codes outlive a change of secret.
    """
    return hashed(code, seal.index_text("key", _CODE_PURPOSE))


def ending_of(code: str) -> str:
    """What a holder recognises a voucher by, and nobody could complete."""
    return code[-_ENDING_CHARACTERS:]


async def issue_vouchers(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    *,
    program: ProgramId,
    codes: Sequence[str],
    valid_until: datetime,
    now: datetime,
) -> list[Voucher]:
    """One voucher per code, ready to be redeemed by whoever types it.

    Raises asyncpg.UniqueViolationError when a code was issued before.
    """
    made = []
    for code in codes:
        prepared = prepare(
            id=VoucherId(new_id("voucher")),
            program=program,
            code_hash=code_digest(seal, code),
            code_ending=ending_of(code),
            valid_until=valid_until,
            now=now,
        )
        made.append([prepared, issue(prepared[0], now)])
    async with connection.transaction():
        await insert_vouchers(connection, tenant, made)
    return [moves[-1][0] for moves in made]
