"""Customers told of a change before it takes effect: everybody concerned, once, in their hours."""

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest

from billing.policies.changes import END_EN, END_ZH, Change, ChangeKind
from terms.values import replace
from tests.billing.policies.lists import cells
from tests.warmline.policies.herald import CHANGE, TEN, Herald, announcing, counts
from tests.warmline.policies.keeper import BOUGHT, Kept, listed
from tests.warmline.policies.kit import Office, as_csv, warm
from warmline.notices.store import LOST_AFTER, due_notices
from warmline.policies.accounts import LOOKS_EVERY

HOLDER, OTHER = "+8613800000001", "+8613900000077"


@pytest.fixture
def herald(kept: Kept) -> Herald:
    return Herald(kept.pool, kept.seal, kept.clock, kept.air)


@pytest.mark.rule("B04")
async def test_a_policyholder_is_told_at_ten_on_the_day_and_not_before(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept)
    assert await herald.numbers_told(TEN - timedelta(seconds=1)) == []

    assert await herald.numbers_told(TEN) == ["0001"]

    (sms,) = kept.air.sent
    assert sms.text == "您享有的电话服务自2025年6月1日起有变化：通话时间改为9点至21点。"
    assert await herald.pushed() == []


@pytest.mark.rule("B04")
async def test_however_often_processes_start_and_look_everybody_is_told_once(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept)
    await herald.voucher(OTHER)
    for hours in range(5):
        await herald.numbers_told(TEN + timedelta(hours=hours))
    await herald.pool.execute("UPDATE insurance_policies SET due_at = $1", TEN)

    assert await herald.numbers_told() == ["0001", "0077"]
    assert len(await herald.pushed()) == 1


@pytest.mark.rule("B04")
async def test_whoever_takes_out_a_policy_after_the_announcement_is_told_too_at_ten(
    herald: Herald, kept: Kept
) -> None:
    await herald.look(TEN)
    kept.clock.move_to(datetime(2025, 5, 20, 14, tzinfo=UTC))  # 22:00 in China
    await listed(kept)

    assert await herald.numbers_told() == []
    assert await herald.numbers_told(datetime(2025, 5, 21, 2, tzinfo=UTC)) == ["0001"]


@pytest.mark.rule("B04")
async def test_whoever_redeems_a_voucher_after_the_announcement_is_told_too(
    herald: Herald,
) -> None:
    await herald.look(TEN)
    teller = herald.teller()
    await teller.look()
    await herald.voucher(OTHER)
    herald.clock.advance(LOOKS_EVERY.total_seconds())

    await teller.look()

    assert [sms.to.digits for sms in await herald.send()] == [OTHER]


@pytest.mark.rule("B04")
async def test_who_comes_so_late_that_nothing_can_leave_in_time_is_not_told(
    herald: Herald, kept: Kept
) -> None:
    kept.clock.move_to(datetime(2025, 5, 31, 12, tzinfo=UTC))  # 20:00, the last evening before
    await listed(kept)
    await herald.voucher(OTHER)

    assert await herald.numbers_told() == []
    assert counts(await herald.reached()) == (0, 0, 0, 0)


@pytest.mark.rule("B04")
async def test_who_was_not_told_before_it_holds_counts_as_failed(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept)
    await herald.look(TEN)
    kept.clock.move_to(datetime(2025, 6, 1, 2, tzinfo=UTC))

    assert await herald.send() == []
    assert counts(await herald.reached()) == (0, 0, 1, 0)


@pytest.mark.rule("B04")
async def test_an_account_with_an_unused_voucher_is_told_by_sms_and_through_its_app(
    herald: Herald,
) -> None:
    caller = (await herald.voucher(OTHER)).holder
    await herald.voucher(OTHER)

    assert await herald.numbers_told(TEN) == ["0077"]

    (push,) = await herald.pushed()
    assert push["type"] == "service.changes"
    assert push["data"]["caller"] == caller
    assert push["data"]["effective_on"] == "2025-06-01"
    assert push["data"]["what_zh"] == CHANGE.zh


@pytest.mark.rule("B04")
async def test_a_policyholder_with_an_account_and_vouchers_is_told_once_by_each_way(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept, "P-1", "P-2")
    await herald.voucher(HOLDER)

    assert await herald.numbers_told(TEN) == ["0001"]
    assert len(await herald.pushed()) == 1


@pytest.mark.rule("B04")
async def test_an_account_that_came_after_its_policyholder_was_told_is_not_told_again(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept)
    await herald.look(TEN)
    await herald.voucher(HOLDER)

    assert await herald.numbers_told(TEN + timedelta(hours=1)) == ["0001"]
    told = await herald.pool.fetchval("SELECT caller FROM change_tellings")
    assert told == await herald.account(HOLDER)


@pytest.mark.rule("B04")
async def test_whose_voucher_ends_before_the_change_or_fell_is_not_concerned(
    herald: Herald,
) -> None:
    await herald.voucher(OTHER, good_for=timedelta(days=30))
    fell = await herald.voucher("+8613900000078")
    await herald.void(fell.id)

    assert await herald.numbers_told(TEN) == []


@pytest.mark.rule("B04")
async def test_an_account_that_gave_an_insured_persons_data_is_told(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept)
    caller = await herald.account(OTHER)
    await herald.pool.execute(
        """INSERT INTO proven_insured (tenant, caller, policy, insured, proven_at)
           SELECT tenant, $1, policy, id, $2 FROM policy_people WHERE role = 'insured'""",
        *(caller, kept.clock.now()),
    )

    assert await herald.numbers_told(TEN) == ["0001", "0077"]


@pytest.mark.rule("B04")
async def test_nothing_is_sent_for_a_policy_that_ended_meanwhile_and_again_once_it_is_back(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept)
    await herald.look(TEN)
    await listed(kept, status="surrendered")

    assert await herald.send() == []
    assert counts(await herald.reached()) == (0, 0, 0, 1)

    await listed(kept)
    assert await herald.numbers_told(TEN + timedelta(days=1)) == ["0001"]
    assert counts(await herald.reached()) == (1, 0, 0, 0)


@pytest.mark.rule("B04")
async def test_a_holder_of_several_policies_is_told_though_one_of_them_ended(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept, "P-1", "P-2")
    await herald.look(TEN)
    await listed(kept, "P-1", status="surrendered")

    assert [sms.to.digits for sms in await herald.send()] == [HOLDER]


@pytest.mark.rule("B04")
async def test_nothing_is_sent_to_an_account_whose_voucher_fell_meanwhile(
    herald: Herald,
) -> None:
    voucher = await herald.voucher(OTHER)
    await herald.look(TEN)
    await herald.void(voucher.id)

    assert await herald.send() == []
    assert await herald.pushed() == []
    assert counts(await herald.reached()) == (0, 0, 0, 1)


@pytest.mark.rule("B04")
async def test_a_change_that_was_taken_back_is_told_to_nobody_else(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept)
    await herald.look(TEN)
    herald.programs = announcing()

    assert await herald.numbers_told() == []


@pytest.mark.rule("B04")
async def test_mended_words_are_not_told_again_and_another_day_is(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept)
    await herald.numbers_told(TEN)
    herald.programs = announcing(replace(CHANGE, zh="通话时间改为9点到21点"))
    assert await herald.numbers_told(TEN + timedelta(minutes=1)) == ["0001"]

    herald.programs = announcing(replace(CHANGE, effective_on=date(2025, 7, 1)))

    assert await herald.numbers_told(TEN + timedelta(minutes=2)) == ["0001", "0001"]


@pytest.mark.rule("B04", "B05")
async def test_the_end_of_a_service_is_told_ahead_like_any_change(
    herald: Herald, kept: Kept
) -> None:
    end = Change(
        kind=ChangeKind.END,
        effective_on=date(2025, 6, 1),
        announced_on=date(2025, 5, 1),
        zh=END_ZH,
        en=END_EN,
    )
    herald.programs = announcing(end)
    await listed(kept)

    await herald.numbers_told(TEN)

    (sms,) = kept.air.sent
    assert sms.text == ("您享有的电话服务自2025年6月1日起有变化：不再提供，已有的预约不受影响。")


@pytest.mark.rule("B04")
async def test_processes_that_look_at_once_tell_everybody_once_and_some_at_a_time(
    herald: Herald, kept: Kept
) -> None:
    count = 450
    rows = [  # two policies each
        cells(policy_number=f"P-{n}", policyholder_phone=f"1380000{n // 2:04}", **BOUGHT)
        for n in range(count)
    ]
    await Office(kept.pool, kept.seal, kept.clock.now()).take(as_csv(rows))
    for n in range(10):
        await herald.voucher(f"+861380000{n:04}")
        await herald.voucher(f"+861390000{n:04}")
    await warm(herald.pool, 8)
    kept.clock.move_to(TEN)

    await asyncio.gather(
        *(herald.keeper().look() for _ in range(4)), *(herald.teller().look() for _ in range(4))
    )

    told = [sms.to.digits for sms in await herald.send()]
    assert len(told) == len(set(told)) == count // 2 + 10
    batches = await herald.pool.fetch("SELECT count(*) FROM change_tellings GROUP BY xmin::text")
    assert max(row["count"] for row in batches) <= 200
    assert counts(await herald.reached()) == (count // 2 + 10, 0, 0, 0)


async def test_what_tells_of_a_change_waits_for_all_that_somebody_waits_for(
    herald: Herald, kept: Kept
) -> None:
    await listed(kept)
    await herald.voucher(OTHER)
    await herald.look(TEN)

    async with herald.pool.acquire() as connection:
        due = await due_notices(connection, TEN + LOST_AFTER)
        jobs = await connection.fetch("SELECT priority FROM pgqueuer")

    assert [can_wait for _, _, can_wait in due] == [True] * 3  # two SMS and a push
    assert {row["priority"] for row in jobs} == {-1}
