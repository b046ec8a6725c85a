"""The same request sent twice is done once: kept answers under `Idempotency-Key`.

Decision: the key's row is written first in the transaction that does the work, before any order,
voucher, call or counselor is locked, and the answer is written into it last. So:

- both happen or neither: there is no moment at which the work is done and the answer not kept;
- of two requests at once, the second waits inside its own INSERT for the first to end, then gives
  the same answer; nobody polls, nobody is told to try again;
- a refusal rolls the row back with everything else, so the next try is judged anew;
- the row is the outermost lock and belongs to one principal, so it cannot close a circle with the
  locks that come after it.

Answers are kept for 24 hours. An answer that holds a token is kept sealed.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from terms.ids import TenantId
from terms.refusals import RefusalCode, Refused
from warmline.http.problems import BadInput, InputFault
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Connection, Record

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEY_PATTERN = r"^[\x21-\x7e]{1,255}$"
KEPT_FOR = timedelta(hours=24)

_PURPOSE = "kept answer"
_HASH_PURPOSE = "request hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One principal's key for one exact request."""

    tenant: TenantId
    principal: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer, as it is kept and given again."""

    status: int
    body: bytes | None


def key_header(request: web.Request) -> str | None:
    """The key the client sent. Raises BadInput when it is not printable ASCII of 1 to 255."""
    given = request.headers.getall(HEADER, [])
    if not given:
        return None
    if len(given) > 1 or not re.fullmatch(KEY_PATTERN, given[0]):
        detail = "must be given once, as 1 to 255 printable ASCII characters"
        raise BadInput(InputFault(place="header", pointer=f"/{HEADER}", detail=detail))
    return given[0]


def request_hash(seal: AesSeal, parts: Sequence[str]) -> bytes:
    """What makes two requests the same: method, path, query, and every value of the body.

    Keyed, for a body may hold a number or a code, and those are few enough to be tried one by one.
    """
    return seal.sign(json.dumps(list(parts)).encode(), _HASH_PURPOSE)


async def claim(
    connection: "Connection[Record]", key: Key, now: datetime, unsealing: AesSeal | None
) -> Kept | None:
    """Take the key for this transaction, or return the answer kept under it.

    `unsealing` opens answers that hold a token; None for operations whose answers hold none.
    Waits for another transaction that holds the same key. Raises Refused(key_reused).
    """
    claimed = await connection.fetchval(_CLAIM, *_name(key), key.request_hash, now, now - KEPT_FOR)
    if claimed:
        return None
    row = await connection.fetchrow(_READ, *_name(key))
    if row is None or row["request_hash"] != key.request_hash:
        raise Refused(
            RefusalCode.KEY_REUSED,
            "This Idempotency-Key came with another request; use a new key for each intent.",
        )
    body: bytes | None = row["body"]
    if body is not None and unsealing is not None:
        body = unsealing.open_text(body, _PURPOSE).encode()
    return Kept(row["status"], body)


async def keep(
    connection: "Connection[Record]", key: Key, answer: Kept, sealing: AesSeal | None
) -> None:
    """Write the answer beside the work it belongs to, sealed when it holds a token."""
    body = answer.body
    if body is not None and sealing is not None:
        body = sealing.seal_text(body.decode(), _PURPOSE)
    await connection.execute(_KEEP, *_name(key), answer.status, body)


async def let_go(connection: "Connection[Record]", key: Key) -> None:
    """Forget the claim inside a transaction that is committed although it refused."""
    await connection.execute(_LET_GO, *_name(key))


async def forget_old(connection: "Connection[Record]", now: datetime) -> int:
    """Remove the answers that are older than 24 hours; how many there were."""
    return int(await connection.fetchval(_FORGET, now - KEPT_FOR))


def _name(key: Key) -> tuple[str, str, str]:
    return key.tenant, key.principal, key.key


_CLAIM = """
INSERT INTO idempotency_keys AS kept (tenant, principal, key, request_hash, created_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant, principal, key) DO UPDATE
SET request_hash = excluded.request_hash, created_at = excluded.created_at,
    status = NULL, body = NULL
WHERE kept.created_at <= $6
RETURNING true
"""
_READ = """
SELECT request_hash, status, body FROM idempotency_keys
WHERE tenant = $1 AND principal = $2 AND key = $3
"""
_KEEP = """
UPDATE idempotency_keys SET status = $4, body = $5
WHERE tenant = $1 AND principal = $2 AND key = $3
"""
_LET_GO = "DELETE FROM idempotency_keys WHERE tenant = $1 AND principal = $2 AND key = $3"
_FORGET = """
WITH gone AS (DELETE FROM idempotency_keys WHERE created_at <= $1 RETURNING 1)
SELECT count(*) FROM gone
"""
