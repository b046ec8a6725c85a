"""Sets a seal on what changed in the ledger, for every tenant, once an hour."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from billing.ledger import GENESIS
from billing.seals import Digest, LedgerSeal, SealedHead
from billing.store.seals import alone_to_seal, insert_seal, last_seal, unsealed_heads
from terms.ids import TenantId
from warmline.clock import Clock
from warmline.seal import AesSeal
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool, Record

    from warmline.database import Connection

PERIOD = timedelta(hours=1)
PURPOSE = "ledger seal"
"""What a seal's signature is made for; the same key signs nothing else in the same way."""

MOST_BOOKS = 5_000
"""In one seal; more changed books get more seals."""

SEALED_WITHIN = PERIOD + timedelta(hours=1)
"""An entry this much older than another one is sealed: whoever writes also seals. The second hour
is for what was decided earlier than it was written."""

_log = structlog.get_logger()


class LedgerSealer(Looker):
    """Seals at every start, looking at all there is, and then what is new every hour."""

    name = "ledger sealing"

    def __init__(self, pool: "Pool[Record]", seal: AesSeal, clock: Clock) -> None:
        super().__init__(clock)
        self._pool = pool
        self._seal = seal
        self._done_at: datetime | None = None

    async def look(self) -> datetime | None:
        """Seal if the time has come."""
        now = self.clock.now()
        if self._done_at is None or now - self._done_at >= PERIOD:
            since = None if self._done_at is None else self._done_at - SEALED_WITHIN
            async with self._pool.acquire() as connection, connection.transaction():
                set_ = await set_seals(connection, self._seal, now, since)
            self._done_at = now
            for one in set_:
                # Whoever keeps this log elsewhere can tell whether the newest seals were removed.
                _log.info("ledger_sealed", number=one.number, digest=one.digest.hex())
        return self._done_at + PERIOD


async def set_seals(
    connection: "Connection", seal: AesSeal, now: datetime, since: datetime | None = None
) -> list[LedgerSeal]:
    """Seal whatever is not sealed, within the transaction at hand; none while another process does.

    Entries older than `since` are taken to be sealed.
    """
    if not await alone_to_seal(connection):
        return []
    made: list[LedgerSeal] = []
    heads: list[SealedHead] = []
    whose: TenantId | None = None
    async for tenant, head in unsealed_heads(connection, since):
        if heads and whose is not None and (tenant != whose or len(heads) == MOST_BOOKS):
            made.append(await _set_seal(connection, seal, whose, heads, now))
            heads = []
        whose = tenant
        heads.append(head)
    if heads and whose is not None:
        made.append(await _set_seal(connection, seal, whose, heads, now))
    return made


async def _set_seal(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    heads: list[SealedHead],
    now: datetime,
) -> LedgerSeal:
    before = await last_seal(connection, tenant)
    number, previous = (1, GENESIS) if before is None else (before.number + 1, before.digest)
    digest = Digest(tenant, number, now, previous)
    for head in heads:
        digest.add(head)
    set_ = LedgerSeal(
        tenant=tenant,
        number=number,
        sealed_at=now,
        books=digest.books,
        digest=digest.value(),
        signature=seal.sign(digest.value(), PURPOSE),
    )
    await insert_seal(connection, set_, heads)
    return set_
