"""Who I am signed in as, and giving an authenticator to an account that has none."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from terms.ids import CounselorId, StaffId
from terms.refusals import RefusalCode, Refused
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import Instant, Model
from warmline.http.sessions import TOTP_PURPOSE
from warmline.http.who import WHOEVER_SIGNED_IN, Staff
from warmline.people import StaffRole, store
from warmline.people.store import StaffMember
from warmline.people.totp import enrolment_address, new_secret, step_of

second_factor = Operations("Sign-in")

_SET_UP_ALREADY = "A second factor is set up already."
_TRIES = 5
_TRIES_WINDOW_SECONDS = 300


class SecondFactor(StrEnum):
    """Whether an account asks for one-time codes. `due`: nothing else is open until it does."""

    NONE = "none"
    ON = "on"
    DUE = "due"


class SignedInAs(Model):
    """Who I am here."""

    id: StaffId
    email: str
    roles: list[StaffRole]
    counselor: CounselorId | None
    second_factor: SecondFactor
    signed_in_at: Instant
    expires_at: Instant


class Offered(Model):
    """What to give an authenticator. Shown this once."""

    secret: str
    """To be typed in, base 32."""

    address: str
    """To be opened by the authenticator: `otpauth://totp/...`"""


class Shown(Model):
    """What the authenticator shows."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


@second_factor("GET", "/v1/sessions/current", who=(WHOEVER_SIGNED_IN,), returns={200: SignedInAs})
async def signed_in_as(asked: Asked, who: Staff) -> SignedInAs:
    """Tell who I am signed in as, and whether a second factor is due."""
    async with asked.borrow() as connection:
        member = await store.staff_member(connection, who.tenant, who.id)
        times = await store.staff_token_times(connection, who.tenant, who.token_hash)
    return _signed_in_as(member, times)


@second_factor(
    "POST",
    "/v1/sessions/current/second-factor",
    who=(WHOEVER_SIGNED_IN,),
    returns={201: Offered},
    refuses=(RefusalCode.NOT_NOW,),
    secret=True,
)
async def offer_second_factor(acting: Acting, who: Staff) -> Offered:
    """Get a secret for an authenticator; it counts once a code of it was confirmed.

    409 where one is set up already: `warmline staff second-factor` renews a lost one.
    """
    member = await store.staff_member(acting.connection, who.tenant, who.id)
    secret = new_secret()
    sealed = acting.frame.seal.seal_text(secret, TOTP_PURPOSE)
    if not await store.offer_second_factor(acting.connection, who.tenant, who.id, sealed):
        raise Refused(RefusalCode.NOT_NOW, _SET_UP_ALREADY)
    return Offered(secret=secret, address=enrolment_address(secret, member.email))


@second_factor(
    "POST",
    "/v1/sessions/current/second-factor/confirm",
    who=(WHOEVER_SIGNED_IN,),
    returns={200: SignedInAs},
    refuses=(RefusalCode.CODE_WRONG, RefusalCode.NOT_NOW, RefusalCode.RATE_LIMITED),
)
async def confirm_second_factor(acting: Acting, who: Staff, body: Shown) -> SignedInAs:
    """Show that the authenticator works: from now on sign-in asks for its codes."""
    rate = await acting.frame.limits.hit(
        f"second-factor:{who.tenant}:{who.id}",
        limit=_TRIES,
        window_seconds=_TRIES_WINDOW_SECONDS,
        now=acting.now,
    )
    if not rate.allowed:
        raise Refused(
            RefusalCode.RATE_LIMITED,
            "Too many wrong codes; wait before the next try.",
            retry_after_seconds=rate.retry_after_seconds,
        )
    member = await store.staff_member(acting.connection, who.tenant, who.id)
    if member.totp_pending is None:
        why = _SET_UP_ALREADY if member.totp_secret else "Ask for a secret first."
        raise Refused(RefusalCode.NOT_NOW, why)
    secret = acting.frame.seal.open_text(member.totp_pending, TOTP_PURPOSE)
    step = step_of(secret, body.code, acting.frame.machine_now())
    if step is None or not await store.take_second_factor(
        acting.connection, who.tenant, who.id, member.totp_pending, step
    ):
        raise Refused(RefusalCode.CODE_WRONG, "The code is wrong; wait for the next one.")
    member = await store.staff_member(acting.connection, who.tenant, who.id)
    times = await store.staff_token_times(acting.connection, who.tenant, who.token_hash)
    return _signed_in_as(member, times)


def _signed_in_as(member: StaffMember, times: tuple[datetime, datetime]) -> SignedInAs:
    if member.second_factor_due:
        state = SecondFactor.DUE
    else:
        state = SecondFactor.NONE if member.totp_secret is None else SecondFactor.ON
    signed_in_at, expires_at = times
    return SignedInAs(
        id=member.id,
        email=member.email,
        roles=sorted(member.roles),
        counselor=member.counselor,
        second_factor=state,
        signed_in_at=signed_in_at,
        expires_at=expires_at,
    )
