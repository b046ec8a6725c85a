"""The SQL for staff, their tokens, and API keys."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from terms.ids import CounselorId, StaffId, TenantId
from warmline.people import StaffRole, needs_second_factor

if TYPE_CHECKING:
    from asyncpg import Record

    from warmline.database import Connection

TOKEN_LIVES = timedelta(days=7)
"""A sign-in lasts no longer than this, used or not."""

TOKEN_RESTS = timedelta(days=2)
"""An unused token ends after this."""

_NOTE_USE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMember:
    """A person who may sign in. `sponsor` binds an insurer's person to their own customers."""

    tenant: TenantId
    id: StaffId
    email: str
    roles: frozenset[StaffRole]
    counselor: CounselorId | None = None
    sponsor: str | None = None
    password_hash: str = field(repr=False)
    totp_secret: bytes | None = field(default=None, repr=False)
    totp_pending: bytes | None = field(default=None, repr=False)

    @property
    def second_factor_due(self) -> bool:
        """Whether their roles need a second factor that is not set up."""
        return self.totp_secret is None and needs_second_factor(self.roles)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEnd:
    """A sign-in that is over. `last` when the person has no other."""

    tenant: TenantId
    staff: StaffId
    counselor: CounselorId | None
    last: bool


async def add_staff(connection: "Connection", member: StaffMember, now: datetime) -> None:
    """Raises asyncpg.UniqueViolationError when the e-mail or the counselor's desk is taken."""
    await connection.execute(
        """INSERT INTO staff (tenant, id, email, password_hash, roles, counselor, sponsor,
                              totp_secret, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        member.tenant,
        member.id,
        member.email.lower(),
        member.password_hash,
        sorted(member.roles),
        member.counselor,
        member.sponsor,
        member.totp_secret,
        now,
    )


async def staff_by_email(
    connection: "Connection", tenant: TenantId, email: str
) -> StaffMember | None:
    """The person of that e-mail, unless disabled."""
    row = await connection.fetchrow(
        """SELECT * FROM staff
           WHERE tenant = $1 AND email = $2 AND disabled_at IS NULL""",
        tenant,
        email.lower(),
    )
    return None if row is None else _member(row)


async def staff_member(connection: "Connection", tenant: TenantId, staff: StaffId) -> StaffMember:
    """The person of that id, who is known to exist."""
    row = await connection.fetchrow(
        "SELECT * FROM staff WHERE tenant = $1 AND id = $2", tenant, staff
    )
    assert row is not None
    return _member(row)


async def use_totp_step(
    connection: "Connection", tenant: TenantId, staff: StaffId, step: int
) -> bool:
    """Mark a one-time code's step as used; False when it, or a later one, already was."""
    used = await connection.fetchval(
        """UPDATE staff SET totp_step = $3
           WHERE tenant = $1 AND id = $2 AND totp_step < $3 RETURNING true""",
        tenant,
        staff,
        step,
    )
    return bool(used)


async def change_second_factor(
    connection: "Connection", tenant: TenantId, staff: StaffId, totp_secret: bytes
) -> None:
    """Another authenticator from now on; codes of the one before count no longer."""
    await connection.execute(
        """UPDATE staff SET totp_secret = $3, totp_step = DEFAULT, totp_pending = NULL
           WHERE tenant = $1 AND id = $2""",
        tenant,
        staff,
        totp_secret,
    )


async def offer_second_factor(
    connection: "Connection", tenant: TenantId, staff: StaffId, totp_pending: bytes
) -> bool:
    """Remember what an authenticator is being given; False when it already has a secret."""
    offered = await connection.fetchval(
        """UPDATE staff SET totp_pending = $3
           WHERE tenant = $1 AND id = $2 AND totp_secret IS NULL RETURNING true""",
        tenant,
        staff,
        totp_pending,
    )
    return bool(offered)


async def take_second_factor(
    connection: "Connection", tenant: TenantId, staff: StaffId, pending: bytes, step: int
) -> bool:
    """The authenticator showed a code of `pending`: it counts from now on, after `step`.

    False when another one was offered meanwhile.
    """
    taken = await connection.fetchval(
        """UPDATE staff SET totp_secret = totp_pending, totp_pending = NULL, totp_step = $4
           WHERE tenant = $1 AND id = $2 AND totp_pending = $3 AND totp_secret IS NULL
           RETURNING true""",
        tenant,
        staff,
        pending,
        step,
    )
    return bool(taken)


async def staff_token_times(
    connection: "Connection", tenant: TenantId, token_hash: bytes
) -> tuple[datetime, datetime]:
    """When a sign-in that counts began, and when it ends at the latest."""
    row = await connection.fetchrow(
        "SELECT created_at, expires_at FROM staff_tokens WHERE tenant = $1 AND token_hash = $2",
        tenant,
        token_hash,
    )
    assert row is not None
    return row["created_at"], row["expires_at"]


async def expire_staff_tokens(
    connection: "Connection", tenant: TenantId, staff: StaffId, now: datetime
) -> None:
    """End every sign-in of a person. What follows from that is done by who removes them."""
    await connection.execute(
        """UPDATE staff_tokens SET expires_at = $3
           WHERE tenant = $1 AND staff = $2 AND expires_at > $3""",
        tenant,
        staff,
        now,
    )


async def add_staff_token(
    connection: "Connection",
    tenant: TenantId,
    staff: StaffId,
    token_hash: bytes,
    now: datetime,
) -> None:
    """Let `staff` in with a token of that hash, from now on."""
    await connection.execute(
        """INSERT INTO staff_tokens (tenant, token_hash, staff, created_at, last_used_at,
                                     expires_at)
           VALUES ($1, $2, $3, $4, $4, $5)""",
        tenant,
        token_hash,
        staff,
        now,
        now + TOKEN_LIVES,
    )


async def staff_by_token(
    connection: "Connection", token_hash: bytes, now: datetime
) -> StaffMember | None:
    """Who holds a token of that hash at `now`; its use is noted once a minute."""
    row = await connection.fetchrow(
        """SELECT staff.*, token.last_used_at
           FROM staff_tokens AS token
           JOIN staff ON staff.tenant = token.tenant AND staff.id = token.staff
           WHERE token.token_hash = $1 AND token.expires_at > $2 AND token.last_used_at > $3
             AND staff.disabled_at IS NULL""",
        token_hash,
        now,
        now - TOKEN_RESTS,
    )
    if row is None:
        return None
    if row["last_used_at"] <= now - _NOTE_USE_EVERY:
        await connection.execute(
            "UPDATE staff_tokens SET last_used_at = $3 WHERE tenant = $1 AND token_hash = $2",
            row["tenant"],
            token_hash,
            now,
        )
    return _member(row)


async def end_staff_token(
    connection: "Connection", tenant: TenantId, token_hash: bytes, now: datetime
) -> TokenEnd | None:
    """Revoke a token; None when it was gone already."""
    row = await connection.fetchrow(_END_ONE, tenant, token_hash, now, now - TOKEN_RESTS)
    return None if row is None else _token_end(row)


async def end_expired_tokens(connection: "Connection", now: datetime) -> tuple[TokenEnd, ...]:
    """Remove every token that counts no longer, and tell whose they were."""
    rows = await connection.fetch(_END_EXPIRED, now, now - TOKEN_RESTS)
    return tuple(_token_end(row) for row in rows)


async def add_api_key(
    connection: "Connection",
    tenant: TenantId,
    key: str,
    name: str,
    key_hash: bytes,
    now: datetime,
) -> None:
    """Let an app's back end in. `key` is its id, `name` is for the people who manage keys."""
    await connection.execute(
        """INSERT INTO api_keys (tenant, id, name, key_hash, created_at)
           VALUES ($1, $2, $3, $4, $5)""",
        tenant,
        key,
        name,
        key_hash,
        now,
    )


async def api_key_by_hash(connection: "Connection", key_hash: bytes) -> tuple[TenantId, str] | None:
    """Tenant and id of a key that was not revoked."""
    row = await connection.fetchrow(
        "SELECT tenant, id FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL", key_hash
    )
    return None if row is None else (TenantId(row["tenant"]), str(row["id"]))


async def revoke_api_key(
    connection: "Connection", tenant: TenantId, key: str, now: datetime
) -> bool:
    """Whether a live key was revoked."""
    revoked = await connection.fetchval(
        """UPDATE api_keys SET revoked_at = $3
           WHERE tenant = $1 AND id = $2 AND revoked_at IS NULL RETURNING true""",
        tenant,
        key,
        now,
    )
    return bool(revoked)


def _member(row: "Record") -> StaffMember:
    return StaffMember(
        tenant=TenantId(row["tenant"]),
        id=StaffId(row["id"]),
        email=row["email"],
        roles=frozenset(StaffRole(role) for role in row["roles"]),
        counselor=None if row["counselor"] is None else CounselorId(row["counselor"]),
        sponsor=row["sponsor"],
        password_hash=row["password_hash"],
        totp_secret=row["totp_secret"],
        totp_pending=row["totp_pending"],
    )


def _token_end(row: "Record") -> TokenEnd:
    return TokenEnd(
        tenant=TenantId(row["tenant"]),
        staff=StaffId(row["staff"]),
        counselor=None if row["counselor"] is None else CounselorId(row["counselor"]),
        last=row["last"],
    )


_END_ONE = """
WITH ended AS (
    DELETE FROM staff_tokens WHERE tenant = $1 AND token_hash = $2
    RETURNING tenant, staff, token_hash
)
SELECT ended.tenant, ended.staff, staff.counselor, NOT EXISTS (
    SELECT FROM staff_tokens AS other
    WHERE other.tenant = ended.tenant AND other.staff = ended.staff
      AND other.token_hash <> ended.token_hash
      AND other.expires_at > $3 AND other.last_used_at > $4
) AS last
FROM ended JOIN staff ON staff.tenant = ended.tenant AND staff.id = ended.staff
"""
_END_EXPIRED = """
WITH ended AS (
    DELETE FROM staff_tokens WHERE expires_at <= $1 OR last_used_at <= $2
    RETURNING tenant, staff
)
SELECT DISTINCT ended.tenant, ended.staff, staff.counselor, NOT EXISTS (
    SELECT FROM staff_tokens AS other
    WHERE other.tenant = ended.tenant AND other.staff = ended.staff
      AND other.expires_at > $1 AND other.last_used_at > $2
) AS last
FROM ended JOIN staff ON staff.tenant = ended.tenant AND staff.id = ended.staff
"""
