"""What cannot be dealt with does not stand in the way of the rest."""

from structlog.testing import capture_logs

from dialer.carriers import LegRinging
from dialer.store.news import keep_news, mark_fault
from tests.house import House
from tests.people import TENANT
from tests.warmline.workers.choosy import talking


async def test_news_that_fails_again_and_again_is_tried_more_and_more_rarely(
    house: House,
) -> None:
    call = await talking(house)
    now = house.clock.now()
    async with house.pool.acquire() as connection:
        news = LegRinging(leg=call.legs[0].id, at=now)
        await keep_news(connection, "poison", news, stray_tenant=TENANT, now=now)
        await mark_fault(connection, TENANT, "poison", "SomeBug")
    await house.pool.execute("UPDATE calls SET record = '{}' WHERE id = $1", call.id)

    with capture_logs():
        for _ in range(20):
            house.clock.advance(1)
            await house.crew.refolder.look()

    tries = await house.pool.fetchval("SELECT tries FROM news WHERE id = 'poison'")
    assert 3 <= tries <= 6


async def test_a_head_that_cannot_be_seated_stops_no_other_queue(house: House) -> None:
    await house.pool.execute(
        """INSERT INTO queue_places (tenant, call, program, priority, crisis, joined_at)
           VALUES ($1, 'call_of_nobody', 'a-program', 0, false, $2),
                  ($1, 'call_of_nobody_else', 'b-program', 0, false, $2)""",
        *(TENANT, house.clock.now()),
    )

    with capture_logs() as logged:
        await house.crew.seater.look()

    assert [line["event"] for line in logged] == ["queue_not_seated"] * 2
