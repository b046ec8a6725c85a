"""Is it alive, is it ready, what does it count: for whoever runs the process."""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0, generate_latest

from warmline.http.asked import FRAME, borrowed
from warmline.http.problems import Problem

Check = Callable[[], Awaitable[str | None]]
"""Returns what is missing, in words for the operator, or None."""

CHECKS: web.AppKey[Mapping[str, Check]] = web.AppKey("readiness_checks", Mapping)
REGISTRY = web.AppKey("metrics_registry", CollectorRegistry)


async def livez(_request: web.Request) -> web.Response:
    """200 as long as the process answers at all."""
    return web.json_response({"alive": True})


async def readyz(request: web.Request) -> web.Response:
    """200 when requests can be served, 503 with what is missing."""
    missing = await _missing(request.app)
    return web.json_response(
        {"ready": not missing, "missing": missing}, status=503 if missing else 200
    )


async def metrics(request: web.Request) -> web.Response:
    """The counts, in Prometheus' text format."""
    return web.Response(
        body=generate_latest(request.app[REGISTRY]),
        headers={"Content-Type": CONTENT_TYPE_PLAIN_1_0_0},
    )


async def _missing(app: web.Application) -> dict[str, str]:
    missing: dict[str, str] = {}
    try:
        async with borrowed(app[FRAME].pool) as connection:
            await connection.fetchval("SELECT 1")
    except Problem:
        # The other checks would only repeat it, each after a wait of its own.
        return {"database": "PostgreSQL does not answer"}
    for name, check in app[CHECKS].items():
        if words := await check():
            missing[name] = words
    return missing
