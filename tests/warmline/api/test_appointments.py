"""An appointment over HTTP: booked, shown, given up by its caller and by support."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billing.voucher import State as VoucherState
from routing.counselor import Presence, set_presence
from routing.store.counselors import lock_counselor_alone, save_counselor
from terms.ids import CounselorId, OrderId
from tests.people import CALLER, LISTENING, TENANT, see_that_the_books_agree
from tests.scenarios.claiming import Told, ask
from tests.serving import Service, a_service
from warmline.programs import load_shipped

A_DAY = timedelta(days=1)


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """The listening talk by appointment, round the clock."""
    folder = tmp_path / "programs"
    folder.mkdir()
    body = load_shipped()[LISTENING].body.replace('hours = "10:00-22:00"', 'hours = "24h"')
    (folder / "appointed.toml").write_text(f"{body}\nappointments = true\n", encoding="utf-8")
    async with a_service(database_url, tmp_path, programs=folder) as one:
        yield one
        await see_that_the_books_agree(one.house.pool, one.house.seal)


async def booked(
    service: Service, starts_at: datetime, **more: object
) -> tuple[int, Told, CounselorId]:
    """A voucher is issued, and an appointment asked for with its code."""
    await service.people.caller()
    counselor = await service.people.counselor()
    operator = await service.sign_in("operator")
    batch = {"program": LISTENING, "count": 1, "valid_until": "2999-01-01T00:00:00Z"}
    _, issued = await ask(service, "POST", "/v1/vouchers", operator, batch)
    wish = {
        "program": LISTENING,
        "counselor": counselor,
        "voucher": issued["vouchers"][0]["code"],
        "starts_at": starts_at.isoformat(),
    }
    status, told = await ask(service, "POST", "/v1/orders", service.device(CALLER), wish | more)
    return status, told, counselor


def now(service: Service) -> datetime:
    return service.people.clock.now()


async def test_an_appointment_shows_when_it_begins_and_until_when_it_is_free_to_cancel(
    service: Service,
) -> None:
    starts_at = now(service) + 3 * A_DAY
    me = service.device(CALLER)

    status, order, _ = await booked(service, starts_at)
    early, refused = await ask(service, "POST", f"/v1/orders/{order['id']}/calls", me, {})
    _, page = await ask(service, "GET", "/v1/programs", me)

    assert status == 201, order
    shown = {name: datetime.fromisoformat(order[name]) for name in _TIMES}
    assert shown == {
        "starts_at": starts_at,
        "cancel_free_until": starts_at - A_DAY,
        "expires_at": starts_at + A_DAY,
    }
    assert order["counted_as_used"] is None
    assert order["cancel_counts_after"] == order["cancel_free_until"]
    assert (early, refused["code"]) == (409, "not_now")
    assert {one["id"]: one["takes_appointments"] for one in page["items"]} == {
        LISTENING: True,
        "family-doctor": False,
    }
    assert {one["id"]: one["appointments"] for one in page["items"]} == {
        LISTENING: {
            "book_ahead_seconds": 7 * 86_400,
            "cancel_free_seconds": 86_400,
            "no_show_counts": True,
        },
        "family-doctor": None,
    }


_TIMES = ("starts_at", "cancel_free_until", "expires_at")


@pytest.mark.rule("B08", "X23")
@pytest.mark.parametrize(("ahead", "counted"), [(3 * A_DAY, None), (A_DAY / 2, "late_cancel")])
async def test_the_answer_to_a_cancel_says_what_it_cost(
    service: Service, ahead: timedelta, counted: str | None
) -> None:
    _, order, _ = await booked(service, now(service) + ahead)

    status, given_up = await ask(
        service, "DELETE", f"/v1/orders/{order['id']}", service.device(CALLER)
    )

    assert (status, given_up["state"]) == (200, "cancelled")
    assert given_up["counted_as_used"] == counted
    voucher = await service.people.see_voucher(OrderId(order["id"]))
    assert voucher.state is (VoucherState.CONSUMED if counted else VoucherState.RETURNED)


@pytest.mark.rule("X23")
@pytest.mark.parametrize(
    ("house_fault", "counted", "reason", "deed"),
    [
        (False, "late_cancel", "late_cancel", "order.cancelled"),
        (True, None, "house_fault", "order.cancelled_for_house_fault"),
    ],
)
async def test_support_says_whose_fault_it_is_and_the_houses_own_is_free(
    service: Service, house_fault: bool, counted: str | None, reason: str, deed: str
) -> None:
    _, order, _ = await booked(service, now(service) + A_DAY / 2)
    support = await service.sign_in("support")

    _, given_up = await ask(
        service,
        "POST",
        f"/v1/orders/{order['id']}/cancel",
        support,
        {"reason": "the counselor is ill", "house_fault": house_fault},
    )

    assert (given_up["counted_as_used"], given_up["closed_reason"]) == (counted, reason)
    query = "SELECT action FROM staff_deeds WHERE subject = $1"
    assert await service.house.pool.fetchval(query, order["id"]) == deed


@pytest.mark.rule("B07")
async def test_a_caller_turned_away_as_the_counselor_is_absent_gives_up_free(
    service: Service,
) -> None:
    starts_at = now(service) + timedelta(hours=1)
    _, order, counselor = await booked(service, starts_at)
    await service.let_pass(3601)
    async with service.house.pool.acquire() as connection, connection.transaction():
        found = await lock_counselor_alone(connection, TENANT, counselor)
        assert found is not None
        away = set_presence(found, Presence.OFFLINE, now(service), 60)
        await save_counselor(connection, TENANT, away)
    me, path = service.device(CALLER), f"/v1/orders/{order['id']}"

    status, refused = await ask(service, "POST", f"{path}/calls", me, {})
    _, let_down = await ask(service, "GET", path, me)
    _, given_up = await ask(service, "DELETE", path, me)

    assert (status, refused["code"]) == (409, "counselor_offline")
    assert let_down["cancel_counts_after"] is None
    assert given_up["counted_as_used"] is None
    voucher = await service.people.see_voucher(OrderId(order["id"]))
    assert voucher.state is VoucherState.RETURNED


@pytest.mark.rule("X22")
@pytest.mark.parametrize(
    ("starts_at", "more", "status"),
    [
        (datetime(2020, 1, 1, tzinfo=UTC), {}, 409),
        (datetime(9999, 12, 31, tzinfo=UTC), {}, 409),
        (None, {"counselor": "nobody"}, 422),
    ],
)
async def test_a_booking_that_is_refused_leaves_nothing_behind(
    service: Service, starts_at: datetime | None, more: dict[str, object], status: int
) -> None:
    got, refused, _ = await booked(service, starts_at or now(service) + A_DAY, **more)

    assert got == status, refused
    assert await service.house.pool.fetchval("SELECT count(*) FROM orders") == 0
    query = "SELECT count(*) FROM ledger_entries WHERE reason = 'held'"
    assert await service.house.pool.fetchval(query) == 0
