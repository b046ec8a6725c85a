"""The built pages as a browser gets them: small, kept for ever, and asking nobody else."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from warmline.web.files import built_files
from warmline.web.serving import CONTENT_SECURITY_POLICY, PLACES, add_web

_ELSEWHERE = re.compile(r"""(?:https?:)?//[\w.-]+\.[a-z]{2,}""")
_NAMES = ("http://www.w3.org/",)  # names of vocabularies, which nobody opens
_LINKED = re.compile(r"""(?:src|href)="(/assets/[^"]+)""")
_FIRST_VIEW_BYTES = 60_000


@pytest.fixture(scope="module")
def built() -> dict[str, str]:
    """Every built text by its name."""
    files = built_files()
    if not files:
        pytest.fail("the pages are not built: run `make web`")
    return {name: file.plain.decode() for name, file in files.items()}


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    """A client that takes what comes as it is."""
    app = web.Application()
    add_web(app)
    async with (
        TestServer(app) as server,
        ClientSession(base_url=server.make_url("/"), auto_decompress=False) as client,
    ):
        yield client


def test_nothing_that_is_built_names_another_host(built: dict[str, str]) -> None:
    named = {
        found
        for text in built.values()
        for found in _ELSEWHERE.findall(text)
        if not text[text.index(found) :].startswith(_NAMES)
    }
    assert named == set()


def test_no_shell_has_a_script_or_a_style_in_it(built: dict[str, str]) -> None:
    for name in set(PLACES.values()):
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=", built[name])


def test_the_policy_lets_nothing_in_that_is_not_ours() -> None:
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in CONTENT_SECURITY_POLICY
    sources = re.findall(r"(?:script|style|connect|img)-src ([^;]+)", CONTENT_SECURITY_POLICY)
    assert sources == ["'self'"] * 4


@pytest.mark.parametrize("path", ["/call", "/call/orders/order_1", "/desk", "/supervisor/now"])
async def test_every_screen_has_an_address_of_its_own(client: ClientSession, path: str) -> None:
    async with client.get(path) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["/call", "/desk"])
async def test_a_first_view_is_under_60_kb_over_the_wire(client: ClientSession, path: str) -> None:
    headers = {"Accept-Encoding": "br, gzip"}
    async with client.get(path, headers={"Accept-Encoding": "gzip"}) as shell:
        raw = await shell.read()
        sent = len(raw)
    for asset in _LINKED.findall(gzip.decompress(raw).decode()):
        async with client.get(asset, headers=headers) as answer:
            assert answer.headers["Content-Encoding"] == "br"
            assert "immutable" in answer.headers["Cache-Control"]
            sent += len(await answer.read())
    assert 10_000 < sent < _FIRST_VIEW_BYTES


async def test_who_takes_no_compression_gets_plain_files_and_who_has_one_gets_nothing_again(
    client: ClientSession,
) -> None:
    async with client.get("/call", headers={"Accept-Encoding": "br;q=0, identity"}) as answer:
        assert "Content-Encoding" not in answer.headers
        assert (await answer.read()).startswith(b"<!doctype html>")
        etag = answer.headers["ETag"]
    async with client.get("/call", headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
        assert await answer.read() == b""


async def test_a_service_without_built_pages_says_what_to_do(tmp_path: Path) -> None:
    app = web.Application()
    add_web(app, tmp_path)
    async with (
        TestServer(app) as server,
        ClientSession(base_url=server.make_url("/")) as client,
        client.get("/call") as answer,
    ):
        assert answer.status == 503
        assert "make web" in await answer.text()


def test_the_lock_names_every_package_by_its_hash_and_none_by_its_address() -> None:
    lock = json.loads(Path("web/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert all("integrity" in one for one in packages.values())
    assert not any("resolved" in one for one in packages.values())
