"""What a claim leaves behind: who decided when and why, and what people wrote, under seal."""

import pytest

from tests.people import CALLER
from tests.scenarios.claiming import (
    ask,
    claimed,
    decided,
    deeds,
    messages,
    talk_reasons,
    talked,
)
from tests.serving import Service
from tests.warmline.api.everybody import quiet


@pytest.mark.rule("B21")
async def test_every_decision_leaves_who_when_why_and_what_it_changed(service: Service) -> None:
    order = await talked(service, 300)
    _, claim = await claimed(service, order)
    support = await service.sign_in("support")

    await decided(service, claim["id"], "reject", support, reason="they hung up themselves")
    await quiet(service)

    ((action, before, after),) = await deeds(service, claim["id"])
    assert action == "claim.decided"
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert (before["claim"], after["claim"]) == ("open", "decided")
    assert before["order"] == after["order"] == "completed"
    assert after["decision"] == "reject"
    assert ("claim_reject", 0) in await talk_reasons(service, order)
    (sms,) = [one for one in await messages(service, "sms") if one["template"] == "claim_rejected"]
    assert sms["to"] == "+86138****0001"
    pushed = [
        one for one in await messages(service, "status") if one["template"] == "claim.decided"
    ]
    assert len(pushed) == 1
    assert "hung up" not in str(pushed)
    _, page = await ask(service, "GET", f"/v1/orders/{order}/claims", service.device(CALLER))
    assert page["items"][0]["decision"]["reason"] == "they hung up themselves"


@pytest.mark.parametrize("table", ["staff_deeds", "claim_words"])
async def test_what_was_written_about_a_claim_cannot_be_changed(
    service: Service, table: str
) -> None:
    order = await talked(service, 300)
    _, claim = await claimed(service, order)
    await decided(service, claim["id"], "reject", await service.sign_in("support"))

    for statement in (f"UPDATE {table} SET at = now()", f"DELETE FROM {table}"):
        with pytest.raises(Exception, match="append-only"):
            await service.house.pool.execute(statement)


@pytest.mark.rule("B22")
async def test_what_a_person_wrote_is_sealed_and_reading_it_is_kept(service: Service) -> None:
    secret = "my sister was in the room"
    order = await talked(service, 300)
    _, claim = await claimed(service, order, reason=secret, text=secret)
    support = await service.sign_in("support")
    counselor = await service.sign_in("counselor")
    path = f"/v1/claims/{claim['id']}"

    status, _ = await ask(service, "GET", path, counselor)
    _, case = await ask(service, "GET", path, support)

    assert status == 403
    assert case["written"][0]["text"] == secret
    rows = await service.house.pool.fetch("SELECT words_sealed FROM claim_words")
    assert not any(secret.encode() in row["words_sealed"] for row in rows)
    everywhere = await service.house.pool.fetch(
        "SELECT data::text AS said FROM notices UNION ALL SELECT data::text FROM timeline"
    )
    assert not any(secret in row["said"] for row in everywhere)
    assert [action for action, _, _ in await deeds(service, claim["id"])] == ["claim.read"]
