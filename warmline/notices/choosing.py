"""Which sender sends, by `WARMLINE_SMS`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aiohttp import web

from warmline.clock import Clock
from warmline.notices.gateway import GatewayAccess, HttpSender, gateway_of
from warmline.notices.senders import LogSender, Sender
from warmline.notices.signing import Signing
from warmline.notices.taking import ReceiptMetrics
from warmline.seal import AesSeal
from warmline.settings import Settings

if TYPE_CHECKING:
    from asyncpg import Pool, Record


def check_sms(settings: Settings) -> GatewayAccess | None:
    """The gateway that is configured, None for another way. Raises SettingsInvalid."""
    if settings.sms == "twilio":
        from warmline.notices.twilio import sms_access_of  # few need it: start sooner

        sms_access_of(settings)
    return gateway_of(settings)


def sender_of(settings: Settings, pool: "Pool[Record]", seal: AesSeal, clock: Clock) -> Sender:
    """The sender that is configured. Raises SettingsInvalid."""
    gateway = check_sms(settings)
    if settings.sms == "http" and gateway is not None:
        return HttpSender(gateway)
    if settings.sms == "twilio":
        from warmline.notices.twilio import TwilioSender, sms_access_of

        return TwilioSender(sms_access_of(settings))
    return LogSender(pool, seal, clock)


def receipt_signing(settings: Settings) -> Signing:
    """Whose delivery receipts are taken: the gateway's; without one, nobody's."""
    gateway = check_sms(settings)
    return Signing() if gateway is None else gateway.signing


def receipt_routes(
    settings: Settings, pool: "Pool[Record]", clock: Clock, metrics: ReceiptMetrics
) -> Sequence[web.RouteDef]:
    """By which a provider of its own way tells delivery. Raises SettingsInvalid."""
    if settings.sms != "twilio":
        return ()
    from warmline.carriers.twilio import signatures_of
    from warmline.notices.twilio import message_routes

    return message_routes(signatures_of(settings), pool, clock, metrics)
