"""Codes sent to numbers. The code itself is never stored, only its keyed hash."""

from datetime import datetime
from typing import TYPE_CHECKING

from routing.limits import retry_after_seconds
from routing.store import rates
from routing.verification import (
    Answer,
    Purpose,
    Verification,
    VerificationId,
    answer,
    code_digest,
    send_allowed_from,
)
from terms.ids import TenantId
from terms.phone import Seal
from terms.refusals import RefusalCode, Refused

if TYPE_CHECKING:
    from routing.store.connection import Connection, Record

TO_NUMBER = "code_to_number"
FROM_ADDRESS = "code_from_address"


async def add_verification(
    connection: "Connection",
    seal: Seal,
    tenant: TenantId,
    verification: Verification,
    address_digest: bytes,
) -> None:
    """Store a code about to be sent and count the submit; older codes of the number die.

    `address_digest` is a keyed hash of the asker's network address. Raises Refused (rate_limited).
    """
    now = verification.sent_at
    number_index = seal.index(verification.number)
    await _count_send(connection, tenant, number_index, address_digest, now)
    await connection.execute(
        """UPDATE verifications SET superseded_at = $4
           WHERE tenant = $1 AND phone_index = $2 AND purpose = $3
             AND confirmed_at IS NULL AND superseded_at IS NULL""",
        *(tenant, number_index, verification.purpose, now),
    )
    await connection.execute(
        """INSERT INTO verifications
             (tenant, id, purpose, phone_index, phone_sealed, digest, sent_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        *(tenant, verification.id, verification.purpose, number_index),
        *(seal.seal(verification.number), verification.digest, now),
    )


async def try_code(
    connection: "Connection",
    seal: Seal,
    tenant: TenantId,
    verification: VerificationId,
    code: str,
    key: bytes,
    now: datetime,
) -> tuple[Verification, Answer] | None:
    """Judge one try and save it; None when there is no such verification.

    Commit before telling the person: a wrong try that is rolled back is a free guess.
    """
    row = await connection.fetchrow(
        "SELECT * FROM verifications WHERE tenant = $1 AND id = $2 FOR UPDATE",
        *(tenant, verification),
    )
    if row is None:
        return None
    before = _verification(row, seal)
    digest = code_digest(key, before.id, before.purpose, before.number, code)
    after, given = answer(before, digest, now)
    if after != before:
        await connection.execute(
            "UPDATE verifications SET tries = $3, confirmed_at = $4 WHERE tenant = $1 AND id = $2",
            *(tenant, verification, after.tries, after.confirmed_at),
        )
    return after, given


async def _count_send(
    connection: "Connection",
    tenant: TenantId,
    number_index: bytes,
    address_digest: bytes,
    now: datetime,
) -> None:
    # Always the number before the address, so that two senders cannot wait for each other.
    await rates.hold_subject(connection, tenant, TO_NUMBER, number_index)
    await rates.hold_subject(connection, tenant, FROM_ADDRESS, address_digest)
    to_number = await rates.marked_times(connection, tenant, TO_NUMBER, number_index, now)
    from_address = await rates.marked_times(connection, tenant, FROM_ADDRESS, address_digest, now)
    allowed = send_allowed_from(to_number, from_address, now)
    if allowed is not None:
        wait = retry_after_seconds(allowed, now)
        detail = f"Too many codes were asked for. Try again in {wait} s."
        raise Refused(RefusalCode.RATE_LIMITED, detail, retry_after_seconds=wait)
    await rates.add_mark(connection, tenant, TO_NUMBER, number_index, now)
    await rates.add_mark(connection, tenant, FROM_ADDRESS, address_digest, now)


def _verification(row: "Record", seal: Seal) -> Verification:
    return Verification(
        id=VerificationId(row["id"]),
        purpose=Purpose(row["purpose"]),
        number=seal.open(row["phone_sealed"]),
        digest=row["digest"],
        sent_at=row["sent_at"],
        tries=row["tries"],
        confirmed_at=row["confirmed_at"],
        superseded_at=row["superseded_at"],
    )
