"""A service that will end: announced ahead, and no order is opened after its last day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billing.policies.waiting import today_in_china
from tests.people import CALLER, LISTENING
from tests.scenarios.claiming import ask
from tests.serving import a_service
from warmline.programs import load_shipped

A_DAY = 86_400


def written(folder: Path, last_day: str) -> Path:
    """The listening talk, which a voucher pays, until that day."""
    folder.mkdir()
    body = load_shipped()[LISTENING].body
    (folder / "ends.toml").write_text(f'{body}\noffered_until = "{last_day}"\n', encoding="utf-8")
    return folder


@pytest.mark.rule("B05")
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
    assert in_time == 201, order
    assert (late, refused["code"]) == (422, "not_entitled")
    assert last_day in refused["detail"]
