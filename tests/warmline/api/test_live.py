"""The live feed of a running service: each sees their own, from the snapshot on, without a gap."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from tests.people import CALLER
from tests.serving import Service
from tests.warmline.api.everybody import (
    NUMBERS,
    OTHER_COUNSELOR,
    STRANGER,
    Everybody,
    everybody,
    quiet,
)
from warmline.live import socket
from warmline.live.socket import CloseCode

Event = dict[str, Any]


async def listen(all_: Everybody, who: str, **query: int) -> ClientWebSocketResponse:
    """A feed that has not told its snapshot yet."""
    params = {name: str(value) for name, value in query.items()}
    return await all_.service.client.ws_connect("/v1/live", headers=all_.as_(who), params=params)


async def told(joined: ClientWebSocketResponse) -> Event:
    """The next message that is not about the listener's own state."""
    message: Event = {"type": "me"}
    while message["type"] == "me":
        message = await joined.receive_json(timeout=10)
    return message


async def told_up_to(joined: ClientWebSocketResponse, seq: int) -> list[Event]:
    """Every event until that one."""
    events: list[Event] = []
    while not events or events[-1]["seq"] < seq:
        events.append(await told(joined))
    return events


async def written(service: Service, mark: str, after: int = 0) -> list[tuple[int, str]]:
    """The timeline as it stands, as far as the mark lets one see it."""
    rows = await service.house.pool.fetch(
        "SELECT seq, kind FROM timeline WHERE seq > $1 AND visible @> ARRAY[$2] ORDER BY seq",
        *(after, mark),
    )
    return [(row["seq"], row["kind"]) for row in rows]


def as_written(events: list[Event]) -> list[tuple[int, str]]:
    assert {event["type"] for event in events} <= {"event"}
    return [(event["seq"], event["kind"]) for event in events]


async def two_calls(service: Service, all_: Everybody) -> tuple[str, str]:
    """The caller's talk comes to its end while a stranger's whole call runs; both orders."""
    other = await service.house.pool.fetchval(
        "SELECT id FROM counselors WHERE id <> $1", all_.counselor
    )
    stranger = await service.house.pool.fetchval(
        "SELECT caller FROM devices JOIN callers ON callers.id = devices.caller "
        "WHERE callers.id <> (SELECT caller FROM orders WHERE id = $1)",
        all_.order,
    )
    order = await service.people.order(stranger, other)
    await service.script(STRANGER, answers="yes", talks_for_seconds=60)
    await service.script(OTHER_COUNSELOR, answers="yes", presses="1")
    status, _ = await service.place_call(order, STRANGER)
    assert status == 202
    await service.let_pass(10)
    async with service.client.post(f"/sim/handsets/{CALLER}/hangup") as response:
        assert response.status == 204
    await service.let_pass(120)
    return all_.order, order


async def test_each_sees_their_own_from_the_snapshot_on_and_misses_nothing(
    service: Service,
) -> None:
    all_ = await everybody(service)
    caller = (await service.people.see_order(all_.order)).caller
    marks = {
        "caller": f"caller:{caller}",
        "counselor": f"counselor:{all_.counselor}",
        "supervisor": "staff",
        "support": "staff",
    }
    feeds = {who: await listen(all_, who) for who in (*marks, "stranger", "steward", "insurer")}
    snapshots = {who: await told(feed) for who, feed in feeds.items()}
    assert {snapshot["type"] for snapshot in snapshots.values()} == {"snapshot"}

    own, strangers = await two_calls(service, all_)

    for who, mark in marks.items():
        expected = await written(service, mark, snapshots[who]["seq"])
        events = await told_up_to(feeds[who], expected[-1][0])
        assert as_written(events) == expected, who
        orders = {event["order"] for event in events}
        assert orders == ({own, strangers} if mark == "staff" else {own}), who
        assert not any(number in json.dumps(events) for number in NUMBERS), who
    kinds = {event["kind"] for event in await told_up_to(feeds["stranger"], _last(expected))}
    assert "connected" in kinds
    assert "judged" not in kinds
    for who in ("steward", "insurer"):
        await feeds[who].close()
        assert (await feeds[who].receive()).type is WSMsgType.CLOSED, who


def _last(expected: list[tuple[int, str]]) -> int:
    return next(seq for seq, kind in reversed(expected) if kind == "order.completed")


async def test_the_snapshot_tells_what_is_true_now(service: Service) -> None:
    all_ = await everybody(service)

    callers = await told(await listen(all_, "caller"))
    counselors = await told(await listen(all_, "counselor"))
    strangers = await told(await listen(all_, "stranger"))
    others = await told(await listen(all_, "other_counselor"))

    (order,) = callers["orders"]
    assert (order["id"], order["state"]) == (all_.order, "in_call")
    assert (order["call"]["id"], order["call"]["state"]) == (all_.call, "bridged")
    assert order["call"]["ends_at"] is not None
    assert (counselors["counselor"], counselors["call"]["id"]) == (all_.counselor, all_.call)
    assert strangers["orders"] == []
    assert others["call"] is None


async def test_who_comes_and_goes_while_calls_run_still_sees_everything_once(
    service: Service,
) -> None:
    all_ = await everybody(service)
    first = await listen(all_, "supervisor")
    start = (await told(first))["seq"]
    seen: list[Event] = []
    running = asyncio.create_task(two_calls(service, all_))
    feed, last = first, start
    async with asyncio.timeout(60):
        while not running.done() or last < await _newest(service):
            try:
                event = await feed.receive_json(timeout=0.5)
            except TimeoutError:
                continue
            if event["type"] == "snapshot":
                assert event["resumed"]
                continue
            seen.append(event)
            last = event["seq"]
            if len(seen) % 3 == 0:
                await feed.close()
                feed = await listen(all_, "supervisor", after=last)
    await running

    assert as_written(seen) == await written(service, "staff", start)


async def _newest(service: Service) -> int:
    rows = await written(service, "staff")
    return rows[-1][0]


async def test_the_snapshot_and_what_follows_it_leave_no_gap_whenever_one_joins(
    service: Service,
) -> None:
    all_ = await everybody(service)
    running = asyncio.create_task(two_calls(service, all_))
    joined: list[tuple[ClientWebSocketResponse, Event]] = []
    while not running.done() and len(joined) < 40:
        feed = await listen(all_, "supervisor")
        joined.append((feed, await told(feed)))
    await running
    await quiet(service)

    assert len({snapshot["seq"] for _, snapshot in joined}) > 1, "they all joined at one moment"
    for feed, snapshot in joined:
        expected = await written(service, "staff", snapshot["seq"])
        if expected:
            assert as_written(await told_up_to(feed, expected[-1][0])) == expected


BAD_HELLOS: tuple[tuple[str | bytes, int], ...] = (
    ("{", CloseCode.BAD_MESSAGE),
    ("[]", CloseCode.BAD_MESSAGE),
    ("", CloseCode.BAD_MESSAGE),
    ('{"type":"hello"}', CloseCode.BAD_MESSAGE),
    ('{"type":"hi","token":"ws_x"}', CloseCode.BAD_MESSAGE),
    ('{"type":"hello","token":1}', CloseCode.BAD_MESSAGE),
    ('{"type":"hello","token":"ws_x","more":1}', CloseCode.BAD_MESSAGE),
    ('{"type":"hello","token":"' + "x" * 513 + '"}', CloseCode.BAD_MESSAGE),
    (b"\x00\x01", CloseCode.BAD_MESSAGE),
    ('{"type":"hello","token":"ws_unknown"}', CloseCode.UNAUTHENTICATED),
    ('{"type":"hello","token":"wd_\\u0000"}', CloseCode.UNAUTHENTICATED),
    ('{"type":"hello","token":"密码"}', CloseCode.UNAUTHENTICATED),
    ("x" * 5_000, 1009),  # the protocol's own word for a message that is too big
)


async def test_a_bad_hello_closes_with_its_code(service: Service) -> None:
    for hello, code in BAD_HELLOS:
        feed = await service.client.ws_connect("/v1/live")
        await (feed.send_bytes(hello) if isinstance(hello, bytes) else feed.send_str(hello))
        assert await _close_code(feed) == code, hello


async def test_silence_closes_too_and_a_good_hello_opens(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_ = await everybody(service, talking=False)

    with monkeypatch.context() as impatient:
        impatient.setattr(socket, "HELLO_SECONDS", 0.2)
        silent = await service.client.ws_connect("/v1/live")
        assert await _close_code(silent) == CloseCode.UNAUTHENTICATED
    spoken = await service.client.ws_connect("/v1/live")
    await spoken.send_json({"type": "hello", "token": all_.tokens["counselor"]})
    assert (await told(spoken))["counselor"] == all_.counselor
    await service.house.pool.execute("UPDATE devices SET superseded_at = now()")
    late = await service.client.ws_connect("/v1/live")
    await late.send_json({"type": "hello", "token": all_.tokens["caller"]})
    assert await _close_code(late) == CloseCode.UNAUTHENTICATED


async def _close_code(feed: ClientWebSocketResponse) -> int | None:
    async with asyncio.timeout(10):
        while (await feed.receive()).type not in (WSMsgType.CLOSE, WSMsgType.CLOSED):
            pass
    return feed.close_code
