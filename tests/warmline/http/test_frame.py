"""Every answer that is not what was asked for is a documented problem, and changes nothing."""

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientResponse

from tests.warmline.http.conftest import Client
from tests.warmline.http.example import TOLD

if TYPE_CHECKING:
    from asyncpg import Pool, Record

Headers = dict[str, str]

ANA: Headers = {"Authorization": "Bearer wd_ana"}
BEN: Headers = {"Authorization": "Bearer wd_ben"}
OLGA: Headers = {"Authorization": "Bearer ws_olga"}
CARL: Headers = {"Authorization": "Bearer ws_carl"}
NOTE: dict[str, Any] = {"id": "a1", "text": "hello"}


async def problem(response: ClientResponse) -> dict[str, Any]:
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = await response.json(content_type=None)
    assert document["status"] == response.status
    assert {"type", "title", "detail", "code"} <= set(document)
    return document


async def count(database: "Pool[Record]") -> int:
    return int(await database.fetchval("SELECT count(*) FROM notes"))


async def test_an_accepted_request_is_answered_with_its_declared_status(client: Client) -> None:
    response = await client.post("/v1/notes", json=NOTE, headers=ANA)

    assert response.status == 201
    assert await response.json() == {"id": "a1", "text": "hello", "phone": None, "tries": 0}
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert client.server.app[TOLD] == ["a1"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b"{", 400, "malformed", None),
        (b"", 400, "malformed", None),
        (b'{"id":"a","text":NaN}', 400, "malformed", None),
        (b'{"id":"a","text":"\\ud800"}', 400, "malformed", None),
        (b'{"id":"a","text":"x","more":1}', 422, "bad_input", "/more"),
        (b'{"id":1,"text":"x"}', 422, "bad_input", "/id"),
        (b'{"id":"a","text":"x","stars":"1"}', 422, "bad_input", "/stars"),
        (b'{"id":"a","text":"x","stars":true}', 422, "bad_input", "/stars"),
        (b'{"id":"a","text":"x\\u0000"}', 422, "bad_input", "/text"),
        (b'{"id":"a","text":"x","phone":"13800000001"}', 422, "bad_input", "/phone"),
        (b'{"id":"a","text":"x","at":"2030-01-01T00:00:00"}', 422, "bad_input", "/at"),
        (b'{"id":"a","text":"x","at":"0001-01-01T00:00:00+08:00"}', 422, "bad_input", "/at"),
        (b"[]", 422, "bad_input", ""),
    ],
)
async def test_a_wrong_body_is_refused_by_field_and_changes_nothing(
    client: Client, database: "Pool[Record]", body: bytes, status: int, code: str, pointer: str
) -> None:
    headers = {**ANA, "Content-Type": "application/json"}

    response = await client.post("/v1/notes", data=body, headers=headers)

    told = await problem(response)
    assert (response.status, told["code"]) == (status, code)
    if pointer is not None:
        assert [fault["pointer"] for fault in told["errors"]] == [pointer]
    assert await count(database) == 0


async def test_what_was_sent_is_never_repeated_in_a_problem(client: Client) -> None:
    response = await client.post(
        "/v1/notes", json={**NOTE, "phone": "+86 138 0000 0001"}, headers=ANA
    )

    assert "0000" not in await response.text()


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"],
)
async def test_a_body_that_is_not_declared_as_json_is_refused(
    client: Client, content_type: str
) -> None:
    response = await client.post(
        "/v1/notes", data=json.dumps(NOTE).encode(), headers={**ANA, "Content-Type": content_type}
    )

    assert (response.status, (await problem(response))["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"no gzip", 400, "malformed"),
        (gzip.compress(b" " * 10_000_000), 413, "body_too_large"),
    ],
)
async def test_a_compressed_body_is_read_to_the_same_limit_or_refused(
    client: Client, body: bytes, status: int, code: str
) -> None:
    sent = {**ANA, "Content-Type": "application/json", "Content-Encoding": "gzip"}

    response = await client.post("/v1/notes", data=body, headers=sent)

    assert (response.status, (await problem(response))["code"]) == (status, code)


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_64_kb_is_refused(client: Client, chunked: bool) -> None:
    body = json.dumps({**NOTE, "text": "x" * 65_536}).encode()

    async def pieces() -> Any:
        yield body

    response = await client.post(
        "/v1/notes",
        data=pieces() if chunked else body,
        headers={**ANA, "Content-Type": "application/json"},
    )

    assert (response.status, (await problem(response))["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer wd_nobody", "Basic wd_ana", "wd_ana", "Bearer xx_ana", ""]
)
async def test_without_a_valid_token_nobody_comes_in(client: Client, authorization: str) -> None:
    response = await client.get("/v1/notes", headers={"Authorization": authorization})

    assert (response.status, (await problem(response))["code"]) == (401, "unauthenticated")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


async def test_another_role_is_told_that_it_may_not(client: Client) -> None:
    for headers in (CARL, ANA):
        response = await client.delete("/v1/notes/a1", headers=headers)
        assert (response.status, (await problem(response))["code"]) == (403, "forbidden")
    assert (await client.delete("/v1/notes/a1", headers=OLGA)).status == 204


async def test_other_peoples_things_do_not_exist(client: Client) -> None:
    await client.post("/v1/notes", json=NOTE, headers=ANA)

    theirs = await client.get("/v1/notes/a1", headers=BEN)
    nobodys = await client.get("/v1/notes/a2", headers=BEN)

    assert (theirs.status, await theirs.text()) == (404, await nobodys.text())


@pytest.mark.parametrize("note", ["%00", "a%2Fb", "%F0%9F%98%80", "-", "x" * 65, "a b", "%ff"])
async def test_an_id_that_no_thing_can_have_names_nothing(client: Client, note: str) -> None:
    response = await client.get(f"/v1/notes/{note}", headers=ANA)

    assert (response.status, (await problem(response))["code"]) == (404, "not_found")


async def test_an_unknown_path_is_a_problem_too(client: Client) -> None:
    for path in ("/nowhere", "/v1/notes/", "/v1/notes/a1/b/c"):
        response = await client.get(path)
        assert (response.status, (await problem(response))["code"]) == (404, "not_found")


async def test_a_method_that_is_not_there_is_answered_with_those_that_are(client: Client) -> None:
    response = await client.patch("/v1/notes", headers=ANA)

    assert (response.status, (await problem(response))["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, POST"


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=1.0", "/limit"),
        ("limit=%C2%B2", "/limit"),
        ("limit=1&limit=2", "/limit"),
        ("colour=red", "/colour"),
        ("cursor=AAAA", "/cursor"),
        ("cursor=%00", "/cursor"),
    ],
)
async def test_a_wrong_query_is_refused_by_parameter(
    client: Client, query: str, pointer: str
) -> None:
    response = await client.get(f"/v1/notes?{query}", headers=ANA)

    told = await problem(response)
    assert (response.status, told["code"]) == (422, "bad_input")
    assert [(fault["in"], fault["pointer"]) for fault in told["errors"]] == [("query", pointer)]


async def test_where_no_body_is_wanted_only_an_empty_object_is_taken(client: Client) -> None:
    assert (await client.delete("/v1/notes/a1", json={}, headers=OLGA)).status == 204
    assert (await client.delete("/v1/notes/a1", json={"x": 1}, headers=OLGA)).status == 422


@pytest.mark.parametrize(
    ("text", "status", "code", "retry_after"),
    [("in use", 409, "voucher_in_use", None), ("too often", 429, "rate_limited", "7")],
)
async def test_a_refusal_is_told_by_its_code_and_leaves_nothing_behind(
    client: Client, database: "Pool[Record]", text: str, status: int, code: str, retry_after: str
) -> None:
    response = await client.post("/v1/notes", json={**NOTE, "text": text}, headers=ANA)

    assert (response.status, (await problem(response))["code"]) == (status, code)
    assert response.headers.get("Retry-After") == retry_after
    assert await count(database) == 0
    assert client.server.app[TOLD] == []  # type: ignore[attr-defined]


async def test_a_refusal_that_has_to_be_counted_is_counted(
    client: Client, database: "Pool[Record]"
) -> None:
    await client.post("/v1/notes", json=NOTE, headers=ANA)
    headers = {**ANA, "Idempotency-Key": "guess"}

    for _ in range(2):
        response = await client.post(
            "/v1/notes/a1/guess", json={**NOTE, "text": "what?"}, headers=headers
        )
        assert (response.status, (await problem(response))["code"]) == (422, "code_wrong")

    assert await database.fetchval("SELECT tries FROM notes") == 2


async def test_a_mistake_of_ours_leaks_nothing(client: Client, database: "Pool[Record]") -> None:
    response = await client.post("/v1/notes", json={**NOTE, "text": "mistake"}, headers=ANA)

    told = await problem(response)
    assert (response.status, told["code"]) == (500, "internal_error")
    assert told["incident"]
    assert "secret" not in await response.text()
    assert await count(database) == 0


async def test_pages_follow_each_other_without_loss(client: Client) -> None:
    for number in range(5):
        note = {"id": f"n{number}", "text": "x"}
        assert (await client.post("/v1/notes", json=note, headers=ANA)).status == 201
    seen, cursor = [], ""
    while cursor is not None:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = await (await client.get("/v1/notes", params=query, headers=ANA)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]

    assert seen == ["n0", "n1", "n2", "n3", "n4"]


async def test_only_a_request_of_our_own_pages_may_write_with_the_cookie(client: Client) -> None:
    cookie = {"Cookie": "warmline=wd_ana"}

    assert (await client.get("/v1/notes", headers=cookie)).status == 200
    for origin in ({}, {"Origin": "http://evil.test"}, {"Origin": "null"}):
        response = await client.post("/v1/notes", json=NOTE, headers={**cookie, **origin})
        assert (response.status, (await problem(response))["code"]) == (403, "forbidden")
    ours = {**cookie, "Origin": "http://warmline.test"}
    assert (await client.post("/v1/notes", json=NOTE, headers=ours)).status == 201
