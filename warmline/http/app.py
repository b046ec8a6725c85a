"""Putting the HTTP side together: the table of operations, and what stands beside it."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry

from warmline.http import docs_page, health
from warmline.http.api import Operation
from warmline.http.around import METRICS, HttpMetrics, around
from warmline.http.asked import FRAME, Frame
from warmline.http.health import CHECKS, REGISTRY, Check
from warmline.http.openapi import document
from warmline.http.reading import BODY_LIMIT_BYTES
from warmline.http.running import handler


def make_app(
    frame: Frame,
    operations: Iterable[Operation],
    *,
    version: str,
    registry: CollectorRegistry,
    checks: Mapping[str, Check],
) -> web.Application:
    """An application that serves `operations`, their document, health and metrics.

    The caller adds what the endpoints need under its own `web.AppKey`s.
    """
    table = tuple(operations)
    app = web.Application(middlewares=[around], client_max_size=BODY_LIMIT_BYTES)
    app[FRAME] = frame
    app[REGISTRY] = registry
    app[METRICS] = HttpMetrics(registry)
    app[CHECKS] = checks
    paths = [operation.path for operation in table]
    for operation in table:
        routed = _without_words(operation.path, paths)
        app.router.add_route(operation.method, routed, handler(operation))

    @cache
    def published() -> Mapping[str, Any]:  # few ask for it, and a process should start soon
        return document(table, version=version)

    async def openapi(_request: web.Request) -> web.Response:
        return web.json_response(published())

    app.router.add_get("/v1/openapi.json", openapi)
    app.router.add_get("/livez", health.livez)
    app.router.add_get("/readyz", health.readyz)
    app.router.add_get("/metrics", health.metrics)
    app.router.add_routes(docs_page.handlers(published))
    return app


def _without_words(path: str, paths: Sequence[str]) -> str:
    """The path as aiohttp is told: a word of another path is no id in this one.

    Else `/vouchers/{voucher}` would answer for `/vouchers/redeem` where that knows no such method.
    """
    parts = path.split("/")
    routed = list(parts)
    for place, part in enumerate(parts):
        if not part.startswith("{"):
            continue
        words = sorted(
            {
                other[place]
                for other in (one.split("/") for one in paths)
                if len(other) == len(parts) and not other[place].startswith("{")
                if other[:place] == parts[:place] and other[place + 1 :] == parts[place + 1 :]
            }
        )
        if words:
            routed[place] = f"{{{part[1:-1]}:(?!(?:{'|'.join(words)})(?:/|$))[^/]+}}"
    return "/".join(routed)
