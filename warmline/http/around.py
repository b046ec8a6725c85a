"""What surrounds every request: its id, its line in the log, its metrics, its safe headers."""

import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from time import perf_counter

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from structlog.contextvars import bind_contextvars, bound_contextvars

from terms.phone import PhoneNumber
from terms.refusals import NotThere, Refused
from warmline.http.address import came_over_tls
from warmline.http.asked import FRAME
from warmline.http.database_faults import problem_of
from warmline.http.problems import (
    BodyTooLarge,
    Malformed,
    NotFound,
    Problem,
    ProblemCode,
    of_refusal,
)
from warmline.http.reading import BODY_LIMIT_BYTES
from warmline.logs import HIDDEN

REQUEST_ID = "X-Request-Id"
NOW = "Warmline-Now"
"""The service's time when it answered: pages count down by it and not by their own clock."""

_GIVEN_ID = re.compile(r"[a-z0-9-]{8,64}")  # no token and no code looks like that
_OUR_ID = re.compile(r"(?!w[kds]_)[a-z][a-z0-9_-]{0,63}")
_NUMBER = re.compile(r"\+?([0-9]{7,15})")
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)

_log = structlog.get_logger(__name__)

SAFE_HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""What an answer carries unless its endpoint chose otherwise."""


class HttpMetrics:
    """Requests by route template; an id never becomes a label."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "warmline_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=registry,
        )
        self.seconds = Histogram(
            "warmline_http_request_seconds",
            "Time from the request's head to the end of its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self.in_hand = Gauge(
            "warmline_http_requests_in_hand", "Requests being worked on.", registry=registry
        )


METRICS = web.AppKey("http_metrics", HttpMetrics)


@web.middleware
async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Name, time, log and count the request; turn whatever was raised into a problem."""
    metrics = request.app[METRICS]
    route = _route(request)
    request_id = _request_id(request)
    started = perf_counter()
    with bound_contextvars(request_id=request_id), metrics.in_hand.track_inprogress():
        try:
            response = await handler(request)
        except Exception as error:
            response = _answered(error)
        _dress(response, request, request_id)
        seconds = perf_counter() - started
        method = request.method if request.method in _METHODS else "other"
        metrics.requests.labels(method, route, response.status).inc()
        if response.status != SWITCHING_PROTOCOLS:  # a WebSocket's life is no waiting time
            metrics.seconds.labels(method, route).observe(seconds)
        if response.status >= _FAILED or not route.startswith(_ROUTINE):
            _log.info(
                "request",
                method=method,
                route=route,
                ids=_masked(request.match_info),
                status=response.status,
                milliseconds=round(seconds * 1000, 1),
            )
    return response


SWITCHING_PROTOCOLS = 101
_FAILED = 400
_ROUTINE = ("/carrier/", "/livez", "/readyz", "/metrics")
"""What machines tell and ask all day: counted, and logged when it fails. News itself is kept."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _answered(error: Exception) -> web.StreamResponse:
    if isinstance(error, web.HTTPException) and error.status < 400:
        return error
    problem = _problem(error)
    if problem is None:
        incident = os.urandom(6).hex()
        bind_contextvars(incident=incident)
        _log.error("request_failed", exc_info=error)
        detail = "Tell the operator the incident number; it names this in our log."
        problem = Problem(ProblemCode.INTERNAL_ERROR, detail, incident=incident)
    elif problem.status >= 500:
        _log.warning("request_unavailable", cause=type(error.__cause__ or error).__name__)
    return problem.response()


def _problem(error: Exception) -> Problem | None:
    """The problem an error stands for, or None when it is a mistake of ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, Refused):
        return of_refusal(error)
    if isinstance(error, NotThere):
        return NotFound()
    if isinstance(error, web.HTTPException):
        return _of_aiohttp(error)
    if isinstance(error, web.RequestPayloadError):
        return Malformed("The body is not encoded as its head says.")
    return problem_of(error)


def _of_aiohttp(error: web.HTTPException) -> Problem | None:
    if isinstance(error, web.HTTPMethodNotAllowed):
        allow = ", ".join(sorted(error.allowed_methods))
        return Problem(
            ProblemCode.METHOD_NOT_ALLOWED, f"Allowed here: {allow}.", headers={"Allow": allow}
        )
    if isinstance(error, web.HTTPNotFound):
        return NotFound()
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return BodyTooLarge(BODY_LIMIT_BYTES)
    return Malformed("The request cannot be read.") if error.status < 500 else None


def _dress(response: web.StreamResponse, request: web.Request, request_id: str) -> None:
    if response.prepared:  # a WebSocket has long sent its head
        return
    for name, value in SAFE_HEADERS.items():
        response.headers.setdefault(name, value)
    if _is_over_tls(request):
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    response.headers[REQUEST_ID] = request_id
    response.headers[NOW] = _instant(request.app[FRAME].clock.now())


def _instant(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_over_tls(request: web.Request) -> bool:
    said = request.headers.get("X-Forwarded-Proto", "")
    return came_over_tls(request.secure, request.remote, said, request.app[FRAME].trusted_proxies)


def _request_id(request: web.Request) -> str:
    given = request.headers.get(REQUEST_ID, "")
    return given if _GIVEN_ID.fullmatch(given) else os.urandom(8).hex()


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return "unmatched" if resource is None else resource.canonical


def _masked(ids: Mapping[str, str]) -> dict[str, str]:
    """The ids in the path; a phone number is masked, and what is no id of ours is not told."""
    return {name: _masked_id(value) for name, value in ids.items()}


def _masked_id(value: str) -> str:
    if number := _NUMBER.fullmatch(value):
        return str(PhoneNumber(f"+{number[1]}"))
    return value if _OUR_ID.fullmatch(value) else HIDDEN
