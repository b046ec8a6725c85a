"""Accounts of staff and keys of app back ends, as an operator manages them."""

import secrets
from typing import TYPE_CHECKING, Annotated

import asyncpg
from pydantic import Field, StringConstraints

from terms.ids import CounselorId, StaffId
from terms.refusals import RefusalCode, Refused
from warmline.api.parts import DESK
from warmline.api.standing_down import stand_down
from warmline.audit import Deed, note_deed
from warmline.http.api import Operations
from warmline.http.asked import Acting, Answer, Asked
from warmline.http.model import ID, Instant, Line, Model
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.problems import NotFound
from warmline.http.sessions import PASSWORDS, Email
from warmline.http.who import Staff, staff
from warmline.live.sign_ins import OPEN_CONSOLES
from warmline.people import StaffRole, office
from warmline.people.office import ApiKey, Member
from warmline.people.store import StaffMember, add_api_key, add_staff
from warmline.people.tokens import TokenKind, new_token, token_hash

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from warmline.database import Connection

members = Operations("Members")

OPERATOR = staff(StaffRole.OPERATOR)

_PASSWORD_BYTES = 15

Roles = Annotated[tuple[StaffRole, ...], Field(min_length=1, max_length=6, strict=False)]


class Duties(Model):
    """What somebody is here for."""

    roles: Roles
    counselor: Annotated[CounselorId, ID] | None = None
    """The counselor this person is."""

    sponsor: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] | None = None
    """The insurer this person sees."""


class NewMember(Duties):
    """An account to be opened."""

    email: Email


class MemberView(Model):
    """An account."""

    id: StaffId
    email: str
    roles: list[StaffRole]
    counselor: CounselorId | None
    sponsor: str | None
    has_second_factor: bool
    created_at: Instant
    last_seen_at: Instant | None
    suspended_at: Instant | None

    @classmethod
    def of(cls, member: Member) -> "MemberView":
        """As it stands."""
        return cls(
            id=member.id,
            email=member.email,
            roles=sorted(member.roles),
            counselor=member.counselor,
            sponsor=member.sponsor,
            has_second_factor=member.has_second_factor,
            created_at=member.created_at,
            last_seen_at=member.last_seen_at,
            suspended_at=member.suspended_at,
        )


class PasswordGiven(Model):
    """A password that was made. It is shown this once."""

    id: StaffId
    email: str
    password: str


class KeyWanted(Model):
    """Whose key it will be."""

    name: Line


class KeyView(Model):
    """A key, without its secret."""

    id: str
    name: str
    created_at: Instant
    revoked_at: Instant | None

    @classmethod
    def of(cls, key: ApiKey) -> "KeyView":
        """As it stands."""
        return cls(id=key.id, name=key.name, created_at=key.created_at, revoked_at=key.revoked_at)


class KeyGiven(Model):
    """A new key. It is shown this once."""

    id: str
    name: str
    api_key: str


@members("GET", "/v1/staff/members", who=(OPERATOR,), returns={200: PageOf[MemberView]})
async def list_members(asked: Asked, query: Page) -> PageOf[MemberView]:
    """Everybody who may sign in, or might again, by e-mail."""
    after = start_after(asked, query)
    async with asked.borrow() as connection:
        rows = await office.list_members(
            connection,
            asked.tenant,
            limit=query.fetch,
            after="" if after is None else str(after[0]),
        )
    items, cursor = page_of(
        asked, query, rows, show=MemberView.of, key=lambda member: (member.email,)
    )
    return PageOf[MemberView](items=items, next_cursor=cursor)


@members(
    "POST",
    "/v1/staff/members",
    who=(OPERATOR,),
    returns={201: PasswordGiven},
    refuses=(RefusalCode.NOT_NOW,),
    secret=True,
)
async def add_member(acting: Acting, who: Staff, body: NewMember) -> PasswordGiven:
    """Open an account. Its password is in this answer alone."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    member = StaffMember(
        tenant=acting.tenant,
        id=StaffId(acting.part(DESK).new_id("staff")),
        email=body.email.lower(),
        roles=frozenset(body.roles),
        counselor=body.counselor,
        sponsor=body.sponsor,
        password_hash=await acting.part(PASSWORDS).hash(password),
    )
    await _unless_taken(acting, lambda inner: add_staff(inner, member, acting.now))
    await _note(acting, who, "member.added", member.id)
    return PasswordGiven(id=member.id, email=member.email, password=password)


@members(
    "PUT",
    "/v1/staff/members/{member}",
    who=(OPERATOR,),
    returns={200: MemberView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def change_member(
    acting: Acting, who: Staff, member: Annotated[StaffId, ID], body: Duties
) -> MemberView:
    """Change what somebody is here for. It counts from their next request on.

    A counselor who is one no longer is offered no more calls; a call they are on goes on.
    """
    if member == who.id and StaffRole.OPERATOR not in body.roles:
        raise Refused(RefusalCode.NOT_NOW, "Let another operator take the role from you.")
    before = (await _member(acting, member)).counselor
    answers = StaffRole.COUNSELOR in body.roles
    if before is not None and not (answers and before == body.counselor):
        await stand_down(acting, member, before)
    await _unless_taken(
        acting,
        lambda inner: office.change_duties(
            inner,
            acting.tenant,
            member,
            roles=body.roles,
            counselor=body.counselor,
            sponsor=body.sponsor,
        ),
    )
    await _note(acting, who, "member.changed", member)
    _have_consoles_look_again(acting, member)
    return await _member(acting, member)


@members(
    "POST",
    "/v1/staff/members/{member}/password",
    who=(OPERATOR,),
    returns={200: PasswordGiven},
    secret=True,
)
async def renew_password(
    acting: Acting, who: Staff, member: Annotated[StaffId, ID]
) -> PasswordGiven:
    """Make a new password for somebody who lost theirs; whoever is signed in is signed out."""
    found = await _member(acting, member)
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    hashed = await acting.part(PASSWORDS).hash(password)
    await office.change_password(acting.connection, acting.tenant, member, hashed, acting.now)
    await _note(acting, who, "member.password_renewed", member)
    _have_consoles_look_again(acting, member)
    return PasswordGiven(id=member, email=found.email, password=password)


@members(
    "DELETE",
    "/v1/staff/members/{member}/second-factor",
    who=(OPERATOR,),
    returns={200: MemberView},
)
async def drop_second_factor(
    acting: Acting, who: Staff, member: Annotated[StaffId, ID]
) -> MemberView:
    """Forget a lost authenticator. Where the roles need one, it is set up at the next sign-in."""
    await _member(acting, member)
    await office.drop_second_factor(acting.connection, acting.tenant, member, acting.now)
    await _note(acting, who, "member.second_factor_dropped", member)
    _have_consoles_look_again(acting, member)
    return await _member(acting, member)


@members(
    "POST",
    "/v1/staff/members/{member}/suspend",
    who=(OPERATOR,),
    returns={200: MemberView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def suspend_member(acting: Acting, who: Staff, member: Annotated[StaffId, ID]) -> MemberView:
    """Let somebody in no longer; whoever is signed in is signed out.

    A call that rings a counselor is withdrawn from them; one they talk in goes on.
    """
    if member == who.id:
        raise Refused(RefusalCode.NOT_NOW, "Let another operator suspend you.")
    found = await _member(acting, member)
    if found.counselor is not None:
        await stand_down(acting, member, found.counselor)
    await office.suspend(acting.connection, acting.tenant, member, acting.now)
    await _note(acting, who, "member.suspended", member)
    _have_consoles_look_again(acting, member)
    return await _member(acting, member)


@members(
    "POST",
    "/v1/staff/members/{member}/restore",
    who=(OPERATOR,),
    returns={200: MemberView},
    refuses=(RefusalCode.NOT_NOW,),
)
async def restore_member(acting: Acting, who: Staff, member: Annotated[StaffId, ID]) -> MemberView:
    """Let somebody in again who was suspended."""
    await _member(acting, member)
    await _unless_taken(acting, lambda inner: office.restore(inner, acting.tenant, member))
    await _note(acting, who, "member.restored", member)
    return await _member(acting, member)


@members("GET", "/v1/staff/keys", who=(OPERATOR,), returns={200: PageOf[KeyView]})
async def list_keys(asked: Asked, query: Page) -> PageOf[KeyView]:
    """The keys of app back ends, revoked ones included, newest first."""
    after = start_after(asked, query)
    async with asked.borrow() as connection:
        rows = await office.list_keys(
            connection,
            asked.tenant,
            limit=query.fetch,
            before=None if after is None else str(after[0]),
        )
    items, cursor = page_of(asked, query, rows, show=KeyView.of, key=lambda key: (key.id,))
    return PageOf[KeyView](items=items, next_cursor=cursor)


@members("POST", "/v1/staff/keys", who=(OPERATOR,), returns={201: KeyGiven}, secret=True)
async def add_key(acting: Acting, who: Staff, body: KeyWanted) -> KeyGiven:
    """Make a key for an app's back end. It is in this answer alone."""
    token, key = new_token(TokenKind.APP), acting.part(DESK).new_id("key")
    await add_api_key(
        acting.connection, acting.tenant, key, body.name, token_hash(token), acting.now
    )
    await _note(acting, who, "key.added", key)
    return KeyGiven(id=key, name=body.name, api_key=token)


@members("DELETE", "/v1/staff/keys/{key}", who=(OPERATOR,), returns={204: None})
async def revoke_key(acting: Acting, who: Staff, key: Annotated[str, ID]) -> Answer:
    """Revoke a key: its next request is refused. 404 when it is unknown or was revoked before."""
    if not await office.revoke_key(acting.connection, acting.tenant, key, acting.now):
        raise NotFound
    await _note(acting, who, "key.revoked", key)
    return Answer(status=204)


async def _member(acting: Acting, member: StaffId) -> MemberView:
    found = await office.load_member(acting.connection, acting.tenant, member)
    if found is None:
        raise NotFound
    return MemberView.of(found)


async def _unless_taken(
    acting: Acting, change: "Callable[[Connection], Awaitable[object]]"
) -> None:
    """Raises Refused where another account has the e-mail or answers at that counselor's desk."""
    try:
        async with acting.connection.transaction():
            await change(acting.connection)
    except asyncpg.UniqueViolationError as taken:
        what = "counselor" if taken.constraint_name == "one_account_per_counselor" else "e-mail"
        raise Refused(RefusalCode.NOT_NOW, f"That {what} has an account already.") from None


def _have_consoles_look_again(acting: Acting, member: StaffId) -> None:
    sign_ins = acting.part(OPEN_CONSOLES)
    acting.after_commit(lambda: sign_ins.changed(member))


async def _note(acting: Acting, who: Staff, action: str, subject: str) -> None:
    await note_deed(
        acting.connection,
        acting.frame.seal,
        acting.tenant,
        Deed(staff=who.id, action=action, subject=subject),
        now=acting.now,
        new_id=acting.part(DESK).new_id,
    )
