"""Putting the HTTP side together: the table of operations, and what stands beside it."""

from collections.abc import Iterable, Mapping

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
    for operation in table:
        app.router.add_route(operation.method, operation.path, handler(operation))
    published = document(table, version=version)

    async def openapi(_request: web.Request) -> web.Response:
        return web.json_response(published)

    app.router.add_get("/v1/openapi.json", openapi)
    app.router.add_get("/livez", health.livez)
    app.router.add_get("/readyz", health.readyz)
    app.router.add_get("/metrics", health.metrics)
    app.router.add_routes(docs_page.handlers(published))
    return app
