"""Accounts told of changes ahead: those who hold vouchers, or are served by a policy (B04).

Policyholders are told by the keeper of policies. An account may come to a voucher without any
policy, or without its policy changing; so they are looked for again as long as a change is told.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from billing.policies.announcing import Announced, concerns, next_announcement_at, to_tell
from billing.policies.cover import Cover
from billing.policies.waiting import today_in_china
from billing.store.changes import (
    Insured,
    insured_accounts_not_told,
    voucher_accounts_not_told,
)
from routing.store.callers import phone_indexes
from terms.ids import CallerId, ProgramId, TenantId
from warmline.clock import Clock
from warmline.policies.announcing import Addressee, tell
from warmline.policies.covers import covers_of
from warmline.programs import Program
from warmline.tenants import known_tenants
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool, Record

_log = structlog.get_logger()

AT_ONCE = 200
LOOKS_EVERY = timedelta(minutes=1)
"""How long somebody who came to a voucher waits, at the longest, until their SMS is written."""


class AccountTeller(Looker):
    """Tells accounts of what is announced, some at a time, each transaction short."""

    name = "telling accounts"

    def __init__(
        self,
        pool: "Pool[Record]",
        tenant: TenantId,
        clock: Clock,
        programs: Mapping[ProgramId, Program],
        *,
        new_id: Callable[[str], str],
        sent: Callable[[], None],
    ) -> None:
        super().__init__(clock)
        self._pool = pool
        self._tenant = tenant
        self._covers = covers_of(programs)
        self._new_id = new_id
        self._sent = sent
        self._looked_at: datetime | None = None

    async def look(self) -> datetime | None:
        """Everybody who is concerned by what is being told, and was not told yet."""
        now = self.clock.now()
        due = [
            (whose, cover, Announced(program, change))
            for program, (whose, cover) in sorted(self._covers.items())
            for change in to_tell(cover, now)
        ]
        if due and not self._has_just_looked(now):
            await self._tell_all(due, now)
            self._looked_at = now
        return next_announcement_at((cover for _, cover in self._covers.values()), now)

    def _has_just_looked(self, now: datetime) -> bool:
        return self._looked_at is not None and now - LOOKS_EVERY < self._looked_at <= now

    async def _tell_all(self, due: Sequence[tuple[str, Cover, Announced]], now: datetime) -> None:
        async with self._pool.acquire() as connection:
            tenants = await known_tenants(connection, self._tenant)
        for tenant in tenants:
            for whose, cover, announced in due:
                told = 0
                async for accounts in self._not_told(tenant, whose, cover, announced, now):
                    told += await self._tell(tenant, cover, announced, accounts, now)
                if told:
                    _log.info("accounts_told", tenant=tenant, program=announced.program, told=told)

    async def _tell(
        self,
        tenant: TenantId,
        cover: Cover,
        announced: Announced,
        accounts: Sequence[CallerId],
        now: datetime,
    ) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            numbers = await phone_indexes(connection, tenant, accounts)
            told = await tell(
                connection,
                tenant,
                announced,
                cover,
                [Addressee(phone_index=index, caller=one) for one, index in numbers.items()],
                now=now,
                new_id=self._new_id,
            )
        if told:
            self._sent()
        return told

    async def _not_told(
        self, tenant: TenantId, whose: str, cover: Cover, announced: Announced, now: datetime
    ) -> AsyncIterator[list[CallerId]]:
        """Some accounts after the other, vouchers' holders first."""
        last: CallerId | None = None
        while holders := await self._holders(tenant, announced, last):
            yield holders
            last = holders[-1]
        after: Insured | None = None
        while insured := await self._insured(tenant, whose, cover, announced, after):
            today = today_in_china(now)
            wanted = {
                one.caller: None
                for one in insured
                if concerns(announced.change, one.terms, cover, today)
            }
            if wanted:
                yield list(wanted)
            after = insured[-1]

    async def _holders(
        self, tenant: TenantId, announced: Announced, after: CallerId | None
    ) -> list[CallerId]:
        async with self._pool.acquire() as connection:
            return await voucher_accounts_not_told(
                connection, tenant, announced, after=after, limit=AT_ONCE
            )

    async def _insured(
        self,
        tenant: TenantId,
        whose: str,
        cover: Cover,
        announced: Announced,
        after: Insured | None,
    ) -> list[Insured]:
        async with self._pool.acquire() as connection:
            return await insured_accounts_not_told(
                connection,
                tenant,
                announced,
                sponsor=whose,
                products=cover.products,
                after=after,
                limit=AT_ONCE,
            )
