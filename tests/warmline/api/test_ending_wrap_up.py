"""A supervisor ends a wrap-up that does not end: nothing typed is lost, and who did it is kept."""

import asyncio

import pytest

from routing.counselor import Presence
from tests.people import CALLER, TENANT
from tests.serving import Service
from tests.warmline.api.everybody import Everybody, everybody
from warmline.audit import Audited, deeds_about
from warmline.live import socket

REASON = "their page is gone"
PATH = "/v1/staff/counselors/{counselor}/end-wrap-up"


async def writing(service: Service) -> Everybody:
    """The talk is over, and the counselor has begun to write about it."""
    all_ = await everybody(service)
    async with service.client.post(f"/sim/handsets/{CALLER}/hangup") as response:
        assert response.status == 204
    await service.let_pass(1)
    notes = {"summary": "cannot sl", "version": 0}
    assert (await all_.ask("counselor", "PUT", "/v1/calls/{call}/notes", json=notes))[0] == 200
    assert (await me(all_))["activity"] == "wrap_up"
    return all_


async def me(all_: Everybody) -> dict[str, object]:
    return (await all_.ask("counselor", "GET", "/v1/me"))[1]


async def end(all_: Everybody, who: str = "supervisor") -> tuple[int, dict[str, object]]:
    return await all_.ask(who, "POST", PATH, json={"reason": REASON})


async def deeds(all_: Everybody) -> list[Audited]:
    service = all_.service
    async with service.house.pool.acquire() as connection:
        return await deeds_about(connection, service.house.seal, TENANT, all_.counselor)


async def test_the_counselor_is_free_at_once_and_keeps_what_was_typed_and_what_is_owed(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "HEARTBEAT_SECONDS", 60.0)
    all_ = await writing(service)
    headers = all_.as_("counselor")
    async with service.client.ws_connect("/v1/live", headers=headers) as live:
        async with asyncio.timeout(10):
            while (await live.receive_json())["type"] != "snapshot":
                pass

        status, line = await end(all_)

        assert (status, line["activity"], line["wrap_up_until"]) == (200, "free", None)
        async with asyncio.timeout(10):
            while (await live.receive_json())["type"] != "me":
                pass
    desk = await me(all_)
    assert (desk["activity"], desk["wrap_up_until"]) == ("free", None)
    assert desk["wrap_up_ended_at"] is not None
    owed = desk["wrap_ups"]
    assert isinstance(owed, list)
    assert [one["call"] for one in owed] == [all_.call]
    _, notes = await all_.ask("counselor", "GET", "/v1/calls/{call}/notes")
    assert (notes["summary"], notes["version"]) == ("cannot sl", 1)
    (deed,) = await deeds(all_)
    assert (deed.deed.action, deed.deed.reason) == ("wrap_up.ended", REASON)


async def test_whoever_asked_for_a_break_meanwhile_is_on_it(service: Service) -> None:
    all_ = await writing(service)
    body = {"state": Presence.BREAK}
    assert (await all_.ask("counselor", "PUT", "/v1/me/presence", json=body))[0] == 200
    assert (await me(all_))["activity"] == "wrap_up"

    assert (await end(all_))[1]["activity"] == "break"
    told = await me(all_)
    assert told["wrap_up_ended_at"] is not None

    back = {"state": Presence.AVAILABLE}
    _, desk = await all_.ask("counselor", "PUT", "/v1/me/presence", json=back)
    assert (desk["activity"], desk["wrap_up_ended_at"]) == ("free", None)


async def test_a_wrap_up_that_is_over_stays_over_and_that_is_no_deed(service: Service) -> None:
    all_ = await writing(service)
    await end(all_)
    before = await me(all_)

    status, line = await end(all_)

    assert (status, line["activity"]) == (200, "free")
    assert {**await me(all_), "lease_until": None} == {**before, "lease_until": None}
    assert len(await deeds(all_)) == 1


async def test_the_counselor_can_be_called_again_at_once(service: Service) -> None:
    all_ = await writing(service)
    status, refused = await service.place_call(
        await service.people.order(await service.people.caller("+8613800000009"), all_.counselor),
        "+8613800000009",
    )
    assert (status, refused["code"]) == (409, "counselor_busy")

    await end(all_)

    order = await service.people.order(
        await service.people.caller("+8613800000008"), all_.counselor
    )
    assert (await me(all_))["wrap_up_ended_at"] is not None
    assert (await service.place_call(order, "+8613800000008"))[0] == 202
    assert (await me(all_))["wrap_up_ended_at"] is None


async def test_who_ends_their_own_wrap_up_is_told_of_no_supervisor(service: Service) -> None:
    all_ = await writing(service)
    notes = {"summary": "we spoke of work", "topics": ["work_stress"], "disposition": "referral"}

    status, _ = await all_.ask("counselor", "POST", "/v1/calls/{call}/wrap-up", json=notes)

    desk = await me(all_)
    assert (status, desk["activity"], desk["wrap_up_ended_at"]) == (200, "free", None)


async def test_nobody_but_a_supervisor_does_so_and_nobody_unknown_has_a_wrap_up(
    service: Service,
) -> None:
    all_ = await writing(service)

    for who in ("counselor", "support", "operator", "steward"):
        assert (await end(all_, who))[0] == 403
    path = PATH.format(counselor="counselor_none")
    status, _ = await all_.ask("supervisor", "POST", path, json={"reason": REASON})

    assert status == 404
    assert (await me(all_))["activity"] == "wrap_up"
    assert await deeds(all_) == []
