"""A month's legs as Twilio itself recorded them, held against ours."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from dialer.carriers.twilio.records import AT_ONCE
from terms.ids import TenantId
from tests.dialer.carriers.joined import talk
from tests.dialer.carriers.rig import Behaviour
from tests.dialer.carriers.twilio.rig import TwilioRig, a_rig
from tests.twilio_standin.fixtures import operations, pytest_terminal_summary
from tests.twilio_standin.operations import Operations
from warmline.carriers.twilio_book import StoredBook
from warmline.carriers.twilio_records import TakenIn, take_in_twilio
from warmline.exits import Unusable
from warmline.seal import AesSeal
from warmline.settings import Settings

if TYPE_CHECKING:
    from asyncpg import Pool, Record

__all__ = ["operations", "pytest_terminal_summary"]

TENANT = TenantId("default")


@pytest.fixture
async def rig(
    operations: Operations, database: "Pool[Record]", seal: AesSeal
) -> AsyncIterator[TwilioRig]:
    async with a_rig(operations, StoredBook(database, seal, TENANT)) as one:
        yield one


def settings_for(rig: TwilioRig, data_dir: Path, **changed: Any) -> Settings:
    known: dict[str, Any] = {
        "data_dir": data_dir,
        "twilio_account_sid": rig.twilio.account.sid,
        "twilio_auth_token": SecretStr(rig.twilio.account.token),
        "twilio_api_url": rig.twilio.url,
    }
    return Settings.load(**(known | changed))


async def test_what_twilio_recorded_of_a_month_is_kept_by_leg_and_calls_of_others_are_not(
    rig: TwilioRig, database: "Pool[Record]", tmp_path: Path
) -> None:
    since = rig.twilio.clock.now() - timedelta(seconds=1)
    call = await talk(rig)
    await rig.pass_time(61)
    await rig.put_down(call.caller)
    await rig.carrier.hang_up(call.counselor_leg)
    await rig.settle()
    await database.execute("UPDATE twilio_lines SET sid = NULL WHERE leg = $1", call.counselor_leg)
    now = rig.twilio.clock.now()

    async with database.acquire() as connection:
        for _ in range(2):  # asked again it takes the place of what was told
            taken = await take_in_twilio(
                connection, settings_for(rig, tmp_path), since, since + 2 * AT_ONCE, now
            )

    assert taken == TakenIn(legs=1, others=1)
    (kept,) = await database.fetch("SELECT * FROM carrier_records")
    assert (kept["carrier"], kept["leg"]) == ("twilio", call.caller_leg)
    assert 61 <= kept["billed_seconds"] <= 63
    assert since <= kept["started_at"] <= now


async def test_a_leg_that_nobody_answered_is_told_with_no_seconds(
    rig: TwilioRig, database: "Pool[Record]", tmp_path: Path
) -> None:
    since = rig.twilio.clock.now() - timedelta(seconds=1)
    phone, call = await rig.phone(Behaviour.BY_HAND), rig.call()
    await rig.ring(phone, call, "caller", ring_seconds=20)
    await rig.pass_time(60)

    async with database.acquire() as connection:
        taken = await take_in_twilio(
            connection, settings_for(rig, tmp_path), since, since + AT_ONCE, since
        )

    assert taken.others == 0
    seconds = await database.fetch("SELECT billed_seconds FROM carrier_records")
    assert [row["billed_seconds"] for row in seconds] == [0] * taken.legs


async def test_an_account_that_lets_nobody_in_is_one_sentence_and_nothing_is_kept(
    rig: TwilioRig, database: "Pool[Record]", tmp_path: Path
) -> None:
    wrong = settings_for(rig, tmp_path, twilio_auth_token=SecretStr("0" * 32))
    now = rig.twilio.clock.now()

    async with database.acquire() as connection:
        with pytest.raises(Unusable, match="Twilio did not tell its records"):
            await take_in_twilio(connection, wrong, now, now + AT_ONCE, now)

    assert await database.fetchval("SELECT count(*) FROM carrier_records") == 0
