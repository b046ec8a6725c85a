"""Codes issued when the wait is over, sent to policyholders, voided with their policy."""

import asyncio
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from billing.store.vouchers import insert_vouchers, load_voucher, save_voucher
from billing.voucher import State, VoucherMove, carry_out, hold, issue, reissue
from terms.ids import CallerId, OrderId, ProgramId, VoucherId
from tests.people import TENANT
from tests.warmline.policies.keeper import DUE, Kept, keeper, listed
from tests.warmline.policies.kit import warm
from warmline.policies.covers import covers_of, digest_of
from warmline.programs import load_shipped

ROOT = Path(__file__).parents[3]


async def hold_it(kept: Kept, voucher: VoucherId, order: OrderId) -> None:
    async with kept.pool.acquire() as connection, connection.transaction():
        found = await load_voucher(connection, TENANT, voucher)
        assert found is not None
        held = hold(
            found,
            order=order,
            caller=CallerId("caller_1"),
            program=ProgramId("psych-listening"),
            now=kept.clock.now(),
        )
        await save_voucher(connection, TENANT, *held)


@pytest.mark.rule("A05", "A16", "X12")
async def test_after_the_wait_the_policyholder_and_not_the_insured_gets_the_code_at_ten(
    kept: Kept,
) -> None:
    await listed(kept)

    assert await kept.look() == DUE
    await kept.look(DUE - timedelta(seconds=1))
    assert await kept.vouchers() == []
    await kept.look(DUE)
    (sms,) = await kept.send()

    (voucher,) = await kept.vouchers()
    assert voucher.state is State.ISSUED
    assert voucher.holder is None
    assert sms.to.digits == "+8613800000001"
    assert kept.opens(sms, voucher)


@pytest.mark.rule("A20", "X13")
async def test_the_code_is_good_until_the_policy_year_ends(kept: Kept) -> None:
    await listed(kept)
    await kept.look(DUE)
    (sms,) = await kept.send()

    (voucher,) = await kept.vouchers()
    assert voucher.valid_until == datetime(2026, 1, 1, 16, tzinfo=UTC)  # 2 January 0:00 in China
    assert "2026年1月1日" in sms.text


async def test_however_often_somebody_looks_a_policy_year_brings_one_code(kept: Kept) -> None:
    await listed(kept)
    for hours in range(5):
        await kept.look(DUE + timedelta(hours=hours))
    await listed(kept, policyholder_phone="13800000008")
    await kept.look()

    assert len(await kept.vouchers()) == 1


@pytest.mark.rule("A20")
async def test_the_next_policy_year_brings_the_next_code(kept: Kept) -> None:
    await listed(kept)
    next_look = await kept.look(DUE)
    assert next_look == datetime(2026, 1, 2, 2, tzinfo=UTC)

    await kept.look(next_look)

    assert [one.valid_until.year for one in await kept.vouchers()] == [2026, 2027]


@pytest.mark.rule("A17")
@pytest.mark.parametrize("status", ["surrendered", "lapsed", "ended"])
async def test_a_policy_surrendered_within_the_wait_gets_no_code(kept: Kept, status: str) -> None:
    await listed(kept)
    await kept.look()
    kept.clock.move_to(DUE - timedelta(days=3))
    await listed(kept, status=status)
    await kept.look()

    await kept.look(DUE)

    assert await kept.send() == []
    assert await kept.vouchers() == []


@pytest.mark.rule("A17")
async def test_a_code_already_on_its_way_is_stopped_when_the_policy_is_surrendered(
    kept: Kept,
) -> None:
    await listed(kept)
    await kept.look(DUE)
    await listed(kept, status="surrendered")  # before the message left, and before anybody looked

    assert await kept.send() == []
    await kept.look()

    (voucher,) = await kept.vouchers()
    assert voucher.state is State.VOIDED
    row = await kept.pool.fetchrow("SELECT outcome, fault, secret_sealed FROM notices")
    assert row is not None
    assert tuple(row) == ("gave_up", "withheld: the policy has ended", None)


async def test_a_code_whose_voucher_fell_otherwise_is_stopped_too(kept: Kept) -> None:
    await listed(kept)
    await kept.look(DUE)
    await kept.pool.execute("UPDATE vouchers SET state = 'voided'")

    assert await kept.send() == []


@pytest.mark.rule("A21", "B03", "X15")
@pytest.mark.parametrize("status", ["surrendered", "lapsed", "ended"])
async def test_an_unused_code_falls_with_its_policy(kept: Kept, status: str) -> None:
    await listed(kept)
    await kept.look(DUE)
    await kept.send()

    await listed(kept, status=status)
    await kept.look()

    (voucher,) = await kept.vouchers()
    assert voucher.state is State.VOIDED
    reasons = await kept.pool.fetch("SELECT reason FROM ledger_entries ORDER BY number")
    assert [row["reason"] for row in reasons] == ["prepared", "issued", "policy_ended"]


@pytest.mark.rule("A21")
async def test_an_unused_code_falls_at_midnight_after_the_last_day(kept: Kept) -> None:
    await listed(kept, ends_on="2025-03-31")
    await kept.look(DUE)
    midnight = datetime(2025, 3, 31, 16, tzinfo=UTC)

    assert await kept.look(midnight - timedelta(seconds=1)) == midnight
    assert (await kept.vouchers())[0].state is State.ISSUED
    await kept.look(midnight)

    assert (await kept.vouchers())[0].state is State.VOIDED


@pytest.mark.rule("X15")
async def test_a_held_code_is_never_cut_off_and_falls_once_it_comes_back(kept: Kept) -> None:
    await listed(kept)
    await kept.look(DUE)
    (voucher,) = await kept.vouchers()
    await hold_it(kept, voucher.id, OrderId("order_1"))

    await listed(kept, status="surrendered")
    again_at = await kept.look()
    (held,) = await kept.vouchers()
    assert held.state is State.HELD
    async with kept.pool.acquire() as connection:
        back, entry = carry_out(
            held, VoucherMove.RETURN_EXPIRED, OrderId("order_1"), kept.clock.now()
        )
        assert entry is not None
        await save_voucher(connection, TENANT, back, entry)
    assert again_at is not None
    await kept.look(again_at)

    assert (await kept.vouchers())[0].state is State.VOIDED


@pytest.mark.rule("X15")
async def test_a_code_that_stands_in_place_of_another_falls_with_the_policy_too(
    kept: Kept,
) -> None:
    await listed(kept)
    await kept.look(DUE)
    (voucher,) = await kept.vouchers()
    (old, entry), replacement = reissue(
        voucher,
        id=VoucherId("voucher_z"),
        code_hash=b"another".ljust(32),
        code_ending="ABCD",
        reason="lost",
        by_supervisor=False,
        now=kept.clock.now(),
    )
    async with kept.pool.acquire() as connection, connection.transaction():
        await save_voucher(connection, TENANT, old, entry)
        given = issue(replacement[0], kept.clock.now())
        await insert_vouchers(connection, TENANT, [[replacement, given]])

    await listed(kept, status="surrendered")
    await kept.look()

    assert [one.state for one in await kept.vouchers()] == [State.REISSUED, State.VOIDED]


async def test_a_code_is_under_seal_until_it_is_sent_and_then_nowhere(kept: Kept) -> None:
    await listed(kept)
    with capture_logs() as logs:
        await kept.look(DUE)
        waiting = await kept.pool.fetchval("SELECT secret_sealed IS NOT NULL FROM notices")
        (sms,) = await kept.send()
    code = sms.text.split("兑换码")[1][:19]

    assert waiting
    told = " ".join(row[0] for row in await kept.pool.fetch("SELECT n::text FROM notices n"))
    assert code not in told
    assert code.replace("-", "") not in told
    assert code not in str(logs)
    assert await kept.pool.fetchval("SELECT secret_sealed FROM notices") is None


async def test_a_moment_that_fails_leaves_neither_voucher_nor_message(kept: Kept) -> None:
    await listed(kept)
    await kept.pool.execute("ALTER TABLE policy_vouchers ADD CHECK (number > 1)")

    with pytest.raises(Exception, match="violates check constraint"):
        await kept.look(DUE)

    assert await kept.vouchers() == []
    assert await kept.pool.fetchval("SELECT count(*) FROM notices") == 0


@pytest.mark.parametrize(
    "senseless",
    [
        """UPDATE policy_people SET phone = NULL, phone_index = NULL
           WHERE role = 'policyholder' AND policy =
               (SELECT id FROM insurance_policies WHERE number = 'P-2')""",
        "UPDATE insurance_policies SET ends_on = '9999-12-31' WHERE number = 'P-2'",
    ],
    ids=["no phone", "beyond the calendar"],
)
async def test_a_policy_nobody_can_make_sense_of_stops_no_other(kept: Kept, senseless: str) -> None:
    await listed(kept, "P-1", "P-2", "P-3")
    await kept.pool.execute(senseless)

    with capture_logs() as logs:
        await kept.look(DUE)

    assert len(await kept.vouchers()) == 2
    assert "policy_put_off" in {line["event"] for line in logs}


async def test_a_program_that_gives_more_is_noticed_by_the_next_process(kept: Kept) -> None:
    await listed(kept)
    await kept.look(DUE)

    generous = keeper(kept.pool, kept.seal, kept.clock, vouchers_a_year=2)
    await generous.look()

    assert len(await kept.vouchers()) == 2


async def test_two_keepers_at_once_issue_each_code_once(kept: Kept) -> None:
    await listed(kept, *(f"P-{number}" for number in range(30)))
    kept.clock.move_to(DUE)
    await warm(kept.pool, 8)

    await asyncio.gather(*(keeper(kept.pool, kept.seal, kept.clock).look() for _ in range(4)))

    assert len(await kept.vouchers()) == 30
    assert len(await kept.send()) == 30


async def test_two_processes_at_once_issue_each_code_once(kept: Kept, database_url: str) -> None:
    await listed(kept, *(f"P-{number}" for number in range(400)))

    running = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.warmline.policies.issuer"),
            *(database_url, DUE.isoformat()),
            cwd=ROOT,
        )
        for _ in range(2)
    ]
    endings = await asyncio.gather(*(process.wait() for process in running))

    assert endings == [0, 0]
    given = await kept.pool.fetch("SELECT policy, count(*) FROM policy_vouchers GROUP BY policy")
    assert len(given) == 400
    assert {row["count"] for row in given} == {1}
    assert len(await kept.vouchers()) == 400
    assert await kept.pool.fetchval("SELECT count(*) FROM notices") == 400


async def test_a_surrender_that_comes_while_somebody_looks_waits_and_then_counts(
    kept: Kept,
) -> None:
    await listed(kept)
    kept.clock.move_to(DUE)

    await asyncio.gather(kept.look(), listed(kept, status="surrendered"))
    await kept.look()

    assert await kept.send() == []
    assert {one.state for one in await kept.vouchers()} <= {State.VOIDED}


def test_the_order_in_which_programs_stand_makes_no_other_programs() -> None:
    programs = load_shipped()
    turned = dict(reversed(programs.items()))
    listening = programs[ProgramId("psych-listening")]
    cover = replace(listening.billing.cover, waiting_days=31)
    other = {
        **programs,
        listening.id: replace(listening, billing=replace(listening.billing, cover=cover)),
    }

    assert digest_of(covers_of(programs)) == digest_of(covers_of(turned))
    assert digest_of(covers_of(programs)) != digest_of(covers_of(other))
