"""What the doctor says of an account at Twilio, and of what stands before the first real call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from dialer.carriers.twilio.book import MemoryBook
from dialer.carriers.twilio.budget import unlimited
from dialer.carriers.twilio.carrier import Presence, TwilioCarrier
from dialer.carriers.twilio.webhooks import Signatures, routes
from tests.answering import answering
from tests.twilio_standin.calls import Address
from tests.twilio_standin.fixtures import operations, pytest_terminal_summary
from tests.twilio_standin.operations import Operations
from tests.twilio_standin.standin import Twilio, a_twilio
from warmline.carriers.twilio import access_of
from warmline.carriers.twilio_doctor import calls_per_second, examine_twilio
from warmline.clock import machine_now
from warmline.findings import Finding, Health
from warmline.settings import Settings

__all__ = ["operations", "pytest_terminal_summary"]

OURS = "+862155500100"


@dataclass
class Installed:
    """An installation that stands on a Twilio, as its console was set."""

    twilio: Twilio
    settings: Settings

    async def examined(self, **changes: Any) -> dict[str, Finding]:
        chosen = self.settings.model_copy(update=changes)
        return {one.subject: one async for one in examine_twilio(chosen)}


def settings_for(twilio: Twilio, public_url: str, data_dir: Path) -> Settings:
    return Settings.load(
        data_dir=data_dir,
        carrier="twilio",
        sms="twilio",
        public_url=public_url,
        twilio_account_sid=twilio.account.sid,
        twilio_auth_token=SecretStr(twilio.account.token),
        twilio_numbers=(OURS,),
        twilio_calls_per_second=5,
        twilio_api_url=twilio.url,
    )


@pytest.fixture
async def installed(operations: Operations, tmp_path: Path) -> AsyncIterator[Installed]:
    """Everything as docs/twilio.md says."""
    async with a_twilio(operations, {}) as twilio:
        later: list[web.RouteDef] = []
        async with _house(later) as public_url:
            settings = settings_for(twilio, public_url, tmp_path)
            later += _voice(settings)
            own = twilio.number(OURS)
            own.voice = Address(url=f"{public_url}/carrier/twilio/inbound")
            own.status = Address(url=f"{public_url}/carrier/twilio/calls")
            yield Installed(twilio, settings)


@asynccontextmanager
async def _house(later: list[web.RouteDef]) -> AsyncIterator[str]:
    """A service whose routes are known once its address is."""

    async def answer(request: web.Request) -> web.StreamResponse:
        for route in later:
            if route.path == request.path:
                handled: web.StreamResponse = await route.handler(request)
                return handled
        raise web.HTTPNotFound

    async with answering([web.post("/{anything:.*}", answer)]) as address:
        yield address


def _voice(settings: Settings) -> list[web.RouteDef]:
    public_url = settings.public_url or ""
    carrier = TwilioCarrier(
        access_of(settings),
        MemoryBook(),
        Presence(public_url=public_url, numbers=(OURS,), words=lambda prompt, language: prompt),
        unlimited(),
        now=machine_now,
        new_secret=lambda: "secret",
    )
    token = access_of(settings).auth_token
    return routes(carrier.ear, Signatures(public_url, (token,)), carrier.backlog)


async def test_an_account_that_is_set_up_is_good(installed: Installed) -> None:
    found = await installed.examined()

    assert {one.subject: one.text for one in found.values() if one.health is Health.WRONG} == {}
    assert found["twilio account"].health is Health.GOOD
    assert found["twilio number ..0100"].health is Health.GOOD
    assert found["twilio webhooks"].health is Health.GOOD
    assert found["twilio profile"].health is Health.GOOD
    assert found["twilio calls per second"].health is Health.GOOD
    # The programs that are shipped show a number of their own.
    assert found["twilio shown number"].health is Health.WARNING


async def test_a_wrong_token_is_wrong_and_nothing_else_is_asked(installed: Installed) -> None:
    found = await installed.examined(twilio_auth_token=SecretStr("another"))

    assert found["twilio account"].health is Health.WRONG
    assert "WARMLINE_TWILIO_ACCOUNT_SID" in found["twilio account"].text
    assert "twilio profile" not in found


async def test_a_wrong_key_is_wrong_although_the_token_is_right(installed: Installed) -> None:
    found = await installed.examined(
        twilio_api_key="SK" + "1" * 32, twilio_api_secret=SecretStr("of another")
    )

    assert found["twilio account"].health is Health.WRONG


async def test_a_twilio_that_is_away_is_wrong(installed: Installed) -> None:
    found = await installed.examined(twilio_api_url="http://127.0.0.1:1")

    assert "Twilio does not answer" in found["twilio account"].text


@pytest.mark.parametrize(
    ("status", "kind", "health", "told"),
    [
        ("suspended", "Full", Health.WRONG, "suspended"),
        ("active", "Trial", Health.WARNING, "Before going live: upgrade the trial account"),
    ],
)
async def test_an_account_that_cannot_go_live_says_so(
    installed: Installed, status: str, kind: str, health: Health, told: str
) -> None:
    installed.twilio.office.account_status = status
    installed.twilio.office.account_type = kind

    found = (await installed.examined())["twilio account"]

    assert found.health is health
    assert told in found.text


async def test_a_number_of_somebody_else_is_wrong(installed: Installed) -> None:
    found = await installed.examined(twilio_numbers=(OURS, "+862155500199"))

    assert found["twilio number ..0199"].health is Health.WRONG
    assert "WARMLINE_TWILIO_NUMBERS" in found["twilio number ..0199"].text
    assert "+862155500199" not in str(found)


@pytest.mark.parametrize("missing", ["voice", "status"])
async def test_a_number_whose_webhooks_lead_elsewhere_is_named_with_what_to_set(
    installed: Installed, missing: str
) -> None:
    setattr(installed.twilio.number(OURS), missing, Address(url="https://elsewhere.example/"))

    found = (await installed.examined())["twilio number ..0100"]

    assert found.health is Health.WARNING
    assert f"{installed.settings.public_url}/carrier/twilio/" in found.text


@pytest.mark.parametrize("profile", [None, "pending-review"])
async def test_without_an_approved_profile_it_cannot_go_live(
    installed: Installed, profile: str | None
) -> None:
    installed.twilio.office.profile = profile

    found = (await installed.examined())["twilio profile"]

    assert found.health is Health.WARNING
    assert "Before going live" in found.text


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (204, "Somebody else answers"),
        (403, "A signature does not hold"),
        (301, "redirection"),
        (404, "Somebody else answers"),
    ],
)
async def test_an_address_that_leads_elsewhere_is_wrong(
    installed: Installed, status: int, told: str
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/"} if status == 301 else {})

    async with answering([web.post("/{anything:.*}", answer)]) as elsewhere:
        found = (await installed.examined(public_url=elsewhere))["twilio webhooks"]

    assert found.health is Health.WRONG
    assert told in found.text


async def test_a_service_that_is_not_started_is_a_warning(installed: Installed) -> None:
    found = (await installed.examined(public_url="https://127.0.0.1:1"))["twilio webhooks"]

    assert found.health is Health.WARNING
    assert "start `warmline serve`" in found.text


async def test_an_address_without_tls_is_wrong(installed: Installed) -> None:
    found = (await installed.examined(public_url="http://warmline.example"))["twilio webhooks"]

    assert found.health is Health.WRONG
    assert "https://" in found.text


async def test_verify_is_asked_after_where_it_is_set(installed: Installed) -> None:
    known = await installed.examined(twilio_verify_service=installed.twilio.office.verify_service)
    unknown = await installed.examined(twilio_verify_service="VA" + "9" * 32)

    assert known["twilio verify"].health is Health.GOOD
    assert unknown["twilio verify"].health is Health.WRONG


def test_one_call_a_second_is_a_go_live_blocker() -> None:
    assert calls_per_second(1).health is Health.WARNING
    assert "Before going live" in calls_per_second(1).text
    assert calls_per_second(5).health is Health.GOOD
