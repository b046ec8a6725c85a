"""Orders that rest on an insurance policy: who may have one, how many, and what ends them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from billing.order import ClosedBy
from billing.order import State as OrderState
from dialer.call import State
from terms.ids import OrderId, PersonId
from terms.refusals import RefusalCode, Refused
from tests.house import ANSWERS, NO_ANSWER, House, a_house, hangs_up
from tests.people import TENANT
from tests.scenarios.insuring import (
    EXPERT,
    FAMILY_EXPERT,
    GUARDIAN,
    HOLDER,
    INSURED,
    INSURED_DOCTOR,
    STRICT_EXPERT,
    listed,
    order,
    write_programs,
)
from warmline.programs import load_programs
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

A_YEAR = 365 * 86_400
CHILD: dict[str, str | None] = {
    "relation": "child",
    "insured_name": "李小",
    "insured_id_number": None,
    "insured_birth_date": "2020-05-05",
    "insured_phone": INSURED.removeprefix("+86"),
    "contact_name": "陈静",
    "contact_phone": GUARDIAN.removeprefix("+86"),
}


@pytest.fixture
async def house(
    database: "Pool[Record]", seal: AesSeal, noon: datetime, tmp_path: Path
) -> AsyncIterator[House]:
    programs = load_programs(write_programs(tmp_path))
    async with a_house(database, seal, noon, programs=programs) as one:
        yield one


async def talk(house: House, order_id: OrderId, number: str = INSURED) -> None:
    """The two connect, and the caller hangs up after two minutes."""
    house.world.script(number, replace(hangs_up(120), presses="1"))
    await house.call(order_id, number)
    await house.pass_time(300)
    assert (await house.see_order(order_id)).state is OrderState.COMPLETED


async def cancel(house: House, order_id: OrderId) -> None:
    async with house.pool.acquire() as connection, connection.transaction():
        _, committed = await house.desk.cancel_order(
            connection, TENANT, order_id, ClosedBy.CALLER, "cancelled_by_caller"
        )
    house.desk.tell(committed)


async def why_not(house: House, number: str, program: object = INSURED_DOCTOR) -> Refused:
    caller = await house.caller(number, verified=False)
    with pytest.raises(Refused) as raised:
        await order(house, caller, program)  # type: ignore[arg-type]
    return raised.value


@pytest.mark.rule("C10", "C39")
async def test_an_insured_person_on_the_list_sees_the_doctor_as_often_as_they_like(
    house: House,
) -> None:
    await listed(house)
    caller = await house.caller(INSURED)
    await house.counselor(program=INSURED_DOCTOR)

    for _ in range(3):
        await talk(house, await order(house, caller, INSURED_DOCTOR))

    states = await house.pool.fetch("SELECT state, talked_seconds > 0 AS talked FROM orders")
    assert [tuple(row) for row in states] == [("completed", True)] * 3


@pytest.mark.rule("C39")
async def test_who_is_on_no_list_is_turned_away_until_a_list_names_them(house: House) -> None:
    others: dict[str, str | None] = {
        "policy_number": "P-9",
        "policyholder_phone": "13800000009",
        "insured_phone": "13900000009",
    }
    await listed(house, others)
    refused = await why_not(house, INSURED)
    assert refused.code is RefusalCode.NOT_ENTITLED
    assert refused.detail == "This number belongs to nobody who is insured for this service."

    await listed(house)

    assert await order(house, await house.caller(INSURED), INSURED_DOCTOR)


@pytest.mark.rule("C10", "C15", "X14")
@pytest.mark.parametrize("program", [INSURED_DOCTOR, EXPERT])
async def test_the_policyholder_may_not_use_what_is_the_insured_persons_alone(
    house: House, program: object
) -> None:
    await listed(house)

    refused = await why_not(house, HOLDER, program)

    assert refused.code is RefusalCode.NOT_ENTITLED
    assert "Only the insured person" in refused.detail


@pytest.mark.rule("C36", "X17", "B01")
async def test_within_the_wait_the_answer_says_from_which_day_on(house: House) -> None:
    await listed(house, {"purchased_on": "2029-12-15", "effective_on": "2029-12-20"})

    refused = await why_not(house, INSURED)
    assert refused.code is RefusalCode.NOT_ENTITLED
    assert "from 2030-01-05 on" in refused.detail
    await house.pass_time(3.5 * 86_400 - 1)
    assert "from 2030-01-05 on" in (await why_not(house, INSURED)).detail
    await house.pass_time(1)

    assert await order(house, await house.caller(INSURED), INSURED_DOCTOR)


@pytest.mark.rule("B03")
@pytest.mark.parametrize("status", ["surrendered", "lapsed", "ended"])
async def test_when_the_policy_ends_so_does_the_service(house: House, status: str) -> None:
    await listed(house)
    caller = await house.caller(INSURED)
    await cancel(house, await order(house, caller, INSURED_DOCTOR))

    await listed(house, {"status": status})

    assert (await why_not(house, INSURED)).detail == "The policy behind this service has ended."


@pytest.mark.rule("C15", "X35", "X18")
async def test_the_expert_is_there_once_in_a_policy_year(house: House) -> None:
    await listed(house)
    caller = await house.caller(INSURED)
    await house.counselor(program=EXPERT)
    await talk(house, await order(house, caller, EXPERT))

    assert (await why_not(house, INSURED, EXPERT)).code is RefusalCode.QUOTA_USED
    await house.pass_time(86_400)  # 2 January: the next policy year
    house.world.script(INSURED, ANSWERS)

    assert await order(house, caller, EXPERT)


@pytest.mark.rule("C15", "X18")
@pytest.mark.parametrize(("effective_on", "days"), [("2028-01-02", 1), ("2029-01-05", 4)])
async def test_a_corrected_first_day_of_the_policy_brings_no_second_use(
    house: House, effective_on: str, days: int
) -> None:
    await listed(house)
    caller = await house.caller(INSURED)
    await house.counselor(program=EXPERT)
    await talk(house, await order(house, caller, EXPERT))

    await listed(house, {"effective_on": effective_on, "purchased_on": "2027-01-01"})

    for _ in range(days):
        assert (await why_not(house, INSURED, EXPERT)).code is RefusalCode.QUOTA_USED
        await house.pass_time(86_400)
    house.world.script(INSURED, ANSWERS)
    assert await order(house, caller, EXPERT)  # the corrected next year


@pytest.mark.rule("C13", "C10")
async def test_an_expert_talks_with_one_insured_person_and_with_nobody_else_meanwhile(
    house: House,
) -> None:
    second = "+8613900000008"
    await listed(house, {}, {"policy_number": "P-8", "insured_phone": second[3:]})
    accepts = replace(ANSWERS, presses="1")
    callers = [await house.caller(number, script=accepts) for number in (INSURED, second)]
    await house.counselor(program=EXPERT)
    orders = [await order(house, caller, EXPERT) for caller in callers]
    await house.call(orders[0], INSURED)
    await house.pass_time(60)

    await house.call(orders[1], second)
    await house.pass_time(60)

    talking, waiting = [await house.see_call(one) for one in orders]
    assert talking.state is State.BRIDGED
    assert sorted(leg.role for leg in talking.legs) == ["caller", "counselor"]
    assert waiting.state is State.QUEUED
    assert waiting.legs == ()
    assert (await why_not(house, HOLDER, EXPERT)).code is RefusalCode.NOT_ENTITLED


@pytest.mark.rule("X28")
async def test_whoever_cannot_be_reached_twice_in_a_period_has_had_their_use(house: House) -> None:
    await listed(house)
    caller = await house.caller(INSURED, script=NO_ANSWER)
    await house.counselor(program=STRICT_EXPERT)

    for _ in range(2):
        opened = await order(house, caller, STRICT_EXPERT)
        await house.call(opened, INSURED)
        await house.pass_time(3600)
        assert (await house.see_order(opened)).state is OrderState.CANCELLED

    refused = await why_not(house, INSURED, STRICT_EXPERT)
    assert refused.code is RefusalCode.QUOTA_USED


@pytest.mark.rule("C15")
async def test_an_order_that_is_given_up_costs_no_use(house: House) -> None:
    await listed(house)
    caller = await house.caller(INSURED)

    await cancel(house, await order(house, caller, EXPERT))

    assert await order(house, caller, EXPERT)


@pytest.mark.rule("C15")
async def test_of_twenty_at_once_for_the_last_use_one_gets_it(house: House) -> None:
    await listed(house)
    caller = await house.caller(INSURED)
    # The program's own limit of one open order must not be what decides here.
    await house.pool.execute("DROP INDEX one_open_order_per_person")

    results = await asyncio.gather(
        *(order(house, caller, EXPERT) for _ in range(20)), return_exceptions=True
    )

    opened = [one for one in results if isinstance(one, str)]
    refused = [one.code for one in results if isinstance(one, Refused)]
    assert len(opened) == 1
    assert refused == [RefusalCode.QUOTA_USED] * 19


@pytest.mark.rule("X49")
async def test_a_quota_per_policyholder_counts_whoever_of_the_policy_uses_it(
    house: House,
) -> None:
    second: dict[str, str | None] = {
        "insured_name": "李红",
        "insured_id_number": None,
        "insured_birth_date": "1990-01-01",
        "insured_phone": "13900000009",
    }
    await listed(house, {}, second)
    first_caller = await house.caller(INSURED)
    second_caller = await house.caller("+8613900000009")

    await order(house, first_caller, EXPERT)
    assert await order(house, second_caller, EXPERT)  # each their own
    await order(house, first_caller, FAMILY_EXPERT)
    refused = await why_not(house, "+8613900000009", FAMILY_EXPERT)

    assert refused.code is RefusalCode.QUOTA_USED


@pytest.mark.rule("X14", "X37")
async def test_policyholder_insured_caller_and_contact_are_told_apart_in_what_is_kept(
    house: House,
) -> None:
    await listed(house, CHILD)
    guardian = await house.caller(GUARDIAN)

    opened = await order(house, guardian, INSURED_DOCTOR)

    row = await house.pool.fetchrow(
        """SELECT orders.caller, known_by, insured.role AS insured, contact.role AS contact,
               holder.phone_index <> contact.phone_index AS others
           FROM orders JOIN order_entitlements AS basis
               ON basis.tenant = orders.tenant AND basis.order_id = orders.id
           JOIN policy_people AS insured
               ON insured.policy = basis.policy AND insured.id = basis.insured
           JOIN policy_people AS contact ON contact.speaks_for = insured.id
           JOIN policy_people AS holder
               ON holder.policy = basis.policy AND holder.role = 'policyholder'
           WHERE orders.id = $1""",
        opened,
    )
    assert row is not None
    assert tuple(row) == (guardian, "contact", "insured", "contact", True)


@pytest.mark.rule("X37")
async def test_a_child_is_not_served_without_the_guardian(house: House) -> None:
    await listed(house, CHILD)

    assert "guardian" in (await why_not(house, INSURED)).detail
    assert "guardian" in (await why_not(house, HOLDER)).detail


async def test_who_speaks_for_several_says_for_whom(house: House) -> None:
    await listed(
        house, CHILD, {**CHILD, "insured_name": "李大", "insured_birth_date": "2019-01-01"}
    )
    guardian = await house.caller(GUARDIAN)
    rows = await house.pool.fetch(
        "SELECT id FROM policy_people WHERE role = 'insured' ORDER BY place"
    )
    wanted = PersonId(rows[1]["id"])

    opened = await order(house, guardian, INSURED_DOCTOR, wanted)

    assert wanted == await house.pool.fetchval(
        "SELECT insured FROM order_entitlements WHERE order_id = $1", opened
    )
    with pytest.raises(Refused, match="does not speak for"):
        await order(house, guardian, EXPERT, PersonId("person_of_others"))


@pytest.mark.rule("X15", "B03")
async def test_a_call_that_is_going_on_when_the_policy_ends_is_not_cut(house: House) -> None:
    await listed(house)
    caller = await house.caller(INSURED, script=ANSWERS)
    await house.counselor(program=INSURED_DOCTOR)
    opened = await order(house, caller, INSURED_DOCTOR)
    await house.call(opened, INSURED)
    await house.pass_time(60)
    assert (await house.see_call(opened)).state is State.BRIDGED

    await listed(house, {"status": "surrendered"})
    await house.pass_time(300)

    assert (await house.see_call(opened)).state is State.BRIDGED


@pytest.mark.rule("X34")
async def test_one_doctors_order_at_a_time_for_each_insured_caller(house: House) -> None:
    await listed(house)
    caller = await house.caller(INSURED)
    await order(house, caller, INSURED_DOCTOR)

    assert (await why_not(house, INSURED)).code is RefusalCode.CALL_IN_PROGRESS
