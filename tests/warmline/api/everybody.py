"""One of each kind of person who may ask, and something of theirs to ask for."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from billing.claim import file
from billing.store.claims import saving_claim
from routing.store.targets import put_target
from routing.transfer import AgencyKind, TransferTarget
from terms.ids import CallerId, ClaimId, CounselorId, OrderId, StaffId, TargetId, VoucherId
from terms.phone import PhoneNumber
from tests.people import CALLER, COUNSELOR, LISTENING, TENANT, device_token
from tests.serving import Service
from warmline.desk.store import carry_out
from warmline.http.asked import borrowed
from warmline.http.sessions import TOTP_PURPOSE
from warmline.ids import new_id
from warmline.people import StaffRole, needs_second_factor
from warmline.people.store import StaffMember, add_api_key, add_staff, add_staff_token
from warmline.people.tokens import TokenKind, new_token, token_hash
from warmline.people.totp import new_secret
from warmline.vouchers import issue_vouchers, new_codes

STRANGER = "+8613800000002"
OTHER_COUNSELOR = "+8613900000002"
AGENCY = "+8613700000003"
NUMBERS = (CALLER, STRANGER, COUNSELOR, OTHER_COUNSELOR, AGENCY)

ROLES = ("steward", "support", "supervisor", "operator", "insurer")


@dataclass(frozen=True, slots=True)
class Everybody:
    """Tokens by who holds them, and ids: a caller who talks with a counselor."""

    service: Service
    tokens: dict[str, str]
    caller: CallerId
    order: OrderId
    call: str
    voucher: VoucherId
    counselor: CounselorId
    verification: str
    code: str
    """A voucher's code that nobody has redeemed."""

    claim: ClaimId
    """About the order, open."""

    def as_(self, who: str) -> dict[str, str]:
        """The headers of `who`; none for `anyone`."""
        return {} if who == "anyone" else {"Authorization": f"Bearer {self.tokens[who]}"}

    @property
    def ids(self) -> dict[str, str]:
        """What stands in the paths."""
        return {
            "order": self.order,
            "call": self.call,
            "program": "psych-listening",
            "verification": self.verification,
            "follow_up": "follow_up_1",
            "voucher": self.voucher,
            "caller": self.caller,
            "counselor": self.counselor,
            "member": "staff_none",
            "key": "key_none",
            "claim": self.claim,
            "appeal": self.claim,
        }

    async def ask(
        self, who: str, method: str, path: str, **request: object
    ) -> tuple[int, dict[str, object]]:
        """Status and answer; `{order}` and the like in the path are filled in."""
        headers = self.as_(who) | dict(request.pop("headers", {}))  # type: ignore[call-overload]
        async with self.service.client.request(
            method,
            path.format(**self.ids),
            headers=headers,
            **request,  # type: ignore[arg-type]
        ) as response:
            body = await response.read()
            return response.status, await response.json(content_type=None) if body else {}


async def everybody(service: Service, *, talking: bool = True) -> Everybody:
    """Make them all; the caller and the counselor talk, unless told otherwise."""
    people = service.people
    counselor = await people.counselor()
    other = await people.counselor(OTHER_COUNSELOR)
    caller = await people.caller()
    await people.caller(STRANGER)
    order = await people.order(caller, counselor)
    await _agency(service)
    call = await _talk(service, order) if talking else "call_none"
    async with service.client.post("/v1/device-verifications", json={"phone": AGENCY}) as response:
        verification = (await response.json())["id"]
    tokens = {
        "caller": device_token(CALLER),
        "stranger": device_token(STRANGER),
        "app": await api_key(service),
        "counselor": await staff_token(service, "counselor", counselor),
        "other_counselor": await staff_token(service, "counselor", other),
    }
    for role in ROLES:
        tokens[role] = await staff_token(service, role)
    voucher = (await people.see_voucher(order)).id
    code = await new_code(service)
    claim = await _claim(service, order)
    await quiet(service)
    return Everybody(
        service, tokens, caller, order, call, voucher, counselor, verification, code, claim
    )


async def quiet(service: Service) -> None:
    """Until everything that was to be sent is sent, and every policy was looked at."""
    query = """SELECT (SELECT count(*) FROM pgqueuer)
                    + (SELECT count(*) FROM notices WHERE outcome IS NULL)
                    + (SELECT count(*) FROM insurance_policies WHERE due_at <= $1)"""
    async with asyncio.timeout(10):
        while await service.house.pool.fetchval(query, service.house.clock.now()):  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.02)


async def staff_token(service: Service, role: str, counselor: CounselorId | None = None) -> str:
    """The token of a new member of staff."""
    id_ = StaffId(service.people.new_id("staff"))
    token = new_token(TokenKind.STAFF)
    now = service.house.clock.now()
    sealed = service.house.seal.seal_text(new_secret(), TOTP_PURPOSE)
    member = StaffMember(
        tenant=TENANT,
        id=id_,
        email=f"{id_}@example.test",
        password_hash="$argon2id$nobody knows it",
        roles=frozenset({StaffRole(role)}),
        counselor=counselor,
        totp_secret=sealed if needs_second_factor({StaffRole(role)}) else None,
    )
    async with borrowed(service.house.pool) as connection:
        await add_staff(connection, member, now)
        await add_staff_token(connection, TENANT, id_, token_hash(token), now)
    return token


async def new_code(service: Service, *, good_for: timedelta = timedelta(days=30)) -> str:
    """A code that can be redeemed."""
    house = service.house
    (code,) = new_codes(1)
    async with borrowed(house.pool) as connection:
        await issue_vouchers(
            connection,
            house.seal,
            TENANT,
            program=LISTENING,
            codes=[code],
            valid_until=house.clock.now() + good_for,
            now=house.clock.now(),
        )
    return code


async def _claim(service: Service, order: OrderId) -> ClaimId:
    now = service.house.clock.now()
    claim = file(
        None,
        id=ClaimId(new_id("claim")),
        order=order,
        call=None,
        policy=service.house.programs[LISTENING].billing,
        now=now,
    )
    async with borrowed(service.house.pool) as connection:
        await carry_out(connection, [saving_claim(TENANT, claim)])
    return claim.id


async def api_key(service: Service) -> str:
    """The key of a new app back end."""
    key = new_token(TokenKind.APP)
    now = service.house.clock.now()
    async with borrowed(service.house.pool) as connection:
        await add_api_key(connection, TENANT, new_id("key"), "app", token_hash(key), now)
    return key


async def _agency(service: Service) -> None:
    target = TransferTarget(id=TargetId("target_1"), name="110", kind=AgencyKind.POLICE)
    async with borrowed(service.house.pool) as connection:
        await put_target(connection, service.house.seal, TENANT, target, PhoneNumber(AGENCY))


async def _talk(service: Service, order: OrderId) -> str:
    await service.script(CALLER, answers="yes")
    await service.script(COUNSELOR, answers="yes", presses="1")
    status, call = await service.place_call(order, CALLER)
    assert status == 202, call
    await service.let_pass(3)
    assert (await service.people.see_call(order)).state == "bridged"
    return str(call["id"])
