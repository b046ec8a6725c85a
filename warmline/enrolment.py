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
from warmline.people import StaffRole, needs_second_factor, store
from warmline.people.passwords import Passwords
from warmline.people.store import StaffMember
from warmline.people.tokens import TokenKind, new_token, token_hash
from warmline.people.totp import new_secret
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.database import Connection

LEAST_PASSWORD_CHARACTERS = 12


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
    totp_secret: str | None = None,
) -> Enrolled:
    """Open an account; what is not given and needed is made. Raises Unusable.

    Roles that need a second factor get one, whether `totp` asks for it or not.
    """
    password = secrets.token_urlsafe(15) if password is None else password
    if len(password) < LEAST_PASSWORD_CHARACTERS:
        raise Unusable(
            f"The password is too short: it needs at least {LEAST_PASSWORD_CHARACTERS} characters."
        )
    if totp_secret is None and (totp or needs_second_factor(roles)):
        totp_secret = new_secret()
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


async def renew_second_factor(
    connection: "Connection", seal: AesSeal, tenant: TenantId, email: str, now: datetime
) -> str:
    """A new secret for the authenticator of an account; whoever is signed in to it is signed out.

    Shown now or never. Raises Unusable for an unknown account.
    """
    async with connection.transaction():
        member = await store.staff_by_email(connection, tenant, email.strip())
        if member is None:
            raise Unusable(f"No account has the email {email}: look at what was typed.")
        secret = new_secret()
        sealed = seal.seal_text(secret, TOTP_PURPOSE)
        await store.change_second_factor(connection, tenant, member.id, sealed)
        await store.expire_staff_tokens(connection, tenant, member.id, now)
    return secret


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
