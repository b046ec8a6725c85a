"""Putting the demo's people and things into the database and its phones into the world.

Everything is looked for before it is made: a second start changes nothing but what was used up.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from billing.code import spaced
from billing.opening import open_order
from billing.store.orders import insert_order, live_orders
from billing.store.vouchers import lock_voucher_by_code
from billing.voucher import USABLE
from dialer.carriers.simulated.control import Hands
from dialer.carriers.simulated.script import BY_HAND
from routing.counselor import Counselor, Presence, set_presence
from routing.policy import SHIFT_SECONDS
from routing.store.callers import get_or_create_caller
from routing.store.counselors import add_counselor, lock_counselor, save_counselor
from routing.store.targets import put_target
from routing.transfer import TransferTarget
from terms.ids import CallerId, OrderId, ProgramId
from warmline.demo import cast, logins
from warmline.demo.store import change_password
from warmline.desk.writing import Committed
from warmline.enrolment import enrol_staff
from warmline.http.sessions import TOTP_PURPOSE
from warmline.ids import new_id
from warmline.people import needs_second_factor
from warmline.people.store import (
    add_api_key,
    api_key_by_hash,
    change_second_factor,
    staff_by_email,
)
from warmline.people.tokens import token_hash
from warmline.vouchers import code_digest, issue_vouchers

if TYPE_CHECKING:
    from warmline.database import Connection
    from warmline.serve import House

_LASTS = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What may be shown to whoever plays."""

    api_key: str = field(repr=False)
    passwords: dict[str, str] = field(repr=False)
    totp_secrets: dict[str, str] = field(repr=False)
    """Of those whose roles need a second factor."""

    vouchers: dict[ProgramId, list[str]] = field(repr=False)


async def set_stage(house: "House") -> Staged:
    """Make what is missing, and put everybody on duty who is to be there."""
    async with house.pool.acquire() as connection, connection.transaction():
        await _counselors(connection, house)
        await _agencies(connection, house)
        is_new = await _key(connection, house)
        committed = await _ready_order(connection, house)
    if committed is not None:
        house.desk.tell(committed)
    house.desk.counselor_came_free(house.settings.tenant)
    if is_new:
        await _staff(house)
    return Staged(
        api_key=logins.api_key(house.seal),
        passwords={login.email: logins.password(house.seal, login.email) for login in cast.LOGINS},
        totp_secrets={
            login.email: logins.totp_secret(house.seal, login.email)
            for login in cast.LOGINS
            if needs_second_factor(login.roles)
        },
        vouchers=await top_up(house),
    )


async def teach_phones(hands: Hands) -> None:
    """Counselors and agencies answer by themselves; callers and one counselor by hand."""
    for role in cast.COUNSELORS:
        await hands.script(role.number, role.script)
    for agency in cast.AGENCIES:
        await hands.script(agency.number, cast.AGENCY_ANSWERS)
    for number in cast.CALLERS:
        await hands.script(number, BY_HAND)


async def top_up(house: "House") -> dict[ProgramId, list[str]]:
    """The codes that can be redeemed now; new ones are made for those that were used."""
    async with house.pool.acquire() as connection, connection.transaction():
        return {
            program: await _codes(connection, house, program, count)
            for program, count in cast.VOUCHERS.items()
        }


async def _codes(
    connection: "Connection", house: "House", program: ProgramId, count: int
) -> list[str]:
    """The first `count` codes nobody has redeemed."""
    found: list[str] = []
    now, number = house.clock.now(), 0
    while len(found) < count:
        number += 1
        code = logins.voucher_code(house.seal, program, number)
        digest = code_digest(house.seal, code)
        voucher = await lock_voucher_by_code(connection, house.settings.tenant, digest)
        if voucher is None:
            (voucher,) = await issue_vouchers(
                connection,
                house.seal,
                house.settings.tenant,
                program=program,
                codes=[code],
                valid_until=now + _LASTS,
                now=now,
            )
        if voucher.state in USABLE and voucher.holder is None and now < voucher.valid_until:
            found.append(spaced(code))
    return found


async def _counselors(connection: "Connection", house: "House") -> None:
    now, tenant = house.clock.now(), house.settings.tenant
    for role in cast.COUNSELORS:
        known = await lock_counselor(connection, tenant, role.id)
        counselor = _counselor(house, role) if known is None else known[0]
        lease = lease_seconds(house, role.program)
        present = set_presence(counselor, role.presence, now, lease)
        if known is None:
            await add_counselor(connection, house.seal, tenant, present, role.number)
        else:
            await save_counselor(connection, tenant, present)


def lease_seconds(house: "House", program: ProgramId) -> int:
    """How long a counselor's word holds."""
    sheet = house.programs.get(program)
    return SHIFT_SECONDS if sheet is None else sheet.routing.presence_lease_seconds


def _counselor(house: "House", role: cast.Role) -> Counselor:
    now: datetime = house.clock.now()
    return Counselor(
        id=role.id,
        name=role.name,
        programs=frozenset({role.program}),
        roles=frozenset({house.programs[role.program].routing.role}),
        idle_since=now,
        skills=role.skills,
        staff_type=role.staff_type,
        grade=role.grade,
        hospital=role.hospital,
        credential=role.credential,
        credential_verified_at=now,
        credential_valid_until=now + _LASTS,
        presence=Presence.OFFLINE,
    )


async def _agencies(connection: "Connection", house: "House") -> None:
    for place, agency in enumerate(cast.AGENCIES):
        target = TransferTarget(id=agency.id, name=agency.name, kind=agency.kind, preference=place)
        await put_target(connection, house.seal, house.settings.tenant, target, agency.number)


async def _key(connection: "Connection", house: "House") -> bool:
    """Whether the key had to be made: at the first start, and when the secret was changed."""
    digest = token_hash(logins.api_key(house.seal))
    if await api_key_by_hash(connection, digest) is not None:
        return False
    tenant, now = house.settings.tenant, house.clock.now()
    await add_api_key(connection, tenant, new_id("key"), "demo app", digest, now)
    return True


async def _ready_order(connection: "Connection", house: "House") -> Committed | None:
    """An order that a caller can call at once, unless the last one still stands."""
    number, id_ = cast.READY_ORDER
    now, tenant, program = house.clock.now(), house.settings.tenant, house.programs[id_]
    caller = await get_or_create_caller(
        connection, house.seal, tenant, number, lambda: CallerId(new_id("caller")), now
    )
    if await live_orders(connection, tenant, caller.id, program.id):
        return None
    settlement = open_order(
        id=OrderId(new_id("order")),
        caller=caller.id,
        program=program.id,
        program_version=program.version,
        program_digest=program.digest,
        counselor=None,
        voucher=None,
        granted_seconds=program.granted_seconds,
        policy=program.billing,
        now=now,
    )
    await insert_order(connection, tenant, settlement.order)
    return await house.desk.tell_opened(connection, tenant, settlement, program)


async def _staff(house: "House") -> None:
    """Accounts with the passwords that go with this secret."""
    for login in cast.LOGINS:
        word = logins.password(house.seal, login.email)
        secret = logins.totp_secret(house.seal, login.email)
        async with house.pool.acquire() as connection, connection.transaction():
            known = await staff_by_email(connection, house.settings.tenant, login.email)
            if known is None:
                await enrol_staff(
                    connection,
                    house.seal,
                    house.settings.tenant,
                    email=login.email,
                    roles=login.roles,
                    now=house.clock.now(),
                    password=word,
                    totp_secret=secret if needs_second_factor(login.roles) else None,
                    counselor=login.counselor,
                    sponsor=login.sponsor,
                )
            else:
                await change_password(connection, house.settings.tenant, known.id, word)
                if known.totp_secret is not None:
                    sealed = house.seal.seal_text(secret, TOTP_PURPOSE)
                    await change_second_factor(connection, known.tenant, known.id, sealed)
