"""Letting people and app back ends in: what `staff add` and `keys add` do."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg

from terms.ids import CounselorId, StaffId, TenantId
from warmline.exits import Unusable
from warmline.http.sessions import TOTP_PURPOSE
from warmline.ids import new_id
from warmline.people import StaffRole, store
from warmline.people.passwords import Passwords
from warmline.people.store import StaffMember
from warmline.people.tokens import TokenKind, new_token, token_hash
from warmline.people.totp import secret_from
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.database import Connection

LEAST_PASSWORD_CHARACTERS = 12
_TOTP_BYTES = 20  # as RFC 4226 asks


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A new account, with what is shown now or never."""

    id: StaffId
    email: str
    roles: tuple[StaffRole, ...]
    password: str = field(repr=False)
    totp_secret: str | None = field(default=None, repr=False)


async def enrol_staff(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    *,
    email: str,
    roles: Collection[StaffRole],
    now: datetime,
    password: str | None = None,
    counselor: CounselorId | None = None,
    sponsor: str | None = None,
    totp: bool = False,
) -> Enrolled:
    """Open an account; a password that is not given is made. Raises Unusable."""
    password = secrets.token_urlsafe(15) if password is None else password
    if len(password) < LEAST_PASSWORD_CHARACTERS:
        raise Unusable(
            f"The password is too short: it needs at least {LEAST_PASSWORD_CHARACTERS} characters."
        )
    totp_secret = secret_from(secrets.token_bytes(_TOTP_BYTES)) if totp else None
    member = StaffMember(
        tenant=tenant,
        id=StaffId(new_id("staff")),
        email=email.strip().lower(),
        roles=frozenset(roles),
        counselor=counselor,
        sponsor=sponsor,
        password_hash=await _hash(password),
        totp_secret=seal.seal_text(totp_secret, TOTP_PURPOSE) if totp_secret else None,
    )
    try:
        await store.add_staff(connection, member, now)
    except asyncpg.UniqueViolationError as taken:
        what = "counselor" if taken.constraint_name == "one_account_per_counselor" else "email"
        raise Unusable(f"That {what} has an account already: choose another.") from taken
    return Enrolled(
        id=member.id,
        email=member.email,
        roles=tuple(sorted(member.roles)),
        password=password,
        totp_secret=totp_secret,
    )


async def make_key(connection: "Connection", tenant: TenantId, name: str, now: datetime) -> str:
    """A new API key for the app back end `name`. Only its hash is kept: show it now or never."""
    key = new_token(TokenKind.APP)
    await store.add_api_key(connection, tenant, new_id("key"), name, token_hash(key), now)
    return key


async def _hash(password: str) -> str:
    passwords = Passwords()
    try:
        return await passwords.hash(password)
    finally:
        passwords.close()
