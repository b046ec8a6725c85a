"""The document says everything the application can answer, and the application keeps to it."""

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from terms.refusals import RefusalCode
from tests.warmline.http.conftest import Client
from tests.warmline.http.example import TOLD, WriteNote, notes
from tests.warmline.http.fuzzing import faults_found
from warmline.http.api import Operations
from warmline.http.app import make_app
from warmline.http.asked import Acting, Asked, Frame
from warmline.http.openapi import document
from warmline.http.problems import TITLES, ProblemCode, refusal_status, status_of
from warmline.http.who import CALLER, AppKey, Caller

DOCUMENT = document(notes, version="1")


def _operation(path: str, method: str) -> Any:
    return DOCUMENT["paths"][path][method]


def test_every_code_has_a_title_and_one_status() -> None:
    assert set(TITLES) == {*ProblemCode, *RefusalCode}
    assert all(400 <= status_of(code) < 600 for code in TITLES)


@pytest.mark.parametrize("code", RefusalCode)
def test_the_state_of_things_is_409_a_rate_429_and_the_rest_422(code: RefusalCode) -> None:
    state = (
        code.endswith(("_busy", "_in_use", "_offline"))
        or code.startswith("order_")
        or code in ("call_in_progress", "not_completed", "not_now")
    )
    assert refusal_status(code) == (409 if state else 429 if code == "rate_limited" else 422)


def test_an_operation_lists_every_answer_with_its_codes() -> None:
    responses = _operation("/v1/notes", "post")["responses"]

    codes = {
        status: set(
            answer["content"]["application/problem+json"]["schema"]["properties"]["code"]["enum"]
        )
        for status, answer in responses.items()
        if status != "201"
    }
    assert codes == {
        "400": {"malformed"},
        "401": {"unauthenticated"},
        "403": {"forbidden"},
        "405": {"method_not_allowed"},
        "409": {"voucher_in_use"},
        "413": {"body_too_large"},
        "415": {"unsupported_media_type"},
        "422": {"bad_input", "key_reused"},
        "429": {"rate_limited"},
        "500": {"internal_error"},
        "503": {"unavailable"},
    }


def test_the_document_tells_who_may_call_and_with_what() -> None:
    write, burn = _operation("/v1/notes", "post"), _operation("/v1/notes/{note}", "delete")

    assert write["security"] == [{"device": []}, {"app": []}]
    assert write["summary"] == "Write a note. It is refused when its text says so"
    assert "operator" in burn["description"]
    assert [p["name"] for p in write["parameters"]] == ["Idempotency-Key"]
    assert [p["name"] for p in _operation("/v1/notes", "get")["parameters"]] == ["limit", "cursor"]
    assert _operation("/v1/weather", "get")["security"] == []


def test_a_declaration_that_does_not_fit_its_function_is_refused() -> None:
    broken = Operations("Broken")

    async def wrong_id(asked: Asked, order: str) -> None:
        """Do something."""

    async def wrong_who(acting: Acting, who: Caller | AppKey) -> None:
        """Do something."""

    async def no_context() -> None:
        """Do something."""

    async def no_words(asked: Asked) -> None: ...

    for path, endpoint in (
        ("/x/{note}", wrong_id),
        ("/x", wrong_who),
        ("/x", no_context),
        ("/x", no_words),
    ):
        with pytest.raises(TypeError):
            broken("GET", path, who=(CALLER,), returns={204: None})(endpoint)


async def test_an_answer_that_was_not_declared_is_our_mistake(frame: Frame) -> None:
    wrong = Operations("Wrong")

    @wrong("GET", "/wrong", returns={200: WriteNote})
    async def answer_nothing(asked: Asked) -> None:
        """Answer with nothing where something was promised."""

    app = make_app(frame, wrong, version="1", registry=CollectorRegistry(), checks={})
    async with TestClient(TestServer(app)) as client:
        assert (await client.get("/wrong")).status == 500


async def test_the_document_is_served(client: Client) -> None:
    assert await (await client.get("/v1/openapi.json")).json() == DOCUMENT


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.links: set[str] = set()
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("href", "src", "action"):
                self.links.add(value or "")
            if name == "id":
                self.ids.add(value or "")


async def test_the_docs_page_is_whole_and_needs_nothing_from_elsewhere(client: Client) -> None:
    response = await client.get("/docs")
    page = _Links()
    page.feed(await response.text())

    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert not page.tags & {"script", "img", "iframe"}
    assert all(link.startswith(("/", "#")) for link in page.links)
    assert {link[1:] for link in page.links if link.startswith("#")} <= page.ids
    assert {"write_note", "problem-voucher_in_use", "schema-WriteNote"} <= page.ids
    for link in page.links:
        if link.startswith("/"):
            assert (await client.get(link)).status == 200


@pytest.mark.parametrize("token", ["wd_ana", None])
async def test_schemathesis_finds_no_undocumented_answer(
    frame: Frame, tmp_path: Path, token: str | None
) -> None:
    app = make_app(
        frame,
        notes,
        version="1",
        registry=CollectorRegistry(),
        checks={},
    )
    app[TOLD] = []
    async with TestServer(app) as server:
        address = str(server.make_url("")).rstrip("/")
        assert await faults_found(address, tmp_path, token=token, examples=5) == ""
