"""Health, metrics, request ids and the access log."""

import logging
from typing import Any

import pytest
import structlog
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from tests.warmline.http.conftest import Client
from tests.warmline.http.example import notes
from tests.warmline.http.test_frame import ANA
from warmline.http.app import make_app
from warmline.http.asked import Frame


async def test_it_is_alive_and_ready(client: Client) -> None:
    assert (await client.get("/livez")).status == 200
    ready = await client.get("/readyz")
    assert (ready.status, await ready.json()) == (200, {"ready": True, "missing": {}})


async def test_what_is_missing_is_said(frame: Frame) -> None:
    async def nobody() -> str | None:
        return "nobody is there"

    async def fine() -> str | None:
        return None

    app = make_app(
        frame,
        notes,
        version="1",
        registry=CollectorRegistry(),
        checks={"carrier": nobody, "clock": fine},
    )
    async with TestClient(TestServer(app)) as client:
        response = await client.get("/readyz")
        assert (response.status, (await response.json())["missing"]) == (
            503,
            {"carrier": "nobody is there"},
        )
        await frame.pool.close()
        response = await client.get("/readyz")
        assert (response.status, list((await response.json())["missing"])) == (503, ["database"])
        assert (await client.get("/livez")).status == 200
        refused = await client.get("/v1/notes", headers=ANA)
        assert (refused.status, (await refused.json(content_type=None))["code"]) == (
            503,
            "unavailable",
        )


async def test_requests_are_counted_by_route_never_by_id(client: Client) -> None:
    await client.get("/v1/notes/a1", headers=ANA)
    await client.get("/nowhere/13800000001")
    await client.request("BREW", "/v1/notes")

    text = await (await client.get("/metrics")).text()

    assert (
        'warmline_http_requests_total{method="GET",route="/v1/notes/{note}",status="404"} 1.0'
        in text
    )
    assert 'route="unmatched"' in text
    assert "13800000001" not in text
    assert "BREW" not in text


async def test_a_request_has_an_id_that_the_client_may_choose(client: Client) -> None:
    own = await client.get("/v1/weather")
    chosen = await client.get("/v1/weather", headers={"X-Request-Id": "abcd-1234"})
    silly = await client.get("/v1/weather", headers={"X-Request-Id": "a b<script>"})

    assert len(own.headers["X-Request-Id"]) == 16
    assert chosen.headers["X-Request-Id"] == "abcd-1234"
    assert silly.headers["X-Request-Id"] != "a b<script>"


async def test_the_access_log_names_route_and_ids_but_no_number_and_no_token(
    client: Client,
) -> None:
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await client.get("/v1/notes/8613800000001", headers=ANA)

    line: dict[str, Any] = next(dict(line) for line in lines if line["event"] == "request")
    assert (line["route"], line["status"]) == ("/v1/notes/{note}", 404)
    assert line["principal"] == "caller:ana"
    assert "13800000001" not in str(lines)
    assert "wd_ana" not in str(lines)


async def test_what_surrounds_a_request_is_gone_with_it(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await client.get("/v1/notes", headers=ANA)
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        await client.get("/v1/weather")

    assert "principal" not in lines[0]
