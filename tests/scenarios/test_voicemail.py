"""Whoever is rung and in whatever order: a voicemail never uses a voucher up (X01)."""

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from billing.order import State as OrderState
from dialer.call import State
from dialer.policy import CallerAccepts
from terms.ids import ProgramId
from terms.section import ProgramInvalid
from tests.house import ACCEPTS, VOICEMAIL, House, a_house
from tests.people import CALLER, COUNSELOR, DOCTOR, LISTENING
from warmline.programs import load_programs, load_shipped, read_program
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

CALL_BACK = ProgramId("call-back")


def call_back(more: str = "") -> str:
    """The listening line, with the counselor rung before the caller."""
    body = load_shipped()[LISTENING].body
    for old, new in (
        ('id = "psych-listening"', f'id = "{CALL_BACK}"'),
        ('ring_first = "caller"', f'ring_first = "counselor"{more}'),
        ("+862100000025", "95003"),
    ):
        assert old in body, old
        body = body.replace(old, new)
    return body


@pytest.fixture
async def house(
    database: "Pool[Record]", seal: AesSeal, noon: datetime, tmp_path: Path
) -> AsyncIterator[House]:
    """At noon, with such a program."""
    (tmp_path / "call-back.toml").write_text(call_back(), encoding="utf-8")
    async with a_house(database, seal, noon, programs=load_programs(tmp_path)) as one:
        yield one


@pytest.mark.rule("X01", "A19", "X27")
async def test_the_callers_voicemail_talks_with_nobody_and_counts_as_not_reached(
    house: House,
) -> None:
    counselor = await house.counselor(program=CALL_BACK)
    order = await house.order(await house.caller(), counselor, program=CALL_BACK)
    house.world.script(CALLER, VOICEMAIL)
    await house.call(order)
    await house.pass_time(40)

    assert (await house.see_call(order)).state is State.WAITING
    assert house.world.handset(CALLER).heard[0] == "press_1"
    assert CALLER not in house.world.handset(COUNSELOR).hears
    await house.pass_time(1800)

    ended = await house.see_order(order)
    assert (ended.state, ended.attempts_counted) == (OrderState.OPEN, 3)
    assert (await house.see_voucher(order)).state == "held"
    assert "connected" not in await house.timeline(order)
    assert house.world.standing_legs() == ()


@pytest.mark.rule("X01", "A19")
async def test_a_caller_who_presses_1_talks_and_that_uses_the_voucher(house: House) -> None:
    counselor = await house.counselor(program=CALL_BACK)
    order = await house.order(await house.caller(script=ACCEPTS), counselor, program=CALL_BACK)
    await house.call(order)
    await house.pass_time(20)

    assert (await house.see_call(order)).state is State.BRIDGED
    assert (await house.see_voucher(order)).state == "consumed"


@pytest.mark.rule("X01")
def test_a_program_in_which_a_voicemail_could_use_a_voucher_is_refused() -> None:
    with pytest.raises(ProgramInvalid) as invalid:
        read_program(call_back('\ncaller_accepts = "never"'))

    assert [fault.key for fault in invalid.value.faults] == ["caller_accepts"]


def test_where_nothing_is_used_up_callers_press_nothing() -> None:
    doctor = load_shipped()[DOCTOR]
    assert doctor.dialer.caller_accepts is CallerAccepts.NEVER

    paid = read_program(doctor.body.replace('voucher = "none"', 'voucher = "required"'))
    assert paid.dialer.caller_accepts is CallerAccepts.SECOND
