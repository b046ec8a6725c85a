"""A service that will end: announced ahead, and no order is opened after its last day."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.policies.waiting import today_in_china
from tests.people import CALLER, LISTENING
from tests.scenarios.claiming import ask
from tests.serving import Service, a_service, until_noon
from warmline.programs import load_shipped

A_DAY = 86_400


def written(folder: Path, last_day: str) -> Path:
    """The listening talk, which a voucher pays, until that day."""
    folder.mkdir()
    body = load_shipped()[LISTENING].body
    end = f'offered_until = "{last_day}"\nend_announced_on = "2020-01-01"\n'
    (folder / "ends.toml").write_text(f"{body}\n{end}", encoding="utf-8")
    return folder


@pytest.mark.rule("B04", "B05")
async def test_the_end_of_a_service_is_announced_ahead_and_holds(
    database_url: str, tmp_path: Path
) -> None:
    last_day = (today_in_china(datetime.now(UTC)) + timedelta(days=2)).isoformat()
    folder = written(tmp_path / "programs", last_day)
    async with a_service(database_url, tmp_path, programs=folder) as service:
        await service.people.caller()
        me = service.device(CALLER)
        counselor = await service.people.counselor()
        operator = await service.sign_in("operator")
        batch = {"program": LISTENING, "count": 2, "valid_until": "2999-01-01T00:00:00Z"}
        _, issued = await ask(service, "POST", "/v1/vouchers", operator, batch)
        first, second = (one["code"] for one in issued["vouchers"])

        _, page = await ask(service, "GET", "/v1/programs", me)
        (shown,) = [one for one in page["items"] if one["id"] == LISTENING]
        wish = {"program": LISTENING, "counselor": counselor}
        in_time, order = await ask(service, "POST", "/v1/orders", me, wish | {"voucher": first})
        await service.let_pass(3 * A_DAY)
        late, refused = await ask(service, "POST", "/v1/orders", me, wish | {"voucher": second})

    assert shown["offered_until"] == last_day
    first_without = (date.fromisoformat(last_day) + timedelta(days=1)).isoformat()
    assert [(one["kind"], one["effective_on"]) for one in shown["changes"]] == [
        ("end", first_without)
    ]
    assert in_time == 201, order
    assert (late, refused["code"]) == (422, "not_entitled")
    assert last_day in refused["detail"]


def changing(folder: Path, today: date, *ahead: tuple[int, int]) -> Path:
    """The listening talk with changes, by the days from today to their announcement and effect."""
    changes = "".join(
        f"""
[[billing.changes]]
announced_on = {today + timedelta(days=announced)}
effective_on = {today + timedelta(days=effective)}
text_zh = "通话时间改为9点至21点"
text_en = "talks from 9:00 to 21:00"
"""
        for announced, effective in ahead
    )
    folder.mkdir()
    body = load_shipped()[LISTENING].body
    (folder / "changes.toml").write_text(f"{body}{changes}", encoding="utf-8")
    return folder


def day_of_service() -> date:
    now = datetime.now(UTC)
    return today_in_china(now + until_noon(now))


@pytest.mark.rule("B04")
async def test_the_catalogue_shows_a_change_from_the_day_it_is_announced_until_it_holds(
    database_url: str, tmp_path: Path
) -> None:
    today = day_of_service()
    folder = changing(tmp_path / "programs", today, (-40, 0), (-30, 1), (0, 30), (1, 31))
    async with a_service(database_url, tmp_path, programs=folder) as service:
        await service.people.caller()
        _, page = await ask(service, "GET", "/v1/programs", service.device(CALLER))

    (shown,) = [one for one in page["items"] if one["id"] == LISTENING]
    assert [one["effective_on"] for one in shown["changes"]] == [
        (today + timedelta(days=days)).isoformat() for days in (1, 30)
    ]
    assert shown["changes"][0]["text"] == {
        "zh": "通话时间改为9点至21点",
        "en": "talks from 9:00 to 21:00",
    }


@pytest.mark.rule("B04")
async def test_whoever_holds_a_voucher_is_told_by_a_running_service_and_operators_see_it(
    database_url: str, tmp_path: Path
) -> None:
    today = day_of_service()
    folder = changing(tmp_path / "programs", today, (-2, 30), (1, 40))
    async with a_service(database_url, tmp_path, programs=folder) as service:
        await service.people.caller()
        operator, me = await service.sign_in("operator"), service.device(CALLER)
        batch = {"program": LISTENING, "count": 1, "valid_until": "2999-01-01T00:00:00Z"}
        _, issued = await ask(service, "POST", "/v1/vouchers", operator, batch)
        code = {"code": issued["vouchers"][0]["code"]}
        assert (await ask(service, "POST", "/v1/vouchers/redeem", me, code))[0] == 200
        await service.let_pass(60)
        told, later = await once_told(service, 1, 0)
        await service.let_pass(2 * A_DAY)
        _, both = await once_told(service, 1, 1)

    assert (told["effective_on"], told["is_late"]) == (str(today + timedelta(days=30)), True)
    assert [told[one] for one in ("told", "waiting", "failed", "withheld")] == [1, 0, 0, 0]
    assert (later["told"], later["is_late"]) == (0, False)
    assert both["waiting"] == both["failed"] == 0


async def once_told(service: Service, *told: int) -> list[dict[str, Any]]:
    """What operators read of each change once so many were told of it."""
    operator = await service.sign_in("operator")
    async with asyncio.timeout(20):
        while True:
            _, page = await ask(service, "GET", f"/v1/programs/{LISTENING}/changes", operator)
            changes: list[dict[str, Any]] = page["items"]
            if [one["told"] for one in changes] == list(told):
                return changes
            await asyncio.sleep(0.05)
