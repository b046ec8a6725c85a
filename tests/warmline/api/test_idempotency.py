"""Every POST that acts, sent again: at once, later, after a restart, by somebody else."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from billing.policies.waiting import today_in_china
from terms.ids import CounselorId
from tests.billing.policies.lists import INSURED_ID, cells
from tests.people import CALLER, COUNSELOR, DOCTOR, device_token
from tests.scenarios.insuring import write_programs
from tests.serving import Service, a_service
from tests.warmline.api.dump import changes, dump
from tests.warmline.api.everybody import (
    AGENCY,
    Everybody,
    everybody,
    quiet,
    staff_token,
)
from tests.warmline.api.test_devices import last_code
from warmline.clock import machine_now
from warmline.people.totp import code_now
from warmline.serve import OPERATIONS

THIRD, THIRD_COUNSELOR = "+8613800000003", "+8613900000003"
FOURTH, FOURTH_COUNSELOR = "+8613800000004", "+8613900000004"
FIFTH = "+8613800000005"
SEVENTH_COUNSELOR = "+8613900000007"
SIXTH, SIXTH_COUNSELOR = "+8613800000006", "+8613900000006"

_keys = count(1)


@dataclass(frozen=True, slots=True)
class Sent:
    """One accepted request, and the answer it was given."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any] | None
    status: int
    answer: bytes


@dataclass(slots=True)
class Sender:
    """Sends everything several times, and sees that it counts once."""

    all_: Everybody
    sent: list[Sent] = field(default_factory=list)

    async def post(
        self, who: str, path: str, body: dict[str, Any] | None = None, *, status: int = 200
    ) -> dict[str, Any]:
        """Five at once, then one more: one acts, and all are given its answer."""
        headers = self.all_.as_(who) | {"Idempotency-Key": f"intent-{next(_keys)}"}
        answers = await asyncio.gather(*(self._once(path, headers, body) for _ in range(5)))
        assert {one[0] for one in answers} == {status}, (path, answers)
        assert len({one[1] for one in answers}) == 1, path
        assert sorted(one[2] for one in answers) == [False, True, True, True, True], path
        await self._settled()
        before = await dump(self.all_.service.house.pool)
        sent = Sent(path, headers, body, status, answers[0][1])
        await self.again(self.all_.service, sent)
        assert changes(before, await dump(self.all_.service.house.pool)) == {}, path
        self.sent.append(sent)
        service = self.all_.service
        async with service.client.post(path, json=body, headers=headers) as response:
            found: dict[str, Any] = await response.json() if await response.read() else {}
        return found

    async def again(self, service: Service, sent: Sent) -> None:
        """The same request gets the same answer, and says that it is an old one."""
        async with service.client.post(sent.path, json=sent.body, headers=sent.headers) as response:
            assert (response.status, await response.read()) == (sent.status, sent.answer), sent.path
            assert response.headers["Idempotency-Replayed"] == "true"

    async def _once(
        self, path: str, headers: dict[str, str], body: dict[str, Any] | None
    ) -> tuple[int, bytes, bool]:
        async with self.all_.service.client.post(path, json=body, headers=headers) as response:
            replayed = "Idempotency-Replayed" in response.headers
            return response.status, await response.read(), replayed

    async def _settled(self) -> None:
        await self.all_.service.let_pass(0)
        await quiet(self.all_.service)


async def test_every_post_that_acts_is_done_once_and_answered_alike_also_after_a_restart(
    database_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "programs"
    folder.mkdir()
    programs = write_programs(folder)
    async with a_service(database_url, tmp_path, programs=programs) as service:
        sender = Sender(await everybody(service, talking=False))
        for story in (
            _second_factor,
            _cases,
            _members,
            _device,
            _order,
            _talk_and_notes,
            _vouchers,
            _claims,
            _danger,
            _calling_back,
            _decline,
            _stepping_in,
            _match,
            _own_phone,
            _policies,
        ):
            await story(sender)
        await _come_to_rest(service)
    paths = {operation.path for operation in OPERATIONS if operation.keeps_answers}
    names = [_template(sent.path) for sent in sender.sent]
    # No shipped program lets a counselor extend the time: its refusal is tried below.
    assert paths - set(names) == {"/v1/calls/{call}/extend"}

    async with a_service(database_url, tmp_path, programs=programs) as service:
        for sent in sender.sent:
            await sender.again(service, sent)  # and notes that its token was used
        before = await dump(service.house.pool)
        for sent in sender.sent:
            await sender.again(service, sent)
        await quiet(service)
        assert changes(before, await dump(service.house.pool)) == {}


async def _come_to_rest(service: Service) -> None:
    """Every phone is hung up and every attempt over, so that nothing moves by itself any more."""
    async with service.client.get("/sim/handsets") as response:
        phones = await response.json()
    for phone in phones:
        if phone["state"] == "in_call":
            await service.client.post(f"/sim/handsets/{phone['number']}/hangup")
    await service.let_pass(_HOURS_TO_REST * 3600)
    await quiet(service)
    assert not await service.house.pool.fetchval("SELECT count(*) FROM timers")


_HOURS_TO_REST = 6  # the answers kept are good for 24
_IDS = {
    "counselor": "counselor",
    **{name: name for name in ("order", "call", "verification", "voucher", "claim", "follow_up")},
    "caller": "caller",
    "staff": "member",
}


def _template(path: str) -> str:
    parts = path.partition("?")[0].split("/")
    for place, part in enumerate(parts):
        for prefix, name in _IDS.items():
            if part.startswith(f"{prefix}_"):
                parts[place] = f"{{{name}}}"
                if parts[place - 1] == "appeals":  # an appeal's id is its claim's
                    parts[place] = "{appeal}"
    return "/".join(parts)


async def _device(sender: Sender) -> None:
    asked = await sender.post("anyone", "/v1/device-verifications", {"phone": FOURTH}, status=202)
    code = await last_code(sender.all_.service)
    path = f"/v1/device-verifications/{asked['id']}/confirm"
    confirmed = await sender.post("anyone", path, {"code": code}, status=201)
    kept = await sender.all_.service.house.pool.fetchval(
        "SELECT body FROM idempotency_keys ORDER BY created_at DESC LIMIT 1"
    )
    assert confirmed["device_token"].encode() not in kept


async def _order(sender: Sender) -> None:
    body = {"program": "psych-listening", "voucher": sender.all_.code}
    order = await sender.post("stranger", "/v1/orders", body, status=201)
    pool = sender.all_.service.house.pool
    assert await pool.fetchval("SELECT count(*) FROM orders WHERE id = $1", order["id"]) == 1
    held = await pool.fetchval("SELECT count(*) FROM ledger_entries WHERE to_account = 'held'")
    assert held == 2  # this one, and that of the caller's own order


async def _ring(sender: Sender, who: str, order: str, caller: str, counselor: str) -> str:
    """A call whose counselor has answered and is asked to press 1."""
    service = sender.all_.service
    await service.script(caller, answers="yes")
    await service.script(counselor, answers="yes")
    call = await sender.post(who, f"/v1/orders/{order}/calls", {"phone": caller}, status=202)
    await service.let_pass(3)
    return f"/v1/calls/{call['id']}"


async def _talk_and_notes(sender: Sender) -> None:
    service = sender.all_.service
    call = await _ring(sender, "caller", sender.all_.order, CALLER, COUNSELOR)
    await sender.post("counselor", f"{call}/accept")
    await service.let_pass(3)
    await sender.post("counselor", f"{call}/hang-up")
    await service.let_pass(3)
    stuck = f"/v1/staff/counselors/{sender.all_.counselor}/end-wrap-up"
    await sender.post("supervisor", stuck, {"reason": "their page is gone"})
    notes = {"summary": "we spoke", "topics": ["other"], "disposition": "invalid"}
    await sender.post("counselor", f"{call}/wrap-up", notes)


async def _vouchers(sender: Sender) -> None:
    service, why = sender.all_.service, {"reason": "a talk of forty seconds"}
    until = service.house.clock.now() + timedelta(days=1)
    body = {"program": "psych-listening", "count": 2, "valid_until": until.isoformat()}
    issued = await sender.post("operator", "/v1/vouchers", body, status=201)
    mine, other = issued["vouchers"]
    await sender.post("caller", "/v1/vouchers/redeem", {"code": mine["code"]})
    await sender.post("support", "/v1/staff/vouchers/search", {"code": mine["code"]})
    await sender.post("operator", f"/v1/vouchers/{other['id']}/void", why)
    used = f"/v1/vouchers/{sender.all_.voucher}"
    await sender.post("support", f"{used}/reissue", why, status=201)


async def _claims(sender: Sender) -> None:
    order, why = f"/v1/orders/{sender.all_.order}", {"decision": "reject", "reason": "hung up"}
    claim = await sender.post("caller", f"{order}/claims", {"reason": "cut off"}, status=201)
    await sender.post("support", f"/v1/claims/{claim['id']}/decision", why)
    await sender.post("caller", f"/v1/claims/{claim['id']}/appeal", status=201)
    await sender.post("insurer", f"/v1/appeals/{claim['id']}/decision", why)
    scores = {"timeliness": 5, "quality": 5, "attitude": 1, "text": "too short"}
    await sender.post("caller", f"{order}/rating", scores, status=201)
    kept = await sender.all_.service.house.pool.fetch("SELECT body FROM idempotency_keys")
    assert not any(b"hung up" in (row["body"] or b"") for row in kept)


async def _danger(sender: Sender) -> None:
    service, people = sender.all_.service, sender.all_.service.people
    other = await _new_pair(sender, THIRD, THIRD_COUNSELOR)
    order = await people.order(await people.caller(THIRD), other)
    await service.script(AGENCY, answers="yes", after_seconds=2)
    call = await _ring(sender, THIRD, order, THIRD, THIRD_COUNSELOR)
    await sender.post(THIRD_COUNSELOR, f"{call}/accept")
    await service.let_pass(3)
    await sender.post(THIRD_COUNSELOR, f"{call}/crisis")
    await sender.post(THIRD_COUNSELOR, f"{call}/transfer", {"target": "target_1"})
    await sender.post(THIRD_COUNSELOR, f"{call}/transfer/cancel")
    await sender.post(THIRD_COUNSELOR, f"{call}/transfer", {"target": "target_1"})
    await service.let_pass(10)
    await sender.post(THIRD_COUNSELOR, f"{call}/transfer/confirm")


async def _calling_back(sender: Sender) -> None:
    call = sender.sent[-1].path.removesuffix("/transfer/confirm")
    over = {"reason": "the agency is with her", "confirm": True}
    await sender.post("supervisor", f"{call}/end", over)
    await sender.all_.service.let_pass(3)
    _, page = await sender.all_.ask("supervisor", "GET", "/v1/follow-ups")
    tasks: Any = page["items"]
    (task,) = tasks
    found = {"outcome": "confirmed_safe", "note": "she is at home"}
    await sender.post("supervisor", f"/v1/follow-ups/{task['id']}/close", found)


async def _new_pair(sender: Sender, caller: str, counselor: str) -> CounselorId:
    """A counselor with a sign-in, and a caller; both act under their numbers."""
    service, tokens = sender.all_.service, sender.all_.tokens
    id_ = await service.people.counselor(counselor)
    tokens[caller] = device_token(caller)
    tokens[counselor] = await staff_token(service, "counselor", id_)
    return id_


async def _decline(sender: Sender) -> None:
    service, people = sender.all_.service, sender.all_.service.people
    counselor = await _new_pair(sender, FOURTH, FOURTH_COUNSELOR)
    order = await people.order(await people.caller(FOURTH), counselor)
    call = await _ring(sender, FOURTH, order, FOURTH, FOURTH_COUNSELOR)
    await sender.post(FOURTH_COUNSELOR, f"{call}/seen", {"visible": True}, status=204)
    await sender.post(FOURTH_COUNSELOR, f"{call}/decline")
    await service.let_pass(1)


async def _stepping_in(sender: Sender) -> None:
    people, why = sender.all_.service.people, {"reason": "asked for"}
    counselor = await _new_pair(sender, SIXTH, SIXTH_COUNSELOR)
    order = await people.order(await people.caller(SIXTH), counselor)
    await sender.post("support", f"/v1/orders/{order}/release", why)
    await sender.post("support", f"/v1/orders/{order}/cancel", why)


async def _policies(sender: Sender) -> None:
    today = today_in_china(sender.all_.service.house.clock.now())
    begun = (today - timedelta(days=20)).isoformat()  # good for a doctor, and still no code due
    row = cells(purchased_on=begun, effective_on=begun)
    listed = {"policies": [{column.value: text for column, text in row.items()}]}
    await sender.post("operator", "/v1/policies/import?apply=true", listed)
    data = {"name": "李强", "id_number": INSURED_ID}
    await sender.post("caller", "/v1/entitlements/check", data)


async def _members(sender: Sender) -> None:
    new = {"email": "new@example.test", "roles": ["support"]}
    added = await sender.post("operator", "/v1/staff/members", new, status=201)
    for what in ("password", "suspend", "restore"):
        await sender.post("operator", f"/v1/staff/members/{added['id']}/{what}")
    await sender.post("operator", "/v1/staff/keys", {"name": "shop"}, status=201)
    await sender.post("operator", "/v1/staff/programs/check", {"toml": "[program]"})


async def _cases(sender: Sender) -> None:
    await sender.post("support", "/v1/staff/orders/search", {"text": sender.all_.order})
    why = {"reason": "the caller asked to be called back"}
    caller = sender.all_.caller
    await sender.post("support", f"/v1/staff/callers/{caller}/reveal", why)


async def _second_factor(sender: Sender) -> None:
    path = "/v1/sessions/current/second-factor"
    offered = await sender.post("other_counselor", path, status=201)
    code = code_now(offered["secret"], machine_now())
    await sender.post("other_counselor", f"{path}/confirm", {"code": code})


async def _own_phone(sender: Sender) -> None:
    service = sender.all_.service
    counselor = await service.people.counselor(SEVENTH_COUNSELOR, available=False)
    sender.all_.tokens["at_home"] = await staff_token(service, "counselor", counselor)
    await service.script(SEVENTH_COUNSELOR, answers="busy")
    await sender.post("at_home", "/v1/me/phone-check", status=202)


async def _match(sender: Sender) -> None:
    people = sender.all_.service.people
    doctor = await people.counselor("+8613900000005", program=DOCTOR)
    order = await people.order(await people.caller(FIFTH), program=DOCTOR)
    await sender.post("steward", f"/v1/orders/{order}/match", {"counselor": doctor})


async def test_a_refusal_is_judged_anew_under_the_same_key(service: Service) -> None:
    counselor = await service.people.counselor(available=False)
    order = await service.people.order(await service.people.caller(), counselor)
    me = {"Authorization": f"Bearer {await staff_token(service, 'counselor', counselor)}"}
    headers = service.device(CALLER) | {"Idempotency-Key": "one-press"}
    before = await dump(service.house.pool)

    async def press() -> tuple[int, str | None]:
        async with service.client.post(
            f"/v1/orders/{order}/calls", json={"phone": CALLER}, headers=headers
        ) as response:
            return response.status, (await response.json()).get("code")

    assert [await press() for _ in range(2)] == [(409, "counselor_offline")] * 2
    assert changes(before, await dump(service.house.pool)) == {}
    async with service.client.put(
        "/v1/me/presence", json={"state": "available"}, headers=me
    ) as response:
        assert response.status == 200
    assert await press() == (202, None)
    assert await press() == (202, None)


async def test_another_request_under_a_used_key_is_refused_and_changes_nothing(
    service: Service,
) -> None:
    all_ = await everybody(service)
    path = f"/v1/orders/{all_.order}/match"
    key = {"Idempotency-Key": "k"}
    crisis = "/v1/calls/{call}/crisis"
    assert (await all_.ask("counselor", "POST", crisis, headers=key))[0] == 200
    asked = "/v1/device-verifications"
    first = await all_.ask("anyone", "POST", asked, json={"phone": THIRD}, headers=key)
    assert first[0] == 202
    await quiet(service)
    before = await dump(service.house.pool)

    notes = {"summary": "we spoke", "disposition": "invalid"}
    for who, other, body in (
        ("counselor", "/v1/calls/{call}/hang-up", None),
        ("counselor", "/v1/calls/{call}/wrap-up", notes),
        ("counselor", "/v1/calls/call_other/crisis", None),
        ("anyone", asked, {"phone": "+8613899990003"}),
        ("anyone", asked, {"phone": FOURTH}),
    ):
        status, answer = await all_.ask(who, "POST", other, json=body, headers=key)
        assert (status, answer["code"]) == (422, "key_reused"), other
    assert changes(before, await dump(service.house.pool)) == {}

    # The key is the counselor's own: the same word of somebody else's is another key.
    status, answer = await all_.ask("steward", "POST", path, json={"counselor": "x"}, headers=key)
    assert (status, answer["code"]) == (422, "bad_input")
    status, _ = await all_.ask("other_counselor", "POST", crisis, headers=key)
    assert status == 404


async def test_a_key_that_is_no_key_is_refused_by_every_post(service: Service) -> None:
    all_ = await everybody(service, talking=False)
    before = await dump(service.house.pool)
    bodies = {
        "/v1/device-verifications": {"phone": THIRD},
        "/v1/orders": {"program": "psych-listening", "voucher": all_.code},
        "/v1/orders/{order}/calls": {"phone": CALLER},
    }
    for path, body in bodies.items():
        who = "anyone" if "device" in path else "caller"
        for key in ("", "x" * 256, "two words", "tab\there", "schlüssel", "钥匙"):
            status, answer = await all_.ask(
                who, "POST", path, json=body, headers={"Idempotency-Key": key}
            )
            assert (status, answer["code"]) == (422, "bad_input"), (path, key)
            faults: Any = answer["errors"]
            assert [fault["pointer"] for fault in faults] == ["/Idempotency-Key"]
    assert changes(before, await dump(service.house.pool)) == {}


async def test_after_a_day_the_key_is_free_again(service: Service) -> None:
    key = {"Idempotency-Key": "daily"}

    async def ask() -> str:
        async with service.client.post(
            "/v1/device-verifications", json={"phone": CALLER}, headers=key
        ) as response:
            assert response.status == 202, await response.text()
            return str((await response.json())["id"])

    first = await ask()
    await service.let_pass(86_000)
    assert await ask() == first
    await service.let_pass(401)
    assert await ask() != first


@pytest.mark.rule("X33")
async def test_more_time_is_refused_where_the_program_does_not_leave_it_to_the_counselor(
    service: Service,
) -> None:
    all_ = await everybody(service)
    before = await dump(service.house.pool)
    bodies: list[dict[str, Any]] = [*[{"json": {"seconds": 600}}] * 2, {"json": {}}, {}]
    for body in bodies:
        status, answer = await all_.ask(
            *("counselor", "POST", "/v1/calls/{call}/extend"),
            headers={"Idempotency-Key": "more"},
            **body,
        )
        assert (status, answer["code"]) == (409, "not_now")
    assert changes(before, await dump(service.house.pool)) == {}
