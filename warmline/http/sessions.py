"""Staff sign in and out."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from terms.refusals import RefusalCode, Refused
from warmline.http import door
from warmline.http.api import Operations
from warmline.http.asked import Acting, Answer, Asked
from warmline.http.cookies import Cookie, Whose, cookie_removal
from warmline.http.model import Model
from warmline.http.problems import Problem, ProblemCode, Unauthenticated
from warmline.http.who import WHOEVER_SIGNED_IN, Staff
from warmline.live.sign_ins import OPEN_CONSOLES
from warmline.people import StaffRole, store
from warmline.people.leaving import LEAVING
from warmline.people.passwords import Passwords
from warmline.people.store import StaffMember
from warmline.people.tokens import TokenKind, new_token, token_hash
from warmline.people.totp import step_of

sessions = Operations("Sign-in")

PASSWORDS = web.AppKey("passwords", Passwords)
TOTP_PURPOSE = "totp secret"

_TRIES = 10
_TRIES_PER_ADDRESS = 100
_TRIES_PER_ACCOUNT = 50
"""From anywhere: well above `_TRIES`, so that a stranger does not lock somebody out at once."""

_TRIES_WINDOW_SECONDS = 900


Email = Annotated[str, StringConstraints(max_length=254, pattern=r"^[!-?A-~]+@[!-?A-~]+$")]


class SignIn(Model):
    """What a member of staff knows."""

    email: Email
    password: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    totp: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = None
    """The code the authenticator shows, for people who have one."""


class SignedIn(Model):
    """The token to send as `Authorization: Bearer`, for seven days at most."""

    token: str
    roles: list[StaffRole]


@sessions(
    "POST",
    "/v1/sessions",
    returns={201: SignedIn},
    refuses=(RefusalCode.RATE_LIMITED,),
    problems=(ProblemCode.SIGN_IN_FAILED, ProblemCode.TOTP_REQUIRED, ProblemCode.FORBIDDEN),
)
async def sign_in(asked: Asked, body: SignIn) -> Answer:
    """Sign in with e-mail and password.

    Where a second factor is set up, the first try answers 401 `totp_required`: send the same again
    with the code. Support, supervisors and operators who have none are let in to set one up and to
    do nothing else (`second_factor_due`). A page of ours is given the token as a cookie as well.
    """
    if "Origin" in asked.request.headers:
        door.check_origin(asked.request)
    await _count_try(asked, body.email)
    async with asked.borrow() as connection:
        member = await store.staff_by_email(connection, asked.tenant, body.email)
    known_hash = None if member is None else member.password_hash
    fits = await asked.part(PASSWORDS).fits(known_hash, body.password)
    if member is None or not fits:
        raise Unauthenticated("E-mail or password is wrong.", code=ProblemCode.SIGN_IN_FAILED)
    token = new_token(TokenKind.STAFF)
    async with asked.borrow() as connection, connection.transaction():
        step = _second_factor(asked, member, body.totp)
        if step is not None:
            used = await store.use_totp_step(connection, member.tenant, member.id, step)
            if not used:
                raise _wrong_totp()
        await store.add_staff_token(
            connection, member.tenant, member.id, token_hash(token), asked.now
        )
    return Answer(
        status=201,
        body=SignedIn(token=token, roles=sorted(member.roles)),
        cookie=_cookie(token) if door.from_own_pages(asked.request) else None,
    )


@sessions("DELETE", "/v1/sessions/current", who=(WHOEVER_SIGNED_IN,), returns={204: None})
async def sign_out(acting: Acting, who: Staff) -> Answer:
    """Sign out, in every window of this browser. The last sign-out ends a counselor's presence."""
    consoles = acting.part(OPEN_CONSOLES)
    acting.after_commit(lambda: consoles.changed(who.id))
    ended = await store.end_staff_token(acting.connection, who.tenant, who.token_hash, acting.now)
    if ended is not None:
        await acting.part(LEAVING)(acting.connection, (ended,), acting.now)
    public_url = acting.frame.public_url
    return Answer(status=204, headers={"Set-Cookie": cookie_removal(public_url, Whose.STAFF)})


def _cookie(token: str) -> Cookie:
    seconds = int(store.TOKEN_LIVES.total_seconds())
    return Cookie(whose=Whose.STAFF, token=token, seconds=seconds)


def _second_factor(asked: Asked, member: StaffMember, code: str | None) -> int | None:
    """The step of a right code, None where no second factor is set up. Raises Unauthenticated."""
    if member.totp_secret is None:
        return None
    if code is None:
        raise Unauthenticated("Send the code your app shows.", code=ProblemCode.TOTP_REQUIRED)
    secret = asked.frame.seal.open_text(member.totp_secret, TOTP_PURPOSE)
    step = step_of(secret, code, asked.frame.machine_now())
    if step is None:
        raise _wrong_totp()
    return step


def _wrong_totp() -> Problem:
    return Unauthenticated(
        "The code is wrong or was used before; wait for the next one.",
        code=ProblemCode.SIGN_IN_FAILED,
    )


async def _count_try(asked: Asked, email: str) -> None:
    keys = (
        (f"sign-in:{asked.address}", _TRIES_PER_ADDRESS),
        (f"sign-in:{asked.tenant}:{asked.address}:{email.lower()}", _TRIES),
        (f"sign-in:{asked.tenant}:{email.lower()}", _TRIES_PER_ACCOUNT),
    )
    for key, limit in keys:
        rate = await asked.frame.limits.hit(
            key, limit=limit, window_seconds=_TRIES_WINDOW_SECONDS, now=asked.now
        )
        if not rate.allowed:
            raise Refused(
                RefusalCode.RATE_LIMITED,
                "Too many tries to sign in; wait before the next one.",
                retry_after_seconds=rate.retry_after_seconds,
            )
