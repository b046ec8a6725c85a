"""The HTTP under Twilio's SDK: time-outs that hold, nothing sent twice, nothing logged.

The SDK's own asynchronous client has no time-out that works, repeats POSTs after any 5xx, so that a
phone rings twice, and logs addresses with numbers in them (docs/adr/0019).
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import aiohttp
from twilio.http import AsyncHttpClient
from twilio.http.response import Response

from dialer.carriers.last_look import Body, NotOurs, last_look

_SECONDS = 4.0
_CONNECT_SECONDS = 2.0
_AT_ONCE = 20
_FORM = "application/x-www-form-urlencoded"

_silent = logging.getLogger("warmline.twilio.silent")
_silent.disabled = True


class OnceHttp(AsyncHttpClient):  # type: ignore[misc] # the SDK ships no types
    """Sends each request once. Made inside a running loop; `close` it."""

    def __init__(self, api_url: str | None = None, seconds: float = _SECONDS) -> None:
        super().__init__(_silent, True, seconds)
        self._to = None if api_url is None else urlsplit(api_url.rstrip("/"))
        self._time_out = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_AT_ONCE, keepalive_timeout=15),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._time_out,
        )

    async def close(self) -> None:
        """Let the connections go."""
        await self._session.close()

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the SDK's own signature
        allow_redirects: bool = False,
    ) -> Response:
        """One request. Raises what aiohttp raises, TimeoutError, and NotOurs: nothing was sent."""
        sent = dict(headers or {})
        if auth is not None:
            sent["Authorization"] = aiohttp.encode_basic_auth(*auth)
        body = None if not data else _body(data, sent.pop("Content-Type", _FORM))
        try:
            async with (
                self._turns,
                self._session.request(
                    method.upper(),
                    self._address(url),
                    params=params,
                    headers=sent,
                    allow_redirects=allow_redirects,
                    data=body,
                ) as answer,
            ):
                return Response(answer.status, await answer.text(), answer.headers)
        except aiohttp.ClientError:
            if body is not None and body.is_withheld:
                raise NotOurs from None
            raise

    def _address(self, url: str) -> str:
        if self._to is None:
            return url
        asked = urlsplit(url)
        path = self._to.path + asked.path
        return urlunsplit((self._to.scheme, self._to.netloc, path, asked.query, ""))


def _body(data: Mapping[str, Any], content_type: str) -> Body:
    is_json = content_type.startswith("application/json")
    text = json.dumps(data) if is_json else urlencode(data, doseq=True)
    return Body(text.encode(), last_look(), content_type=content_type)
