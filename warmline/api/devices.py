"""Proving that the phone in the hand is the one whose number was typed (A10, B12)."""

import secrets
from typing import Annotated

from pydantic import StringConstraints

from routing.store.callers import get_or_create_caller
from routing.store.devices import add_device, load_device, supersede_device
from routing.store.verifications import add_verification, try_code
from routing.verification import (
    DEVICE_LIFE,
    Confirmed,
    Device,
    Purpose,
    Verification,
    VerificationId,
    code_digest,
    refusal,
)
from terms.ids import CallerId, DeviceId
from terms.refusals import RefusalCode, Refused
from warmline.api.parts import DESK, key_for
from warmline.desk.writing import Committed
from warmline.http import door
from warmline.http.api import Operations
from warmline.http.asked import Acting, Answer, Asked
from warmline.http.cookies import Cookie, Whose, cookie_removal, whose_cookie
from warmline.http.mobile import Mobile
from warmline.http.model import ID, Instant, Model
from warmline.http.problems import NotFound
from warmline.http.who import CALLER, Caller
from warmline.notices.codes import send_code
from warmline.people.tokens import TokenKind, new_token, token_hash

devices = Operations("Devices")

_CODE_PURPOSE = "verification code"
_ADDRESS_PURPOSE = "asker's address"


class PhoneInHand(Model):
    """The number of the phone in the hand."""

    phone: Mobile


class CodeSent(Model):
    """A code is on its way by SMS."""

    id: str
    expires_at: Instant
    resend_at: Instant


class CodeTyped(Model):
    """What the SMS said."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class DeviceVerified(Model):
    """The device may act for the number's account from now on."""

    device_token: str
    phone: str
    """The number, masked."""


class DeviceView(Model):
    """The phone in the hand."""

    phone: str
    """The number, masked."""

    verified_at: Instant
    expires_at: Instant
    """When the number has to be verified again."""


@devices(
    "POST",
    "/v1/device-verifications",
    returns={202: CodeSent},
    refuses=(RefusalCode.RATE_LIMITED,),
)
async def send_verification(acting: Acting, body: PhoneInHand) -> CodeSent:
    """Send a 6-digit code to the number. A newer code makes the older ones useless."""
    seal = acting.frame.seal
    id_ = VerificationId(acting.part(DESK).new_id("verification"))
    code = f"{secrets.randbelow(10**6):06}"
    key = key_for(seal, _CODE_PURPOSE)
    verification = Verification(
        id=id_,
        purpose=Purpose.DEVICE,
        number=body.phone,
        digest=code_digest(key, id_, Purpose.DEVICE, body.phone, code),
        sent_at=acting.now,
    )
    address = seal.sign(acting.address.encode(), _ADDRESS_PURPOSE)
    await add_verification(acting.connection, seal, acting.tenant, verification, address)
    desk = acting.part(DESK)
    await send_code(
        acting.connection,
        seal,
        acting.tenant,
        body.phone,
        code,
        expires_at=verification.expires_at,
        now=acting.now,
        new_id=desk.new_id,
    )
    acting.after_commit(lambda: desk.tell(Committed(tenant=acting.tenant, notices=True)))
    return CodeSent(id=id_, expires_at=verification.expires_at, resend_at=verification.resend_at)


@devices(
    "POST",
    "/v1/device-verifications/{verification}/confirm",
    returns={201: DeviceVerified},
    refuses=(RefusalCode.CODE_WRONG, RefusalCode.CODE_EXPIRED),
    secret=True,
)
async def confirm_verification(
    acting: Acting, verification: Annotated[VerificationId, ID], body: CodeTyped
) -> Answer | Refused:
    """Type the code: five tries, five minutes, once. Another device of the number is let go.

    A page of ours that sends `Warmline-Cookie: device` is given the token as a cookie as well.
    """
    seal = acting.frame.seal
    found = await try_code(
        acting.connection,
        seal,
        acting.tenant,
        verification,
        body.code,
        key_for(seal, _CODE_PURPOSE),
        acting.now,
    )
    if found is None:
        raise NotFound
    tried, answer = found
    if not isinstance(answer, Confirmed):
        refused = refusal(answer)
        assert refused is not None
        return refused
    verified = await _verified(acting, tried)
    return Answer(status=201, body=verified, cookie=_cookie_for(acting, verified.device_token))


@devices("GET", "/v1/devices/current", who=(CALLER,), returns={200: DeviceView})
async def get_device(asked: Asked, who: Caller) -> DeviceView:
    """The phone that this device was verified for."""
    async with asked.borrow() as connection:
        found = await load_device(connection, asked.frame.seal, asked.tenant, who.device)
    if found is None:
        raise NotFound
    device, number = found
    return DeviceView(
        phone=str(number),
        verified_at=device.verified_at,
        expires_at=device.verified_at + DEVICE_LIFE,
    )


@devices("DELETE", "/v1/devices/current", who=(CALLER,), returns={204: None})
async def forget_device(acting: Acting, who: Caller) -> Answer:
    """Forget this device. Its number has to be verified again before the next call."""
    await supersede_device(acting.connection, acting.tenant, who.device, acting.now)
    removal = cookie_removal(acting.frame.public_url, Whose.DEVICE)
    return Answer(status=204, headers={"Set-Cookie": removal})


def _cookie_for(acting: Acting, token: str) -> Cookie | None:
    wanted = whose_cookie(acting.request) is Whose.DEVICE
    if not (wanted and door.from_own_pages(acting.request)):
        return None
    seconds = int(DEVICE_LIFE.total_seconds())
    return Cookie(whose=Whose.DEVICE, token=token, seconds=seconds)


async def _verified(acting: Acting, verification: Verification) -> DeviceVerified:
    new_id = acting.part(DESK).new_id
    caller = await get_or_create_caller(
        acting.connection,
        acting.frame.seal,
        acting.tenant,
        verification.number,
        lambda: CallerId(new_id("caller")),
        acting.now,
    )
    token = new_token(TokenKind.DEVICE)
    device = Device(id=DeviceId(new_id("device")), caller=caller.id, verified_at=acting.now)
    await add_device(acting.connection, acting.tenant, device, token_hash(token))
    return DeviceVerified(device_token=token, phone=str(verification.number))
