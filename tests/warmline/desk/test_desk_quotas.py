"""An order that is paid by a use of a quota: the desk carries it as it carries a voucher."""

from datetime import date

import pytest

from billing import store
from billing.ledger import Entry
from billing.opening import open_order
from billing.order import ClosedBy
from billing.order import State as OrderState
from billing.policy import Policy, VoucherUse
from billing.quota import Period, Quota, Stage, hold, quota_on
from terms.ids import CallerId, CounselorId, OrderId
from terms.refusals import RefusalCode, Refused
from tests.house import NO_ANSWER, House, drops, hangs_up
from tests.people import CALLER, LISTENING, TENANT

A_DAY = 86_400
LIMIT = 1


@pytest.fixture
async def people(house: House) -> tuple[CallerId, CounselorId]:
    """Two who want to talk."""
    return await house.caller(), await house.counselor()


async def an_order(house: House, people: tuple[CallerId, CounselorId]) -> OrderId:
    """Opened by a policy, with the one use it allows."""
    caller, counselor = people
    sheet, now = house.programs[LISTENING], house.clock.now()
    blank = quota_on(
        date(2030, 1, 1),
        program=LISTENING,
        subject="person-1",
        period=Period.POLICY_YEAR,
        anchor=date(2030, 1, 1),
    )
    id_ = OrderId(house.new_id("order"))
    async with house.pool.acquire() as connection, connection.transaction():
        await store.keep_program_text(
            connection,
            TENANT,
            program=LISTENING,
            version=sheet.version,
            digest=sheet.digest,
            body=sheet.body,
            now=now,
        )
        quota = await store.lock_quota(connection, TENANT, blank)
        held, entry = hold(quota, order=id_, limit=LIMIT, at=now)
        await store.save_quota(connection, TENANT, held, entry)
        opened = open_order(
            id=id_,
            caller=caller,
            program=LISTENING,
            program_version=sheet.version,
            program_digest=sheet.digest,
            counselor=counselor,
            voucher=None,
            quota=held.book,
            granted_seconds=sheet.granted_seconds,
            policy=Policy(voucher=VoucherUse.NONE),
            now=now,
        )
        await store.insert_order(connection, TENANT, opened.order)
    return id_


async def counted(house: House, order: OrderId) -> tuple[Quota, list[Entry]]:
    """The order's quota, and its book."""
    book = (await house.see_order(order)).quota
    assert book is not None
    async with house.pool.acquire() as connection:
        quota = await store.load_quota(connection, TENANT, book)
        assert quota is not None
        return quota, await store.entries_of(connection, TENANT, book)


async def stages(house: House, order: OrderId) -> list[Stage]:
    quota, _ = await counted(house, order)
    return [use.stage for use in quota.uses]


@pytest.mark.rule("A19", "B29", "C15", "X56")
async def test_a_use_is_consumed_when_two_people_talk_and_not_before(
    house: House, people: tuple[CallerId, CounselorId]
) -> None:
    order = await an_order(house, people)
    house.world.script(CALLER, hangs_up(after_seconds=300))

    await house.call(order)
    assert await stages(house, order) == [Stage.HELD]
    await house.pass_time(30)
    assert await stages(house, order) == [Stage.USED]
    await house.pass_time(600)

    assert (await house.see_order(order)).state is OrderState.COMPLETED
    _, entries = await counted(house, order)
    assert [entry.reason for entry in entries] == ["held", "connected"]
    with pytest.raises(Refused) as refused:
        await an_order(house, people)
    assert refused.value.code is RefusalCode.QUOTA_USED


@pytest.mark.rule("A27", "X56")
async def test_the_rest_of_a_talk_after_a_drop_takes_no_second_use(
    house: House, people: tuple[CallerId, CounselorId]
) -> None:
    order = await an_order(house, people)
    house.world.script(CALLER, drops(after_seconds=300))
    await house.call(order)
    await house.pass_time(300)
    house.world.script(CALLER, NO_ANSWER)
    await house.pass_time(300)
    assert (await house.see_order(order)).state is OrderState.INTERRUPTED

    house.world.script(CALLER, hangs_up(after_seconds=100))
    await house.call(order)
    await house.pass_time(600)

    _, entries = await counted(house, order)
    assert [entry.reason for entry in entries] == ["held", "connected"]


@pytest.mark.rule("A32", "A33", "X56")
async def test_an_order_that_expires_without_a_talk_gives_its_use_back(
    house: House, people: tuple[CallerId, CounselorId]
) -> None:
    order = await an_order(house, people)
    house.world.script(CALLER, NO_ANSWER)
    await house.call(order)

    await house.pass_time(A_DAY + 3600)

    assert (await house.see_order(order)).state is OrderState.EXPIRED
    _, entries = await counted(house, order)
    assert [entry.reason for entry in entries] == ["held", "order_expired"]
    assert await stages(house, await an_order(house, people)) == [Stage.HELD]


@pytest.mark.rule("X56")
async def test_an_order_that_is_given_up_gives_its_use_back(
    house: House, people: tuple[CallerId, CounselorId]
) -> None:
    order = await an_order(house, people)

    async with house.pool.acquire() as connection, connection.transaction():
        await house.desk.cancel_order(connection, TENANT, order, ClosedBy.CALLER, "changed_mind")

    assert await stages(house, order) == []
