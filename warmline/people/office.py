"""The SQL by which an operator manages accounts and keys."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from terms.ids import CounselorId, StaffId, TenantId
from warmline.people import StaffRole
from warmline.people.store import expire_staff_tokens, revoke_api_key

if TYPE_CHECKING:
    from asyncpg import Record

    from warmline.database import Connection

revoke_key = revoke_api_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An account as those see it who manage it: without a secret."""

    id: StaffId
    email: str
    roles: frozenset[StaffRole]
    counselor: CounselorId | None
    sponsor: str | None
    has_second_factor: bool
    created_at: datetime
    last_seen_at: datetime | None
    suspended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of an app's back end, without its secret."""

    id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


_MEMBER = """
    SELECT id, email, roles, counselor, sponsor, totp_secret IS NOT NULL AS has_second_factor,
        created_at, disabled_at,
        (SELECT max(last_used_at) FROM staff_tokens AS token
         WHERE token.tenant = staff.tenant AND token.staff = staff.id) AS last_seen_at
    FROM staff"""


async def list_members(
    connection: "Connection", tenant: TenantId, *, limit: int, after: str
) -> list[Member]:
    """Accounts by e-mail, those behind `after`."""
    rows = await connection.fetch(
        f"{_MEMBER} WHERE tenant = $1 AND email > $2 ORDER BY email LIMIT $3",
        *(tenant, after, limit),
    )
    return [_member(row) for row in rows]


async def load_member(connection: "Connection", tenant: TenantId, member: StaffId) -> Member | None:
    """One account."""
    row = await connection.fetchrow(f"{_MEMBER} WHERE tenant = $1 AND id = $2", tenant, member)
    return None if row is None else _member(row)


async def change_duties(
    connection: "Connection",
    tenant: TenantId,
    member: StaffId,
    *,
    roles: Collection[StaffRole],
    counselor: CounselorId | None,
    sponsor: str | None,
) -> None:
    """Raises asyncpg.UniqueViolationError when the counselor's desk is taken."""
    await connection.execute(
        """UPDATE staff SET roles = $3, counselor = $4, sponsor = $5
           WHERE tenant = $1 AND id = $2""",
        *(tenant, member, sorted(set(roles)), counselor, sponsor),
    )


async def change_password(
    connection: "Connection", tenant: TenantId, member: StaffId, password_hash: str, now: datetime
) -> None:
    """Another password; sign-ins with the one before end."""
    await connection.execute(
        "UPDATE staff SET password_hash = $3 WHERE tenant = $1 AND id = $2",
        *(tenant, member, password_hash),
    )
    await expire_staff_tokens(connection, tenant, member, now)


async def drop_second_factor(
    connection: "Connection", tenant: TenantId, member: StaffId, now: datetime
) -> None:
    """No authenticator any more; sign-ins that were made with it end."""
    await connection.execute(
        """UPDATE staff SET totp_secret = NULL, totp_pending = NULL, totp_step = DEFAULT
           WHERE tenant = $1 AND id = $2""",
        *(tenant, member),
    )
    await expire_staff_tokens(connection, tenant, member, now)


async def suspend(
    connection: "Connection", tenant: TenantId, member: StaffId, now: datetime
) -> None:
    """Not let in any more, and signed out."""
    await connection.execute(
        "UPDATE staff SET disabled_at = coalesce(disabled_at, $3) WHERE tenant = $1 AND id = $2",
        *(tenant, member, now),
    )
    await expire_staff_tokens(connection, tenant, member, now)


async def restore(connection: "Connection", tenant: TenantId, member: StaffId) -> None:
    """Let in again. Raises asyncpg.UniqueViolationError when the counselor's desk is taken."""
    await connection.execute(
        "UPDATE staff SET disabled_at = NULL WHERE tenant = $1 AND id = $2", *(tenant, member)
    )


async def list_keys(
    connection: "Connection", tenant: TenantId, *, limit: int, before: str | None
) -> list[ApiKey]:
    """Keys, newest first, those older than `before`."""
    rows = await connection.fetch(
        """SELECT id, name, created_at, revoked_at FROM api_keys
           WHERE tenant = $1 AND ($2::text IS NULL OR id < $2) ORDER BY id DESC LIMIT $3""",
        *(tenant, before, limit),
    )
    return [
        ApiKey(
            id=row["id"],
            name=row["name"],
            created_at=row["created_at"],
            revoked_at=row["revoked_at"],
        )
        for row in rows
    ]


def _member(row: "Record") -> Member:
    return Member(
        id=StaffId(row["id"]),
        email=row["email"],
        roles=frozenset(StaffRole(role) for role in row["roles"]),
        counselor=None if row["counselor"] is None else CounselorId(row["counselor"]),
        sponsor=row["sponsor"],
        has_second_factor=row["has_second_factor"],
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        suspended_at=row["disabled_at"],
    )
