"""Who holds an API key or a sign-in, looked up by the token's hash."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from warmline.http.asked import borrowed
from warmline.http.who import AppKey, Staff
from warmline.people import store
from warmline.people.tokens import token_hash

if TYPE_CHECKING:
    from asyncpg import Pool, Record


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """`wk_` tokens."""

    pool: "Pool[Record]"

    async def holder(self, token: str, now: datetime) -> AppKey | None:
        """The app whose key this is."""
        async with borrowed(self.pool) as connection:
            found = await store.api_key_by_hash(connection, token_hash(token))
        return None if found is None else AppKey(tenant=found[0], id=found[1])


@dataclass(frozen=True, slots=True)
class StaffTokens:
    """`ws_` tokens."""

    pool: "Pool[Record]"

    async def holder(self, token: str, now: datetime) -> Staff | None:
        """The member of staff who signed in and was given this."""
        hashed = token_hash(token)
        async with borrowed(self.pool) as connection:
            member = await store.staff_by_token(connection, hashed, now)
        if member is None:
            return None
        return Staff(
            tenant=member.tenant,
            id=member.id,
            roles=member.roles,
            counselor=member.counselor,
            sponsor=member.sponsor,
            token_hash=hashed,
            second_factor_due=member.second_factor_due,
        )
