"""Taking in what Twilio recorded of a month, for the settlement to compare."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable
from dialer.carriers.twilio.api import Api
from dialer.carriers.twilio.records import TwilioRecords
from dialer.store.records import add_records
from dialer.store.twilio import legs_of_sids
from terms.ids import LegId
from warmline.carriers.twilio import access_of
from warmline.exits import Unusable
from warmline.settings import Settings

if TYPE_CHECKING:
    from dialer.store.connection import Connection

CARRIER = "twilio"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """How many legs of ours Twilio told of, and how many calls of others."""

    legs: int
    others: int


async def take_in_twilio(
    connection: "Connection", settings: Settings, since: datetime, until: datetime, now: datetime
) -> TakenIn:
    """Ask the account for every call that began in that time; keep all of it or nothing.

    Raises SettingsInvalid, and Unusable when Twilio cannot be asked.
    """

    async def legs_of(sids: Collection[str]) -> Mapping[str, LegId]:
        return await legs_of_sids(connection, settings.tenant, sids)

    api = Api(access_of(settings))
    told = TwilioRecords(api, legs_of)
    try:
        found = [record async for record in told.records(since, until)]
    except (CarrierRefused, CarrierUnknown, CarrierUnreachable) as fault:
        raise Unusable(f"Twilio did not tell its records ({fault}): try again.") from fault
    finally:
        await api.close()
    async with connection.transaction():
        legs = await add_records(connection, settings.tenant, CARRIER, found, now)
    return TakenIn(legs=legs, others=told.others)
