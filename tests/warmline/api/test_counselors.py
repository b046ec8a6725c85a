"""The counselor's side, over HTTP: accept, danger, hand over, notes."""

import pytest

from routing.store.targets import put_target
from routing.transfer import AgencyKind, TransferTarget
from terms.ids import CounselorId, OrderId, TargetId
from terms.phone import PhoneNumber
from tests.people import CALLER, COUNSELOR, DOCTOR, TENANT
from tests.serving import Service

PASSWORD = "a long enough password"
POLICE, CLINIC = "+8610000000110", "+8610000000120"


async def sign_in(service: Service, counselor: CounselorId | None, *roles: str) -> dict[str, str]:
    return await service.sign_in(*roles, counselor=counselor)


async def post(
    service: Service, path: str, headers: dict[str, str], body: object = None
) -> tuple[int, dict[str, object]]:
    async with service.client.post(path, json=body, headers=headers) as response:
        return response.status, await response.json()


async def talking(service: Service, counselor: CounselorId) -> tuple[OrderId, str]:
    """An order whose two people talk, and its call."""
    order = await service.people.order(await service.people.caller(), counselor)
    await service.script(CALLER, answers="yes")
    await service.script(COUNSELOR, answers="yes", presses="1")
    _, call = await service.place_call(order, CALLER)
    await service.let_pass(3)
    assert (await service.people.see_call(order)).state == "bridged"
    return order, str(call["id"])


@pytest.mark.rule("X01")
async def test_the_console_accepts_as_the_key_does(service: Service) -> None:
    counselor = await service.people.counselor()
    me = await sign_in(service, counselor, "counselor")
    order = await service.people.order(await service.people.caller(), counselor)
    await service.script(CALLER, answers="yes")
    await service.script(COUNSELOR, answers="yes")
    _, call = await service.place_call(order, CALLER)
    await service.let_pass(3)
    assert (await service.people.see_call(order)).state == "ringing_second"

    async with service.client.get("/v1/me", headers=me) as response:
        seen = await response.json()
    assert seen["state"] == "busy"
    assert seen["offer"]["call"] == call["id"]
    status, _ = await post(service, f"/v1/calls/{call['id']}/accept", me)
    await service.let_pass(1)

    assert status == 200
    assert (await service.people.see_call(order)).state == "bridged"


@pytest.mark.rule("X41", "X55", "D35")
async def test_a_person_in_danger_is_handed_over_and_never_let_go(service: Service) -> None:
    counselor = await service.people.counselor()
    me = await sign_in(service, counselor, "counselor")
    for number, (id_, target) in enumerate((("t_police", POLICE), ("t_second", CLINIC))):
        async with service.house.pool.acquire() as connection:
            await put_target(
                connection,
                service.house.seal,
                TENANT,
                TransferTarget(
                    id=TargetId(id_), name=id_, kind=AgencyKind.POLICE, preference=number
                ),
                PhoneNumber(target),
            )
    await service.script(POLICE, answers="no_answer")
    await service.script(CLINIC, answers="yes", after_seconds=5)
    order, call = await talking(service, counselor)

    assert (await post(service, f"/v1/calls/{call}/crisis", me))[0] == 200
    assert (await post(service, f"/v1/calls/{call}/hang-up", me))[1]["code"] == "not_now"
    async with service.client.get("/v1/transfer-targets", headers=me) as response:
        assert [one["id"] for one in (await response.json())["items"]] == ["t_police", "t_second"]
    assert (await post(service, f"/v1/calls/{call}/transfer", me, {"target": "t_police"}))[0] == 200
    assert (await post(service, f"/v1/calls/{call}/transfer/confirm", me))[1]["code"] == "not_now"
    await service.let_pass(60)
    assert (await post(service, f"/v1/calls/{call}/transfer/confirm", me))[0] == 200
    await service.let_pass(3600)

    after = await service.people.see_call(order)
    assert after.state == "bridged"
    assert after.handed_over
    assert after.counselor is None
    caller = [leg for leg in after.legs if leg.role == "caller"]
    assert len(caller) == 1
    assert caller[0].let_go_at is None


@pytest.mark.rule("D12", "D13", "A04", "A43")
async def test_notes_end_the_wrap_up_and_are_sealed(service: Service) -> None:
    counselor = await service.people.counselor()
    me = await sign_in(service, counselor, "counselor")
    order, call = await talking(service, counselor)
    await service.script(CALLER, answers="yes")
    async with service.client.post(f"/sim/handsets/{CALLER}/hangup") as response:
        assert response.status == 204
    await service.let_pass(1)
    async with service.client.get("/v1/me", headers=me) as response:
        seen = await response.json()
    assert seen["activity"] == "wrap_up"
    assert [one["call"] for one in seen["wrap_ups"]] == [call]

    unknown = {"summary": "x", "topics": ["gossip"], "disposition": "nothing"}
    status, refused = await post(service, f"/v1/calls/{call}/wrap-up", me, unknown)
    assert (status, refused["code"]) == (422, "bad_input")

    status, after = await post(
        service,
        f"/v1/calls/{call}/wrap-up",
        me,
        {"summary": "we spoke of work", "topics": ["work_stress"], "disposition": "referral"},
    )

    assert (status, after["activity"], after["wrap_ups"]) == (200, "free", [])
    kept = await service.house.pool.fetchval("SELECT w::text FROM wrap_ups w")
    assert "we spoke" not in kept
    assert (await service.people.see_order(order)).state == "completed"


async def test_a_counselor_commands_only_the_call_they_are_on(service: Service) -> None:
    first = await service.people.counselor()
    other = await service.people.counselor("+8613900000002")
    stranger = await sign_in(service, other, "counselor")
    _, call = await talking(service, first)

    for action in ("accept", "decline", "hang-up", "crisis", "transfer/confirm"):
        status, answer = await post(service, f"/v1/calls/{call}/{action}", stranger)
        assert (status, answer["code"]) == (404, "not_found"), action
    async with service.client.get(f"/v1/calls/{call}", headers=stranger) as response:
        assert response.status == 404


async def test_support_sees_legs_evidence_and_verdict(service: Service) -> None:
    counselor = await service.people.counselor()
    support = await sign_in(service, None, "support")
    _, call = await talking(service, counselor)
    async with service.client.post(f"/sim/handsets/{COUNSELOR}/hangup") as response:
        assert response.status == 204
    await service.let_pass(1)

    async with service.client.get(f"/v1/calls/{call}", headers=support) as response:
        seen = await response.json()
    assert seen["verdict"]["kind"] == "party_ended"
    assert seen["verdict"]["by"] == "counselor"
    assert {leg["role"] for leg in seen["legs"]} == {"caller", "counselor"}
    assert "judged" in [entry["kind"] for entry in seen["timeline"]]
    assert CALLER not in str(seen)


async def test_signing_out_ends_the_presence(service: Service) -> None:
    counselor = await service.people.counselor()
    me = await sign_in(service, counselor, "counselor")
    async with service.client.put(
        "/v1/me/presence", json={"state": "available"}, headers=me
    ) as response:
        assert (await response.json())["state"] == "available"

    async with service.client.delete("/v1/sessions/current", headers=me) as response:
        assert response.status in (200, 204)
    record, _ = await service.people.see_counselor(counselor)
    assert record.presence == "offline"


@pytest.mark.rule("C08")
async def test_a_doctors_summary_is_owed_then_readable_by_its_caller_alone(
    service: Service,
) -> None:
    doctor = await service.people.counselor(program=DOCTOR)
    me = await sign_in(service, doctor, "counselor")
    order = await service.people.order(await service.people.caller(), program=DOCTOR)
    await service.script(CALLER, answers="yes", talks_for_seconds=60)
    await service.script(COUNSELOR, answers="yes", presses="1")
    _, call = await service.place_call(order, CALLER)
    await service.let_pass(120)
    assert (await service.people.see_order(order)).state == "completed"
    async with service.client.get("/v1/me", headers=me) as response:
        (owed,) = (await response.json())["wrap_ups"]
    assert owed["required"]
    path, device = f"/v1/orders/{order}/summary", service.device(CALLER)
    async with service.client.get(path, headers=device) as response:
        assert response.status == 404
    async with service.client.get(f"/v1/orders/{order}", headers=device) as response:
        assert not (await response.json())["has_summary"]

    notes = {"summary": "rest, and see a doctor if it lasts", "disposition": "advised"}
    assert (await post(service, f"/v1/calls/{call['id']}/wrap-up", me, notes))[0] == 200

    async with service.client.get(path, headers=device) as response:
        assert (await response.json())["text"] == notes["summary"]
    async with service.client.get(f"/v1/orders/{order}", headers=device) as response:
        assert (await response.json())["has_summary"]
    await service.people.caller("+8613800000002")
    async with service.client.get(path, headers=service.device("+8613800000002")) as response:
        assert response.status == 404
    assert "summary_ready" in await service.people.notices(order)


@pytest.mark.rule("X55")
async def test_a_crisis_may_still_be_marked_by_who_was_on_the_call_and_by_nobody_else(
    service: Service,
) -> None:
    counselor = await service.people.counselor()
    other = await service.people.counselor("+8613900000002")
    me = await sign_in(service, counselor, "counselor")
    stranger = await service.sign_in("counselor", counselor=other)
    order, call = await talking(service, counselor)
    async with service.client.post(f"/sim/handsets/{CALLER}/hangup") as response:
        assert response.status == 204
    await service.let_pass(1)
    assert (await service.people.see_call(order)).state == "ended"

    assert (await post(service, f"/v1/calls/{call}/crisis", stranger))[0] == 404
    assert (await post(service, f"/v1/calls/{call}/hang-up", me))[0] == 404
    assert not (await service.people.see_call(order)).crisis
    assert (await post(service, f"/v1/calls/{call}/crisis", me))[0] == 200

    assert (await service.people.see_call(order)).crisis


async def test_a_counselor_sees_of_a_call_only_its_own_lines_that_are_theirs_to_see(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    counselor = await service.people.counselor()
    me = await service.sign_in("counselor", counselor=counselor)
    support = await service.sign_in("support")
    await service.script(CALLER, answers="no_answer")
    order = await service.people.order(await service.people.caller(), counselor)
    await service.place_call(order, CALLER)
    await service.let_pass(5)
    async with service.client.delete(
        f"/v1/orders/{order}/calls/current", headers=service.device(CALLER)
    ) as response:
        first = (await response.json())["id"]
    await service.let_pass(5)
    await service.script(CALLER, answers="yes", talks_for_seconds=60)
    await service.script(COUNSELOR, answers="yes", presses="1")
    second = (await service.place_call(order, CALLER))[1]["id"]
    await service.let_pass(120)

    async def seen(headers: dict[str, str]) -> tuple[list[int], set[str], bool]:
        async with service.client.get(f"/v1/calls/{second}", headers=headers) as response:
            found = await response.json()
        lines = found["timeline"]
        return (
            [line["seq"] for line in lines],
            {line["kind"] for line in lines},
            found["timeline_is_whole"],
        )

    mine, my_kinds, _ = await seen(me)
    all_, kinds, whole = await seen(support)
    others = await service.house.pool.fetch("SELECT seq FROM timeline WHERE call_id = $1", first)
    assert others
    assert not set(all_) & {row["seq"] for row in others}
    assert "judged" in kinds
    assert "judged" not in my_kinds
    assert "connected" in my_kinds
    assert set(mine) < set(all_)
    assert whole
    monkeypatch.setattr("warmline.api.staff.LINES_SHOWN", 2)
    assert (await seen(support))[::2] == (all_[:2], False)
