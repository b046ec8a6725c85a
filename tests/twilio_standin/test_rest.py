"""The API's door: who may come in, and how requests fail."""

import aiohttp
import pytest

from tests.twilio_standin.conftest import OURS, Client, a_number
from tests.twilio_standin.faults import Failure
from tests.twilio_standin.operations import Operations
from tests.twilio_standin.service import PUBLIC
from tests.twilio_standin.standin import NotAsDocumented, Twilio, a_twilio

ANN = a_number(1)
ORDER = {"To": ANN, "From": OURS, "Url": f"{PUBLIC}/go"}


@pytest.mark.parametrize("who", ["token", "secondary", "key"])
async def test_either_token_and_the_key_open(twilio: Twilio, client: Client, who: str) -> None:
    """F45."""
    account = twilio.account
    login = {
        "token": (account.sid, account.token),
        "secondary": (account.sid, account.secondary_token),
        "key": (account.key, account.key_secret),
    }[who]
    headers = {"Authorization": aiohttp.encode_basic_auth(*login)}

    assert (await client.ask("GET", "/Calls.json", headers=headers)).status == 200


@pytest.mark.parametrize("login", [None, ("AC" + "0" * 32, "x"), ("", "")])
async def test_nobody_else_comes_in(client: Client, login: tuple[str, str] | None) -> None:
    headers = {} if login is None else {"Authorization": aiohttp.encode_basic_auth(*login)}
    refused = await client.ask("GET", "/Calls.json", headers=headers)

    assert (refused.status, refused.body["code"]) == (401, 20003)


async def test_a_fault_fails_the_test_that_made_it(twilio: Twilio, client: Client) -> None:
    with twilio.expecting_faults() as found:
        refused = await client.ask("POST", "/Calls.json", {**ORDER, "Bogus": "1"})
    assert (refused.status, found) == (
        400,
        [f"POST /2010-04-01/Accounts/{twilio.account.sid}/Calls.json: Bogus: unknown parameter"],
    )

    with pytest.raises(NotAsDocumented, match="no operation GET /nothing"):
        await _ask_for_nothing(twilio.rest.operations)


async def _ask_for_nothing(operations: Operations) -> None:
    async with a_twilio(operations, {}) as twilio, aiohttp.ClientSession() as session:
        login = aiohttp.encode_basic_auth(twilio.account.sid, twilio.account.token)
        headers = {"Authorization": login}
        async with session.get(f"{twilio.url}/nothing", headers=headers) as response:
            assert response.status == 404


@pytest.mark.parametrize(
    ("failure", "status", "calls"),
    [
        (Failure.TOO_MANY, 429, 0),
        (Failure.SERVER_ERROR, 500, 0),
        (Failure.BAD_GATEWAY, 502, 0),
        (Failure.BAD_GATEWAY_AFTER, 502, 1),
        (Failure.EMPTY, 201, 1),
    ],
)
async def test_a_request_fails_as_planned_and_the_next_does_not(
    twilio: Twilio, client: Client, failure: Failure, status: int, calls: int
) -> None:
    """F46."""
    twilio.failures.plan("CreateCall", failure)
    failed = await client.ask("POST", "/Calls.json", ORDER)

    assert failed.status == status
    assert len(twilio.exchange.calls) == calls
    if failure is Failure.TOO_MANY:
        assert (failed.body["code"], failed.headers["Retry-After"]) == (20429, "1")
    if failure is Failure.BAD_GATEWAY:
        assert failed.body["text"].startswith("<html>")
    if failure is Failure.EMPTY:
        assert failed.body == {}
    assert (await client.ask("POST", "/Calls.json", ORDER)).status == 201


@pytest.mark.parametrize(
    ("failure", "calls"), [(Failure.DISCONNECT_BEFORE, 0), (Failure.DISCONNECT_AFTER, 1)]
)
async def test_a_connection_that_closes_says_nothing_of_what_was_done(
    twilio: Twilio, client: Client, failure: Failure, calls: int
) -> None:
    """F46."""
    twilio.failures.plan("CreateCall", failure)

    with pytest.raises(aiohttp.ClientError):
        await client.ask("POST", "/Calls.json", ORDER)
    assert len(twilio.exchange.calls) == calls
