"""Which sender sends, by `WARMLINE_SMS`."""

from typing import TYPE_CHECKING

from warmline.clock import Clock
from warmline.notices.gateway import GatewayAccess, HttpSender, gateway_of
from warmline.notices.senders import LogSender, Sender
from warmline.notices.signing import Signing
from warmline.seal import AesSeal
from warmline.settings import Settings, SettingsInvalid

if TYPE_CHECKING:
    from asyncpg import Pool, Record


def check_sms(settings: Settings) -> GatewayAccess | None:
    """The gateway that is configured, None for another way. Raises SettingsInvalid."""
    if settings.sms == "twilio":
        raise SettingsInvalid(
            "WARMLINE_SMS cannot be twilio yet: set it to http, with WARMLINE_SMS_URL and "
            "WARMLINE_SMS_SECRET of your gateway, or to log, which sends nothing and shows the "
            "messages at /sim/messages."
        )
    return gateway_of(settings)


def sender_of(settings: Settings, pool: "Pool[Record]", seal: AesSeal, clock: Clock) -> Sender:
    """The sender that is configured. Raises SettingsInvalid."""
    gateway = check_sms(settings)
    if settings.sms == "http" and gateway is not None:
        return HttpSender(gateway)
    return LogSender(pool, seal, clock)


def receipt_signing(settings: Settings) -> Signing:
    """Whose delivery receipts are taken: the gateway's; without one, nobody's."""
    gateway = check_sms(settings)
    return Signing() if gateway is None else gateway.signing
