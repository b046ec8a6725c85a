"""A stand-in, a service for it to speak to, and a client that is nobody's SDK."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.twilio_standin.exchange import new_sid
from tests.twilio_standin.fixtures import operations, pytest_terminal_summary
from tests.twilio_standin.operations import Operations
from tests.twilio_standin.phones import Reply, Script
from tests.twilio_standin.service import PUBLIC, Service, a_service
from tests.twilio_standin.standin import Twilio, a_twilio, new_account

__all__ = ["operations", "pytest_terminal_summary"]

OURS = "+14005550100"
EVENTS = ("initiated", "ringing", "answered", "completed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What the API answered."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass(slots=True, kw_only=True)
class Client:
    """Asks the API as anybody might."""

    twilio: Twilio
    session: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, params: dict[str, Any] | None = None, **more: Any
    ) -> Answered:
        """One request; paths of the account may leave out its beginning."""
        account = self.twilio.account
        if not path.startswith("/v"):
            path = f"/2010-04-01/Accounts/{account.sid}{path}"
        login = aiohttp.encode_basic_auth(account.sid, account.token)
        pairs = [
            (k, one)
            for k, v in (params or {}).items()
            for one in (v if isinstance(v, tuple) else (v,))
        ]
        given: dict[str, Any] = {"params" if method == "GET" else "data": pairs}
        headers = {"Authorization": login}
        async with self.session.request(
            method, self.twilio.url + path, **{"headers": headers, **given, **more}
        ) as response:
            is_json = response.content_type == "application/json"
            body = await response.json() if is_json else {"text": await response.text()}
            return Answered(status=response.status, body=body, headers=dict(response.headers))

    async def call(self, to: str, url: str, **params: Any) -> str:
        """Ring a phone; gives the call's SID once nothing more happens at this instant."""
        given = {"To": to, "From": OURS, "Url": url, "StatusCallback": f"{PUBLIC}/status"}
        answered = await self.ask(
            "POST", "/Calls.json", {**given, "StatusCallbackEvent": EVENTS, **params}
        )
        assert answered.status == 201, answered.body
        await self.twilio.settle()
        return str(answered.body["sid"])

    async def update(self, sid: str, **params: Any) -> Answered:
        """Update a call."""
        answered = await self.ask("POST", f"/Calls/{sid}.json", params)
        await self.twilio.settle()
        return answered


@pytest.fixture
async def twilio(operations: Operations) -> AsyncIterator[Twilio]:
    """A Twilio whose time stands still, and whose account has one number."""
    account = new_account()
    services: dict[str, str] = {}
    async with a_service(account.token) as (service, address):
        services[PUBLIC] = address
        async with a_twilio(operations, services, account=account) as twilio:
            twilio.number(OURS)
            _SERVICES[account.sid] = service
            yield twilio
            del _SERVICES[account.sid]


_SERVICES: dict[str, Service] = {}


@pytest.fixture
def service(twilio: Twilio) -> Service:
    """Who is called back."""
    return _SERVICES[twilio.account.sid]


@pytest.fixture
async def client(twilio: Twilio) -> AsyncIterator[Client]:
    """Who asks."""
    async with aiohttp.ClientSession() as session:
        yield Client(twilio=twilio, session=session)


ANSWERS = Script(reply=Reply.ANSWERS)


def a_number(n: int) -> str:
    """The n-th phone's number."""
    return f"+14005550{200 + n}"


def unknown_sid(prefix: str) -> str:
    """A SID that nobody has."""
    return new_sid(prefix)
