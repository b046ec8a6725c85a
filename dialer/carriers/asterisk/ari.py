"""Asterisk's REST interface and its events, over HTTP. It knows no call and keeps no state."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from urllib.parse import quote

import aiohttp

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable
from dialer.carriers.asterisk.events import JsonObject
from dialer.carriers.last_look import Body, NotOurs, last_look

_TIMEOUT = aiohttp.ClientTimeout(total=2)
_HEARTBEAT_SECONDS = 2.0
_CONNECTIONS = 32


class NotDone(CarrierUnknown):
    """Asterisk says it failed (500), and not how far it came."""


class Ari:
    """One Asterisk as one user sees it; `url` is without `/ari` and without a slash at its end."""

    def __init__(self, url: str, user: str, password: str, app: str) -> None:
        self.app = app
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=10),
            headers={"Authorization": aiohttp.encode_basic_auth(user, password)},
            timeout=_TIMEOUT,
        )
        self._base = f"{url}/ari"

    async def close(self) -> None:
        """Let the connections go."""
        await self._session.close()

    async def ask(
        self,
        method: str,
        *path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, object] | None = None,
    ) -> object:
        """One request; each part of the path is one segment, whatever is in it.

        Raises CarrierRefused (`code` is the status: `"404"`), CarrierUnreachable (never sent, or
        turned away at the door) or CarrierUnknown.
        """
        holds = last_look()
        if method != "GET" and not holds():
            raise NotOurs
        data = None if body is None else Body(json.dumps(body).encode(), holds)
        url = "/".join((self._base, *(quote(part, safe="") for part in path)))
        try:
            async with self._session.request(method, url, params=query, data=data) as response:
                if response.status in (401, 403):
                    raise CarrierUnreachable("Asterisk does not know our user or password")
                if 400 <= response.status < 500:
                    raise CarrierRefused(str(response.status))
                if response.status == 500:
                    raise NotDone("status 500")
                if response.status >= 300:
                    raise CarrierUnknown(f"status {response.status}")
                return None if response.status == 204 else await response.json()
        except aiohttp.ClientConnectorError as fault:
            raise CarrierUnreachable("nobody listens at Asterisk's address") from fault
        except (aiohttp.ClientError, TimeoutError, ValueError) as fault:
            if data is not None and data.is_withheld:
                raise NotOurs from fault
            raise CarrierUnknown(type(fault).__name__) from fault

    @asynccontextmanager
    async def events(self) -> AsyncIterator[AsyncIterator[JsonObject]]:
        """A connection on which events come until it is lost. Raises as `ask` does.

        Whoever connects with the same app later takes the events over.
        """
        query = {"app": self.app}
        try:
            socket = await self._session.ws_connect(
                f"{self._base}/events", params=query, heartbeat=_HEARTBEAT_SECONDS
            )
        except aiohttp.ClientConnectorError as fault:
            raise CarrierUnreachable("nobody listens at Asterisk's address") from fault
        except aiohttp.WSServerHandshakeError as fault:
            raise CarrierUnreachable(f"Asterisk gives no events: {fault.status}") from fault
        except (aiohttp.ClientError, TimeoutError) as fault:
            raise CarrierUnknown(type(fault).__name__) from fault
        try:
            yield _objects(socket)
        finally:
            await socket.close()


async def _objects(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[JsonObject]:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.TEXT:
            found = json.loads(message.data)
            if isinstance(found, dict):
                yield found
