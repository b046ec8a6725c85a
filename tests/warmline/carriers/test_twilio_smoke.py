"""The trials of a live account, made on a Twilio that stands in: they end, and they can tell."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.carrier import Presence
from dialer.carriers.twilio.webhooks import Signatures
from terms.phone import PhoneNumber
from tests.twilio_standin.calls import Address
from tests.twilio_standin.fixtures import operations, pytest_terminal_summary
from tests.twilio_standin.operations import Operations
from tests.twilio_standin.phones import Reply, Script
from tests.twilio_standin.standin import Twilio, a_twilio
from warmline.carriers.twilio_smoke.questions import QUESTIONS
from warmline.carriers.twilio_smoke.run import record, run_trials
from warmline.carriers.twilio_smoke.stage import Stage, a_stage
from warmline.cli import app
from warmline.exits import Unusable

__all__ = ["operations", "pytest_terminal_summary"]

PUBLIC, OURS = "https://warmline.example", "+862155500100"
FIRST, SECOND = PhoneNumber("+8613800000001"), PhoneNumber("+8613800000002")


class Operator:
    """Does with two phones what the command asks for."""

    def __init__(self, twilio: Twilio) -> None:
        self.twilio = twilio
        self.asked: list[str] = []

    async def ask(self, text: str) -> str:
        self.asked.append(text)
        await self.twilio.settle()
        if "Hang up the FIRST" in text:
            self.twilio.hang_up(FIRST.digits)
        elif "Pull the battery" in text:
            self.twilio.drop(FIRST.digits)
        elif "Dial +" in text:
            self.twilio.dial_in(SECOND.digits, OURS, stir="TN-Validation-Passed-A")
        elif "Who heard it" in text:
            return "the first alone"
        return ""


@asynccontextmanager
async def staged(operations: Operations) -> AsyncIterator[tuple[Stage, Twilio, Operator]]:
    services: dict[str, str] = {}
    async with a_twilio(operations, services) as twilio:
        own = twilio.number(OURS)
        own.voice = Address(url=f"{PUBLIC}/carrier/twilio/inbound")
        own.status = Address(url=f"{PUBLIC}/carrier/twilio/calls")
        for phone in (FIRST, SECOND):
            twilio.phone(phone.digits, Script(reply=Reply.ANSWERS))
        operator = Operator(twilio)

        def listens(port: int) -> None:
            services[PUBLIC] = f"http://127.0.0.1:{port}"

        async def nap(seconds: float) -> None:
            await twilio.pass_time(seconds)
            await asyncio.sleep(0)

        account = Access(
            account_sid=twilio.account.sid, auth_token=twilio.account.token, api_url=twilio.url
        )
        async with a_stage(
            account,
            Signatures(PUBLIC, (twilio.account.token,)),
            Presence(public_url=PUBLIC, numbers=(OURS,), words=lambda prompt, language: prompt),
            phones=(FIRST, SECOND),
            host="127.0.0.1",
            port=0,
            ask=operator.ask,
            nap=nap,
            now=twilio.clock.now,
            new_secret=lambda: secrets.token_hex(8),
            listens=listens,
        ) as stage:
            yield stage, twilio, operator


async def test_every_question_is_answered_and_nothing_is_left_ringing(
    operations: Operations, tmp_path: Path
) -> None:
    said: list[str] = []
    async with staged(operations) as (stage, twilio, operator):
        with twilio.expecting_faults() as meant:  # requests that are wrong are among the trials
            report = await run_trials(stage, said.append)
        kept = record(stage, tmp_path / "smoke")
        assert twilio.live_calls() == []

    found = {one["number"]: one["found"] for one in report}
    assert {number: text for number, text in found.items() if text == "open"} == {}, said
    assert list(found) == [question.number for question in QUESTIONS]
    assert found[2].startswith("from the answer: 30 s asked, 30 s given, told as limit")
    assert found[4] == "the first alone"
    assert "participant_hung_up" in found[11]
    assert found[12] == "a number came; StirVerstat: TN-Validation-Passed-A"
    assert found[13] == "after 6 s its status is ringing"
    assert len(operator.asked) == 5
    assert [fault for fault in meant if "smoke/fails gave no TwiML" not in fault] == []
    text = kept.read_text("utf-8")
    assert len(json.loads(text)) > 30
    assert not any(phone.digits.removeprefix("+") in text for phone in (FIRST, SECOND))


async def test_a_limit_that_counts_from_the_change_is_told_so(operations: Operations) -> None:
    async with staged(operations) as (stage, twilio, _):
        twilio.knobs.limit_counts_from_update = True
        with twilio.expecting_faults():
            report = await run_trials(stage, lambda _: None)

    assert report[1]["found"].startswith("from the change: 30 s asked, 5")


async def test_a_trial_that_fails_leaves_its_questions_open_and_the_next_is_made(
    operations: Operations,
) -> None:
    said: list[str] = []
    async with staged(operations) as (stage, twilio, _):
        twilio.phone(SECOND.digits, Script(reply=Reply.BUSY))
        with twilio.expecting_faults():
            report = await run_trials(stage, said.append)
        assert twilio.live_calls() == []

    found = {one["number"]: one["found"] for one in report}
    assert {number for number, text in found.items() if text == "open"} == {1, 4, 5, 6, 8, 9}
    assert any("not finished" in line for line in said)


@pytest.mark.parametrize(
    ("phones", "told"),
    [
        ((FIRST.digits,), "Give --phone twice"),
        ((FIRST.digits, FIRST.digits), "Give --phone twice"),
        ((FIRST.digits, "13800000002"), "Give --phone twice"),
        ((FIRST.digits, SECOND.digits), "Twilio calls WARMLINE_PUBLIC_URL"),
    ],
)
def test_the_command_says_what_it_lacks_before_anything_rings(
    phones: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("WARMLINE_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("WARMLINE_PUBLIC_URL", raising=False)
    options = [part for phone in phones for part in ("--phone", phone)]

    with pytest.raises(Unusable, match=told):
        CliRunner().invoke(app, ["carrier", "twilio", "smoke", *options], catch_exceptions=False)
