"""Bad input, by hand: a clear problem with a stable code, and nothing changed in the database."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pytest

from tests.people import CALLER
from tests.serving import Service
from tests.warmline.api.dump import changes, dump
from tests.warmline.api.everybody import (
    NUMBERS,
    ROLES,
    STRANGER,
    Everybody,
    everybody,
)
from warmline.http.api import Operation
from warmline.http.openapi import answers
from warmline.http.who import AppKey, Caller, Staff
from warmline.people import StaffRole
from warmline.serve import OPERATIONS

PRINCIPALS = ("caller", "stranger", "app", "counselor", "other_counselor", *ROLES)
BODIES: dict[str, dict[str, Any]] = {
    "send_verification": {"phone": CALLER},
    "confirm_verification": {"code": "123456"},
    "create_order": {"program": "psych-listening"},
    "place_call": {"phone": CALLER},
    "sign_in": {"email": "a@example.test", "password": "a long enough one"},
    "confirm_second_factor": {"code": "123456"},
    "put_notes": {"version": 0, "summary": "cannot sleep"},
    "search_orders": {"text": "order_none"},
    "reveal_number": {"reason": "to call back"},
    "add_member": {"email": "new@example.test", "roles": ["steward"]},
    "change_member": {"roles": ["steward"]},
    "add_key": {"name": "shop"},
    "check_program": {"toml": "[program]"},
    "put_presence": {"state": "break"},
    "see_offer": {"visible": True},
    "extend": {"seconds": 600},
    "transfer": {"target": "target_1"},
    "end_wrap_up": {"reason": "their page is gone"},
    "wrap_up": {"summary": "we spoke", "disposition": "invalid"},
    "match_order": {"counselor": "counselor_1"},
    "redeem_voucher": {"code": "0000-0000-0000-0000"},
    "create_vouchers": {
        "program": "psych-listening",
        "count": 1,
        "valid_until": "2999-01-31T00:00:00Z",
    },
    "search_vouchers": {"code": "0000-0000-0000-0000"},
    "void_voucher": {"reason": "sent to the wrong list"},
    "reissue_voucher": {"reason": "a talk of forty seconds"},
    "file_claim": {"reason": "cut off"},
    "decide_claim": {"decision": "reject", "reason": "they hung up"},
    "decide_appeal": {"decision": "reject", "reason": "they hung up"},
    "import_policies": {"policies": []},
    "check_entitlement": {"name": "李强", "id_number": "E12345678"},
    "choose_counselor": {"counselor": "counselor_1"},
    "end_call": {"reason": "asked for"},
    "cancel_for_caller": {"reason": "asked for"},
    "release_order": {"reason": "cannot be reached"},
    "close_follow_up": {"outcome": "unknown"},
    "rate_order": {"timeliness": 5, "quality": 5, "attitude": 5},
}
"""A good body of every operation that takes one; each case below spoils it."""

_MAY_SAY_NOTHING = frozenset({"place_call"})
"""Where a caller's device may leave out all there is to say."""

_ROLES = {role.value for role in StaffRole}
JSON = {"Content-Type": "application/json"}

QUERIES = {"report_settlement": "?month=2026-11", "report_calls": "?month=2026-11"}
"""What has to be asked of those that cannot do without."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """One request, and the answer it has to get."""

    who: str
    operation: Operation
    status: int
    code: str
    path: str = ""
    request: dict[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """For whoever reads a failure."""
        return f"{self.who}: {self.operation.method} {self.path or self.operation.path}"


@pytest.fixture
async def all_(service: Service) -> AsyncIterator[Everybody]:
    """Everybody, and the word that nothing was changed by the test."""
    one = await everybody(service)
    before = await dump(service.house.pool)
    yield one
    assert changes(before, await dump(service.house.pool)) == {}


async def refuse(all_: Everybody, wrong: Wrong) -> None:
    """Ask, and see the problem that was expected, which gives nothing away."""
    request = {**wrong.request}
    headers = {**all_.as_(wrong.who), **request.pop("headers", {})}
    path = (wrong.path or wrong.operation.path).format(**all_.ids)
    async with all_.service.client.request(
        wrong.operation.method, path, headers=headers, **request
    ) as response:
        text = await response.text()
        assert response.status == wrong.status, (wrong.words, text)
        assert response.content_type == "application/problem+json", wrong.words
    problem = json.loads(text)
    assert problem["code"] == wrong.code, wrong.words
    assert problem["status"] == wrong.status
    assert problem["title"]
    assert problem["detail"]
    published = {code.value for code in answers(wrong.operation).get(wrong.status, ())}
    assert wrong.code in published, wrong.words
    for secret in (*NUMBERS, *all_.tokens.values()):
        assert secret not in text, wrong.words


def admits(operation: Operation, who: str) -> bool:
    """Whether this kind of principal may come in at all."""
    for rule in operation.who:
        if rule.kind is Caller and who in ("caller", "stranger"):
            return True
        if rule.kind is AppKey and who == "app":
            return True
        role = who.removeprefix("other_")
        if rule.kind is Staff and role in _ROLES and (not rule.roles or role in rule.roles):
            return True
    return not operation.who


def of(operation: Operation) -> str:
    """Somebody who may come in."""
    if not operation.who:
        return "anyone"
    return next(who for who in PRINCIPALS if admits(operation, who))


ACTUAL = [one for one in OPERATIONS if not one.upgrades and one.signed is None]


def test_every_operation_with_a_body_is_tried() -> None:
    taking = {operation.name for operation in ACTUAL if operation.takes.body is not None}

    assert set(BODIES) == taking


_NOTHING = (b"{}", b'{"phone": null}')


def spoilt(
    good: dict[str, Any], limit_bytes: int = 65_536
) -> Iterator[tuple[dict[str, Any], int, str]]:
    """What is sent instead of a good body, and what is answered."""
    text = json.dumps(good)
    first = next(iter(good))
    for body, status, code in (
        ("", 400, "malformed"),
        ("{", 400, "malformed"),
        (text[:-1], 400, "malformed"),
        (text + "x", 400, "malformed"),
        ("\x00", 400, "malformed"),
        (json.dumps({**good, first: "\ud800"}), 400, "malformed"),
        (text[:-1] + ', "more": NaN}', 400, "malformed"),
        ("[" * 5_000, 400, "malformed"),
        ("null", 422, "bad_input"),
        ("[]", 422, "bad_input"),
        ('"text"', 422, "bad_input"),
        ("1" * 4_000, 422, "bad_input"),
        (json.dumps({**good, "more": 1}), 422, "bad_input"),
        (json.dumps({**good, first: None}), 422, "bad_input"),
        (json.dumps({**good, first: [good[first]]}), 422, "bad_input"),
        (json.dumps({**good, first: {"a": "b"}}), 422, "bad_input"),
        (json.dumps({**good, first: 10**400}), 422, "bad_input"),
        (json.dumps({**good, first: -1}), 422, "bad_input"),
        (json.dumps({**good, first: 0.5 if good[first] is True else True}), 422, "bad_input"),
        (json.dumps({**good, first: ""}), 422, "bad_input"),
        (json.dumps({**good, first: "a\x00b"}), 422, "bad_input"),
        (json.dumps({**good, first: "x" * 60_000}), 422, "bad_input"),
        ("{}", 422, "bad_input"),
    ):
        yield {"data": body.encode(), "headers": JSON}, status, code
    yield {"data": b'{"x":"\xff"}', "headers": JSON}, 400, "malformed"
    for content_type in ("text/plain", "application/xml", "application/json; charset=utf-16"):
        headers = {"Content-Type": content_type}
        yield {"data": text.encode(), "headers": headers}, 415, "unsupported_media_type"
    large = json.dumps({**good, "more": "x" * limit_bytes}).encode()
    yield {"data": BytesIO(large), "headers": JSON}, 413, "body_too_large"


async def test_a_body_that_is_not_what_was_asked_for_is_refused_and_changes_nothing(
    all_: Everybody,
) -> None:
    for operation in ACTUAL:
        if operation.takes.body is None:
            continue
        wrong = spoilt(BODIES[operation.name], operation.body_limit_bytes)
        for request, status, code in wrong:
            if not operation.takes.body_required and request["data"] in (b"", b"{}"):
                continue  # saying nothing is fine there
            if operation.name in _MAY_SAY_NOTHING and request["data"] in _NOTHING:
                continue
            await refuse(all_, Wrong(of(operation), operation, status, code, request=request))


async def test_a_body_where_none_is_wanted_is_refused_and_changes_nothing(
    all_: Everybody,
) -> None:
    for operation in ACTUAL:
        if operation.takes.body is not None:
            continue
        for body, headers, status, code in (
            (b"{", JSON, 400, "malformed"),
            (b'{"a":1}', JSON, 422, "bad_input"),
            (b"[]", JSON, 422, "bad_input"),
            (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
            (b" " * 65_537, JSON, 413, "body_too_large"),
        ):
            request = {"data": body, "headers": headers}
            path = operation.path + QUERIES.get(operation.name, "")
            await refuse(all_, Wrong(of(operation), operation, status, code, path, request))


async def test_each_value_is_judged_for_itself(all_: Everybody) -> None:
    by_name = {operation.name: operation for operation in OPERATIONS}
    for who, name, body, pointer in (
        ("caller", "create_order", {"program": "none-such"}, "/program"),
        ("caller", "create_order", {"program": "../etc"}, "/program"),
        ("caller", "create_order", {"program": "psych-listening", "phone": CALLER}, "/phone"),
        ("app", "create_order", {"program": "psych-listening"}, "/phone"),
        ("app", "create_order", {"program": "psych-listening", "phone": "138"}, "/phone"),
        ("app", "create_order", {"program": "psych-listening", "phone": "+86 138"}, "/phone"),
        (
            "caller",
            "create_order",
            {"program": "psych-listening", "counselor": "counselor_none"},
            "/counselor",
        ),
        ("caller", "place_call", {"phone": f"{CALLER}\n"}, "/phone"),
        ("caller", "place_call", {"phone": "+" + "9" * 40}, "/phone"),
        ("caller", "place_call", {"phone": "+八六一三八〇〇〇〇〇〇〇〇"}, "/phone"),
        ("counselor", "transfer", {"target": "target_none"}, "/target"),
        ("counselor", "transfer", {"target": "target_1", "region": "31"}, "/region"),
        ("counselor", "extend", {"seconds": 59}, "/seconds"),
        ("counselor", "extend", {"seconds": 3601}, "/seconds"),
        ("counselor", "extend", {"seconds": 60.5}, "/seconds"),
        ("counselor", "extend", {"seconds": "60"}, "/seconds"),
        ("counselor", "put_presence", {"state": "busy"}, "/state"),
        ("steward", "match_order", {"counselor": "counselor_none"}, "/counselor"),
        ("caller", "redeem_voucher", {"code": " "}, "/code"),
        ("caller", "redeem_voucher", {"code": "0000\n0000"}, "/code"),
        ("caller", "create_order", {"program": "psych-listening", "voucher": "\t"}, "/voucher"),
        ("support", "search_vouchers", {"code": "x", "phone": CALLER}, ""),
        ("support", "search_vouchers", {"phone": "138"}, "/phone"),
        ("operator", "void_voucher", {"reason": "two\nlines"}, "/reason"),
        ("support", "reissue_voucher", {"reason": ""}, "/reason"),
        ("caller", "file_claim", {"reason": "two\nlines"}, "/reason"),
        ("support", "decide_claim", {"decision": "refund", "reason": "x"}, "/decision"),
        ("support", "decide_claim", {"decision": "reject"}, "/reason"),
        ("caller", "rate_order", {"timeliness": 5, "quality": 5, "attitude": 6}, "/attitude"),
        ("anyone", "confirm_verification", {"code": "12345"}, "/code"),
        ("anyone", "confirm_verification", {"code": "１２３４５６"}, "/code"),
        ("anyone", "confirm_verification", {"code": "123456\n"}, "/code"),
        ("anyone", "sign_in", {"email": "none", "password": "x"}, "/email"),
        ("anyone", "sign_in", {"email": "a@b", "password": "x", "totp": "1"}, "/totp"),
    ):
        operation = by_name[name]
        path = operation.path.format(**all_.ids)
        async with all_.service.client.request(
            operation.method, path, json=body, headers=all_.as_(who)
        ) as response:
            problem = await response.json(content_type=None)
            assert (response.status, problem["code"]) == (422, "bad_input"), (name, body, problem)
            assert [fault["pointer"] for fault in problem["errors"]] == [pointer], (name, body)


async def test_a_query_that_is_not_what_was_asked_for_is_refused(all_: Everybody) -> None:
    for operation in ACTUAL:
        who, queries = of(operation), ["colour=red"]
        if operation.takes.query is not None:
            queries += [
                "limit=0",
                "limit=101",
                "limit=-1",
                "limit=1e1",
                "limit=",
                "limit=1&limit=2",
            ]
            queries += ["cursor=abc", "cursor=%00", "cursor=%ff", "limit=%F0%9F%98%80"]
            queries += [f"cursor={'x' * 513}", f"limit={'9' * 300}"]
        if operation.name == "list_events":
            queries += ["after=-1", "after=x", f"after={2**63}"]
        if operation.name == "list_targets":
            queries += ["region=31", "region=3100000", "kind=army"]
        for query in queries:
            path = f"{operation.path}?{query}"
            request: dict[str, Any] = {}
            if operation.takes.body is not None:
                request["json"] = BODIES[operation.name]
            await refuse(all_, Wrong(who, operation, 422, "bad_input", path, request))


ODD = (
    *("%00", "a%2Fb", "..%2F..", "%F0%9F%98%80", "%ff", "-", "a%20b", "a%0Ab", "x" * 65, "'--"),
    *("%2B8613800000001", "8613800000001", "9" * 60, "%ED%A0%80", "none", "order_none", "NULL"),
)


async def test_ids_of_nothing_are_404_whatever_they_are_made_of(all_: Everybody) -> None:
    for operation in ACTUAL:
        if not operation.takes.path:
            continue
        request: dict[str, Any] = {}
        if operation.takes.body is not None:
            request["json"] = BODIES[operation.name]
        for odd in ODD:
            path = re.sub(r"\{\w+\}", odd, operation.path)
            for who in PRINCIPALS if odd == "none" else (of(operation),):
                if admits(operation, who):
                    await refuse(all_, Wrong(who, operation, 404, "not_found", path, request))


async def test_other_peoples_things_are_404_to_whoever_might_have_had_their_own(
    all_: Everybody,
) -> None:
    theirs = {"caller": "stranger", "counselor": "other_counselor"}
    for operation in ACTUAL:
        if not {"order", "call"} & set(operation.takes.path):
            continue
        request: dict[str, Any] = {}
        if operation.takes.body is not None:
            request["json"] = {**BODIES[operation.name]}
        if operation.name == "place_call":
            request["json"] = {"phone": STRANGER}
        for owner, other in theirs.items():
            if admits(operation, owner):
                await refuse(all_, Wrong(other, operation, 404, "not_found", request=request))


async def test_who_has_no_business_here_is_told_so_before_anything_is_looked_at(
    all_: Everybody,
) -> None:
    for operation in ACTUAL:
        for who in PRINCIPALS:
            if not admits(operation, who):
                request = {"data": b"{", "headers": JSON}
                await refuse(all_, Wrong(who, operation, 403, "forbidden", request=request))


async def test_where_a_signature_is_asked_for_no_token_lets_anybody_in(all_: Everybody) -> None:
    for operation in (one for one in OPERATIONS if one.signed is not None):
        for who in ("anyone", *PRINCIPALS):
            request = {"data": b"{", "headers": JSON}
            await refuse(all_, Wrong(who, operation, 403, "forbidden", request=request))


async def test_without_a_token_that_counts_nobody_comes_in(
    service: Service, all_: Everybody
) -> None:
    for operation in ACTUAL:
        if not operation.who:
            continue
        for header in (
            None,
            "",
            "Bearer",
            "Bearer ",
            "Basic Y2FsbGVyOng=",
            "Bearer xx_unknown",
            "Bearer wd_unknown",
            "Bearer ws_unknown",
            "Bearer wk_unknown",
            "Bearer " + "ws_" + "x" * 600,
            f"bearer {all_.tokens['caller'][:-1]}",
            f"Token {all_.tokens['caller']}",
            "Bearer ws_\udcff",
        ):
            headers = {} if header is None else {"Authorization": header}
            request = {"headers": headers}
            await refuse(all_, Wrong("anyone", operation, 401, "unauthenticated", request=request))


async def test_a_method_that_is_not_there_names_those_that_are(all_: Everybody) -> None:
    paths: dict[str, set[str]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, set()).add(operation.method)
    for path, methods in paths.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - methods:
            async with all_.service.client.request(
                method, path.format(**all_.ids), headers=all_.as_("caller")
            ) as response:
                problem = await response.json(content_type=None)
                assert (response.status, problem["code"]) == (405, "method_not_allowed"), path
                assert methods <= set(response.headers["Allow"].split(", "))


async def test_a_cookie_does_not_count_for_another_sites_request(
    service: Service, all_: Everybody
) -> None:
    cookie = {"Cookie": f"warmline={all_.tokens['counselor']}"}
    for origin in (None, "https://evil.example", "null", "", service.house.url + ".evil.example"):
        headers = cookie | ({} if origin is None else {"Origin": origin})
        for operation in ACTUAL:
            if operation.method == "GET" or not admits(operation, "counselor"):
                continue
            if not operation.who:
                continue
            request = {"headers": headers}
            await refuse(all_, Wrong("anyone", operation, 403, "forbidden", request=request))
    async with service.client.get("/v1/me", headers=cookie) as response:
        assert response.status == 200


@pytest.mark.parametrize(
    ("who", "ends"),
    [
        ("counselor", "UPDATE staff_tokens SET expires_at = created_at"),
        ("counselor", "UPDATE staff_tokens SET last_used_at = created_at - interval '3 days'"),
        ("counselor", "UPDATE staff SET disabled_at = now()"),
        ("counselor", "DELETE FROM staff_tokens"),
        ("app", "UPDATE api_keys SET revoked_at = now()"),
        ("caller", "UPDATE devices SET superseded_at = now()"),
    ],
)
async def test_a_token_that_has_ended_opens_nothing(service: Service, who: str, ends: str) -> None:
    all_ = await everybody(service, talking=False)
    await service.house.pool.execute(ends)
    before = await dump(service.house.pool)

    for operation in ACTUAL:
        if operation.who and admits(operation, who):
            await refuse(all_, Wrong(who, operation, 401, "unauthenticated"))
    assert changes(before, await dump(service.house.pool)) == {}
