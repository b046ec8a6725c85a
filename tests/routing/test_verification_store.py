"""Codes, devices and limits, against a real PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from itertools import count
from typing import TYPE_CHECKING

import asyncpg
import pytest

from routing.limits import Limit
from routing.store.callers import find_caller, get_or_create_caller, load_caller
from routing.store.devices import add_device, find_device_login, verified_number
from routing.store.rates import forget_old_marks, mark_if_allowed, marked_times
from routing.store.verifications import TO_NUMBER, add_verification, try_code
from routing.verification import (
    CODE_TRIES,
    DEVICE_LIFE,
    Answer,
    Confirmed,
    Device,
    Expired,
    Purpose,
    Verification,
    VerificationId,
    Wrong,
    code_digest,
)
from terms.ids import CallerId, DeviceId, TenantId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from tests.routing.people import DAY, HOUR, MINE, MINUTE, NOON, OTHER, SECOND, TENANT
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

KEY = b"a key that only the shell knows"
CODE = "047011"
HOME = sha256(b"192.0.2.1").digest()
_numbers = count(1)


def a_code(number: PhoneNumber = MINE, at: datetime = NOON) -> Verification:
    name = VerificationId(f"v{next(_numbers)}")
    return Verification(
        id=name,
        purpose=Purpose.DEVICE,
        number=number,
        digest=code_digest(KEY, name, Purpose.DEVICE, number, CODE),
        sent_at=at,
    )


async def send(
    pool: "Pool[Record]", seal: AesSeal, verification: Verification, address: bytes = HOME
) -> str:
    try:
        async with pool.acquire() as connection, connection.transaction():
            await add_verification(connection, seal, TENANT, verification, address)
    except Refused as refused:
        return f"{refused.code} {refused.retry_after_seconds}"
    return "sent"


async def answer_with(
    pool: "Pool[Record]", seal: AesSeal, verification: Verification, code: str
) -> Answer | None:
    async with pool.acquire() as connection, connection.transaction():
        tried = await try_code(connection, seal, TENANT, verification.id, code, KEY, NOON)
    return tried[1] if tried is not None else None


@pytest.mark.rule("A10", "B12")
async def test_the_right_code_confirms_once(database: "Pool[Record]", seal: AesSeal) -> None:
    verification = a_code()
    assert await send(database, seal, verification) == "sent"

    assert await answer_with(database, seal, verification, "111111") == Wrong(4)
    assert await answer_with(database, seal, verification, CODE) == Confirmed()
    assert await answer_with(database, seal, verification, CODE) == Expired()


@pytest.mark.rule("A10")
async def test_neither_code_nor_number_is_stored_readably(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    await send(database, seal, a_code())

    row = await database.fetchrow("SELECT * FROM verifications")
    stored = b"".join(
        value if isinstance(value, bytes) else str(value).encode() for value in (row or {}).values()
    )
    assert CODE.encode() not in stored
    assert b"13800000001" not in stored


@pytest.mark.rule("A10")
async def test_twenty_guesses_at_once_get_five_tries(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    verification = a_code()
    await send(database, seal, verification)

    given = await asyncio.gather(
        *(answer_with(database, seal, verification, f"{n:06}") for n in range(20))
    )

    wrong = [one for one in given if isinstance(one, Wrong)]
    assert {one.tries_left for one in wrong} == {4, 3, 2, 1, 0}
    assert len(wrong) == CODE_TRIES
    assert given.count(Expired()) == 20 - CODE_TRIES
    assert await answer_with(database, seal, verification, CODE) == Expired()


@pytest.mark.rule("A10")
async def test_twenty_right_answers_at_once_confirm_once(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    verification = a_code()
    await send(database, seal, verification)

    given = await asyncio.gather(
        *(answer_with(database, seal, verification, CODE) for _ in range(20))
    )

    assert given.count(Confirmed()) == 1
    assert given.count(Expired()) == 19


async def test_a_newer_code_ends_the_one_before_it_but_not_another_numbers(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    first, second, elsewhere = a_code(), a_code(at=NOON + MINUTE), a_code(OTHER)
    for verification in (first, elsewhere, second):
        assert await send(database, seal, verification) == "sent"

    assert await answer_with(database, seal, first, CODE) == Expired()
    assert await answer_with(database, seal, second, CODE) == Confirmed()
    assert await answer_with(database, seal, elsewhere, CODE) == Confirmed()


async def test_a_code_of_another_tenant_does_not_exist(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    verification = a_code()
    await send(database, seal, verification)
    async with database.acquire() as connection:
        other = TenantId("other")
        assert await try_code(connection, seal, other, verification.id, CODE, KEY, NOON) is None


async def test_asking_for_codes_at_once_sends_one(database: "Pool[Record]", seal: AesSeal) -> None:
    addresses = [sha256(bytes([n])).digest() for n in range(10)]
    outcomes = await asyncio.gather(*(send(database, seal, a_code(), one) for one in addresses))

    assert sorted(outcomes) == ["rate_limited 60"] * 9 + ["sent"]
    assert await database.fetchval("SELECT count(*) FROM verifications") == 1


async def test_one_address_cannot_send_to_many_numbers(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    numbers = [PhoneNumber(f"+86138000001{n:02}") for n in range(21)]
    outcomes = await asyncio.gather(*(send(database, seal, a_code(one)) for one in numbers))

    assert sorted(outcomes) == ["rate_limited 3600"] + ["sent"] * 20
    assert await send(database, seal, a_code(OTHER), sha256(b"192.0.2.2").digest()) == "sent"


@pytest.mark.rule("A08")
async def test_an_account_is_keyed_by_its_number(database: "Pool[Record]", seal: AesSeal) -> None:
    ids = count(1)

    async def register(number: PhoneNumber) -> CallerId:
        async with database.acquire() as connection, connection.transaction():
            caller = await get_or_create_caller(
                connection, seal, TENANT, number, lambda: CallerId(f"caller-{next(ids)}"), NOON
            )
            return caller.id

    at_once = await asyncio.gather(*(register(MINE) for _ in range(20)))
    assert len(set(at_once)) == 1
    assert await register(MINE) == at_once[0]
    assert await register(OTHER) != at_once[0]
    async with database.acquire() as connection:
        caller = await load_caller(connection, seal, TENANT, at_once[0])
        assert caller is not None
        assert caller.number == MINE
        assert await find_caller(connection, seal, TenantId("other"), MINE) is None
        assert await load_caller(connection, seal, TENANT, CallerId("nobody")) is None


async def verify(pool: "Pool[Record]", seal: AesSeal, name: str, at: datetime = NOON) -> CallerId:
    async with pool.acquire() as connection, connection.transaction():
        caller = await get_or_create_caller(
            connection, seal, TENANT, MINE, lambda: CallerId(f"caller-of-{name}"), at
        )
        device = Device(id=DeviceId(name), caller=caller.id, verified_at=at)
        await add_device(connection, TENANT, device, sha256(name.encode()).digest())
        return caller.id


async def login(
    pool: "Pool[Record]", seal: AesSeal, name: str, at: datetime = NOON
) -> PhoneNumber | None:
    async with pool.acquire() as connection:
        found = await find_device_login(connection, seal, sha256(name.encode()).digest(), at)
    if found is None:
        return None
    assert (found.tenant, found.device.id) == (TENANT, name)
    return found.caller.number


@pytest.mark.rule("A10", "A11")
async def test_a_device_speaks_for_its_number_until_it_must_be_verified_again(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    caller = await verify(database, seal, "phone")
    last = NOON + DEVICE_LIFE - SECOND

    assert await login(database, seal, "phone", last) == MINE
    assert await login(database, seal, "phone", NOON + DEVICE_LIFE) is None
    assert await login(database, seal, "somebody else's") is None
    async with database.acquire() as connection:
        for at, held in [(last, MINE), (NOON + DEVICE_LIFE, None)]:
            assert await verified_number(connection, seal, TENANT, caller, at) == held
        nobody = CallerId("nobody")
        assert await verified_number(connection, seal, TENANT, nobody, NOON) is None


@pytest.mark.rule("A11")
async def test_verifying_a_number_on_another_phone_supersedes_the_first(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    await verify(database, seal, "old phone")
    await verify(database, seal, "new phone", NOON + DAY)

    assert await login(database, seal, "old phone", NOON + DAY) is None
    assert await login(database, seal, "new phone", NOON + DAY) == MINE


async def test_phones_verified_at_once_leave_one_live(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    names = [f"phone-{n}" for n in range(10)]
    await asyncio.gather(*(verify(database, seal, name) for name in names))

    numbers = [await login(database, seal, name) for name in names]
    assert numbers.count(MINE) == 1


@pytest.mark.rule("A40")
async def test_a_limit_holds_over_all_connections_and_opens_again(
    database: "Pool[Record]",
) -> None:
    limits = (Limit(3, 300),)

    async def redial(at: datetime) -> datetime | None:
        async with database.acquire() as connection, connection.transaction():
            return await mark_if_allowed(connection, TENANT, "redial", b"order-1", limits, at)

    waits = await asyncio.gather(*(redial(NOON) for _ in range(10)))

    assert waits.count(None) == 3
    assert set(waits) == {None, NOON + 5 * MINUTE}
    assert await redial(NOON + 5 * MINUTE) is None


async def test_marks_no_limit_looks_at_are_forgotten(database: "Pool[Record]") -> None:
    async with database.acquire() as connection:
        for at in (NOON, NOON + HOUR):
            await mark_if_allowed(connection, TENANT, TO_NUMBER, b"n", (Limit(9, 60),), at)
        await forget_old_marks(connection, NOON + DAY)

        assert await marked_times(connection, TENANT, TO_NUMBER, b"n", NOON) == (NOON + HOUR,)


@pytest.mark.rule("A10")
async def test_the_database_refuses_a_sixth_try_and_a_second_open_code(
    database: "Pool[Record]", seal: AesSeal
) -> None:
    verification = a_code()
    await send(database, seal, verification)
    with pytest.raises(asyncpg.CheckViolationError):
        await database.execute("UPDATE verifications SET tries = 6")
    with pytest.raises(asyncpg.UniqueViolationError):
        await database.execute(
            """INSERT INTO verifications SELECT tenant, 'another', purpose, phone_index,
                 phone_sealed, digest, sent_at FROM verifications"""
        )


async def test_a_limited_ask_says_so_with_a_code(database: "Pool[Record]", seal: AesSeal) -> None:
    await send(database, seal, a_code())
    again = replace(a_code(), sent_at=NOON + 59 * SECOND)
    async with database.acquire() as connection, connection.transaction():
        with pytest.raises(Refused) as caught:
            await add_verification(connection, seal, TENANT, again, HOME)

    assert caught.value.code is RefusalCode.RATE_LIMITED
    assert caught.value.retry_after_seconds == 1
