"""Vouchers over HTTP, for operators and support: issued, found, voided, replaced, all on record."""

import asyncio
import json
import re
from datetime import timedelta
from typing import Any

import pytest

from tests.people import CALLER, LISTENING
from tests.serving import Service
from tests.warmline.api.everybody import new_code, staff_token
from tests.warmline.api.test_vouchers import Answer, ask, guessed, open_order, redeem
from warmline.vouchers import code_digest

WHY = "talk of forty seconds, checked with the counselor"


async def as_staff(
    service: Service,
    role: str,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    **headers: str,
) -> Answer:
    token = await staff_token(service, role)
    return await with_token(service, token, method, path, body, **headers)


async def with_token(
    service: Service,
    token: str,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    **headers: str,
) -> Answer:
    given = {"Authorization": f"Bearer {token}"} | headers
    async with service.client.request(method, path, json=body, headers=given) as response:
        return response.status, await response.json()


def to_issue(service: Service, **changes: object) -> dict[str, Any]:
    until = service.house.clock.now() + timedelta(days=30)
    return {"program": LISTENING, "count": 3, "valid_until": until.isoformat(), **changes}


async def sms(service: Service, template: str) -> tuple[str, str]:
    """To whom the newest SMS of a template went, and its text, once it is sent."""
    async with asyncio.timeout(10):
        while True:
            async with service.client.get("/sim/messages") as response:
                for one in await response.json():
                    if one["template"] == template:
                        return str(one["to"]), str(one["text"])
            await asyncio.sleep(0.02)


async def a_used_voucher(service: Service, *, good_for: timedelta = timedelta(days=30)) -> str:
    """Its two people talked for ten minutes, and all is over."""
    counselor = await service.people.counselor()
    await service.people.caller()
    code = await new_code(service, good_for=good_for)
    body = {"program": LISTENING, "voucher": code, "counselor": counselor}
    _, order = await ask(service, "POST", "/v1/orders", body)
    await service.script(CALLER, answers="yes", talks_for_seconds=600)
    await service.script("+8613900000001", answers="yes", presses="1")
    assert (await service.place_call(order["id"], CALLER))[0] == 202
    await service.let_pass(3)
    await service.let_pass(700)
    found = await service.people.see_voucher(order["id"])
    assert found.state == "consumed"
    return str(found.id)


@pytest.mark.rule("A14")
async def test_issued_codes_can_be_redeemed_and_are_nowhere_in_the_clear(service: Service) -> None:
    await service.people.caller()

    status, issued = await as_staff(
        service, "operator", "POST", "/v1/vouchers", to_issue(service), **{"Idempotency-Key": "k"}
    )

    assert status == 201
    codes = [one["code"] for one in issued["vouchers"]]
    assert len(set(codes)) == 3
    assert all(re.fullmatch(r"([0-9A-Z]{4}-){3}[0-9A-Z]{4}", code) for code in codes)
    status, mine = await redeem(service, codes[0])
    assert (status, mine["id"]) == (200, issued["vouchers"][0]["id"])
    await nowhere(service, *codes)


async def nowhere(service: Service, *codes: str) -> None:
    """No table holds one of them, spaced or not, as text or as bytes."""
    tables = await service.house.pool.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
    )
    for (table,) in tables:
        rows = await service.house.pool.fetch(f'SELECT t::text AS line FROM "{table}" t')
        for row in rows:
            for code in codes:
                for form in (code, code.replace("-", "")):
                    assert form not in row["line"], table
                    assert form.encode().hex() not in row["line"], table


async def test_a_request_sent_again_gets_the_same_codes_and_issues_no_more(
    service: Service,
) -> None:
    token = await staff_token(service, "operator")
    other = await staff_token(service, "operator")
    body, key = to_issue(service), {"Idempotency-Key": "batch-7"}

    async def send(who: str) -> Answer:
        return await with_token(service, who, "POST", "/v1/vouchers", body, **key)

    answers = await asyncio.gather(*(send(token) for _ in range(4)))

    assert {json.dumps(answer) for _, answer in answers} == {json.dumps(answers[0][1])}
    assert await service.house.pool.fetchval("SELECT count(*) FROM vouchers") == 3
    theirs = await send(other)
    assert theirs[1]["vouchers"] != answers[0][1]["vouchers"]
    await nowhere(service, *(one["code"] for one in answers[0][1]["vouchers"]))
    await service.let_pass(25 * 3600)
    token = await staff_token(service, "operator")
    assert (await send(token))[0] == 201
    assert await service.house.pool.fetchval("SELECT count(*) FROM vouchers") == 9


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"program": "family-doctor"}, "/program"),
        ({"program": "nothing"}, "/program"),
        ({"valid_until": "2001-01-31T00:00:00Z"}, "/valid_until"),
        ({"valid_until": "9999-12-31T23:59:59Z"}, "/valid_until"),
        ({"count": 0}, "/count"),
        ({"count": 10_001}, "/count"),
    ],
)
async def test_vouchers_that_nobody_could_use_are_not_issued(
    service: Service, changes: dict[str, object], pointer: str
) -> None:
    body = to_issue(service, **changes)

    status, answer = await as_staff(service, "operator", "POST", "/v1/vouchers", body)

    assert (status, answer["code"]) == (422, "bad_input")
    assert [fault["pointer"] for fault in answer["errors"]] == [pointer]
    assert await service.house.pool.fetchval("SELECT count(*) FROM vouchers") == 0


async def test_support_finds_a_voucher_by_code_id_or_number_and_that_is_on_record(
    service: Service,
) -> None:
    await service.people.caller()
    code = await new_code(service)
    _, mine = await redeem(service, code)
    token = await staff_token(service, "support")
    search = "/v1/staff/vouchers/search"

    for sought in ({"code": code}, {"voucher": mine["id"]}, {"phone": CALLER}):
        status, found = await with_token(service, token, "POST", search, sought)
        assert status == 200
        (one,) = found["items"]
        assert (one["id"], one["phone"]) == (mine["id"], "+86138****0001")
    for nothing in ({"voucher": "voucher_none"}, {"phone": "+8613800000009"}):
        assert (await with_token(service, token, "POST", search, nothing))[1]["items"] == []
    for wrong in ({}, {"code": code, "phone": CALLER}):
        assert (await with_token(service, token, "POST", search, wrong))[1]["code"] == "bad_input"
    status, story = await with_token(service, token, "GET", f"/v1/staff/vouchers/{mine['id']}")

    assert status == 200
    assert [one["what"] for one in story["history"]] == ["issued", "redeemed"]
    assert [one["action"] for one in story["deeds"]] == [*["voucher.searched"] * 3, "voucher.read"]
    await nowhere(service, code)


async def test_staff_who_guess_are_locked_out_like_anybody(service: Service) -> None:
    token = await staff_token(service, "support")
    tries = [
        (await with_token(service, token, "POST", "/v1/staff/vouchers/search", {"code": guessed()}))
        for _ in range(16)
    ]

    assert [status for status, _ in tries] == [422] * 15 + [429]


async def test_an_operator_voids_what_nobody_uses_and_says_why(service: Service) -> None:
    await service.people.caller()
    code = await new_code(service)
    _, mine = await redeem(service, code)
    path = f"/v1/vouchers/{mine['id']}/void"

    status, voided = await as_staff(service, "operator", "POST", path, {"reason": WHY})

    assert (status, voided["state"]) == (200, "voided")
    assert voided["voided_at"] is not None
    refused = await open_order(service, code)
    assert (refused[0], refused[1]["code"]) == (422, "voucher_invalid")
    again = await as_staff(service, "operator", "POST", path, {"reason": WHY})
    assert (again[0], again[1]["code"]) == (422, "voucher_invalid")
    _, story = await as_staff(service, "operator", "GET", f"/v1/staff/vouchers/{mine['id']}")
    assert [(one["action"], one["reason"]) for one in story["deeds"]] == [
        ("voucher.voided", WHY),
        ("voucher.read", None),
    ]
    await nowhere(service, WHY)


@pytest.mark.rule("X15")
async def test_a_voucher_that_an_order_relies_on_is_not_voided(service: Service) -> None:
    await service.people.caller()
    await open_order(service, await new_code(service))
    id_ = await service.house.pool.fetchval("SELECT id FROM vouchers")

    path = f"/v1/vouchers/{id_}/void"
    status, answer = await as_staff(service, "operator", "POST", path, {"reason": WHY})

    assert (status, answer["code"]) == (409, "voucher_in_use")
    assert await service.house.pool.fetchval("SELECT state FROM vouchers") == "held"


@pytest.mark.rule("A36", "X10")
async def test_support_replaces_a_used_voucher_once_with_the_old_end_date_and_a_new_code(
    service: Service,
) -> None:
    old = await a_used_voucher(service)
    _, before = await ask(service, "GET", f"/v1/vouchers/{old}")

    status, answer = await as_staff(
        service, "support", "POST", f"/v1/vouchers/{old}/reissue", {"reason": WHY}
    )

    assert status == 201
    new = answer["replacement"]
    assert (answer["replaced"]["state"], new["state"]) == ("reissued", "issued")
    assert (answer["replaced"]["replaced_by"], new["replaces"]) == (new["id"], old)
    assert new["valid_until"] == before["valid_until"]
    assert new["holder"] == answer["replaced"]["holder"]
    to, text = await sms(service, "voucher_reissued")
    assert to == "+86138****0001"
    found = re.search(r"([0-9A-Z]{4}-){3}[0-9A-Z]{4}", text)
    assert found is not None
    code = found[0]
    assert code[-4:] == new["code_ending"]
    assert code not in json.dumps(answer)
    await nowhere(service, code, WHY)
    seal = service.house.seal
    kept = await service.house.pool.fetchval(
        "SELECT code_hash FROM vouchers WHERE id = $1", new["id"]
    )
    assert kept == code_digest(seal, code.replace("-", ""))
    assert (await open_order(service, code))[0] == 201
    _, story = await ask(service, "GET", f"/v1/vouchers/{old}")
    assert [one["what"] for one in story["history"]][-2:] == ["used", "replaced"]
    _, story = await ask(service, "GET", f"/v1/vouchers/{new['id']}")
    assert [one["what"] for one in story["history"]] == ["replaces", "held"]


@pytest.mark.rule("X10")
async def test_a_replacement_is_replaced_by_a_supervisor_alone(service: Service) -> None:
    old = await a_used_voucher(service)
    support, reissue = await staff_token(service, "support"), "/v1/vouchers/{}/reissue"
    _, answer = await with_token(service, support, "POST", reissue.format(old), {"reason": WHY})
    second = reissue.format(answer["replacement"]["id"])

    refused = await with_token(service, support, "POST", second, {"reason": WHY})
    allowed = await as_staff(service, "supervisor", "POST", second, {"reason": WHY})

    assert (refused[0], refused[1]["code"]) == (422, "quota_used")
    assert allowed[0] == 201
    assert allowed[1]["replacement"]["valid_until"] == answer["replaced"]["valid_until"]
    once_more = await with_token(service, support, "POST", reissue.format(old), {"reason": WHY})
    assert (once_more[0], once_more[1]["code"]) == (422, "voucher_invalid")


@pytest.mark.rule("X10")
async def test_five_at_once_replace_a_voucher_once(service: Service) -> None:
    old = await a_used_voucher(service)
    token = await staff_token(service, "supervisor")

    answers = await asyncio.gather(
        *(
            with_token(service, token, "POST", f"/v1/vouchers/{old}/reissue", {"reason": WHY})
            for _ in range(5)
        )
    )

    assert sorted(status for status, _ in answers) == [201, 422, 422, 422, 422]
    assert await service.house.pool.fetchval("SELECT count(*) FROM vouchers") == 2


@pytest.mark.rule("X10", "A36")
async def test_what_still_works_or_has_run_out_is_not_replaced(service: Service) -> None:
    await service.people.caller()
    code = await new_code(service, good_for=timedelta(hours=30))
    unredeemed = await service.house.pool.fetchval("SELECT id FROM vouchers")
    token = await staff_token(service, "supervisor")

    async def replace() -> tuple[int, str]:
        status, answer = await with_token(
            service, token, "POST", f"/v1/vouchers/{unredeemed}/reissue", {"reason": WHY}
        )
        return status, answer["code"]

    assert await replace() == (422, "voucher_invalid")  # nobody's yet: its code still works
    await open_order(service, code)
    assert await replace() == (409, "voucher_in_use")
    await service.let_pass(30 * 3600)
    token = await staff_token(service, "supervisor")
    assert await replace() == (422, "voucher_invalid")
    assert await service.house.pool.fetchval("SELECT count(*) FROM vouchers") == 1


@pytest.mark.rule("X10")
async def test_a_used_voucher_is_not_replaced_by_one_that_would_have_run_out(
    service: Service,
) -> None:
    old = await a_used_voucher(service, good_for=timedelta(hours=1))
    await service.let_pass(3600)

    path = f"/v1/vouchers/{old}/reissue"
    status, answer = await as_staff(service, "supervisor", "POST", path, {"reason": WHY})

    assert (status, answer["code"]) == (422, "voucher_invalid")
    assert "end date" in answer["detail"]
    assert await service.house.pool.fetchval("SELECT state FROM vouchers") == "consumed"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/vouchers", {"operator"}),
        ("POST", "/v1/vouchers/voucher_1/void", {"operator"}),
        ("POST", "/v1/vouchers/voucher_1/reissue", {"support", "supervisor"}),
        ("POST", "/v1/staff/vouchers/search", {"support", "supervisor", "operator"}),
        ("GET", "/v1/staff/vouchers/voucher_1", {"support", "supervisor", "operator"}),
    ],
)
async def test_only_those_who_answer_for_it_may(
    service: Service, method: str, path: str, allowed: set[str]
) -> None:
    for role in ("counselor", "steward", "support", "supervisor", "operator", "insurer"):
        status, _ = await as_staff(service, role, method, path, None if method == "GET" else {})
        assert (status != 403) == (role in allowed), role
