"""Ways to send an SMS, chosen by `WARMLINE_SMS`."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import structlog

from terms.ids import TenantId
from terms.phone import PhoneNumber
from warmline.clock import Clock
from warmline.notices.store import Message, add_message
from warmline.notices.texts import Language
from warmline.seal import AesSeal
from warmline.settings import Settings, SettingsInvalid

if TYPE_CHECKING:
    from asyncpg import Pool, Record

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """One SMS. Its id stays the same over retries, so that a provider can tell a repeat."""

    tenant: TenantId
    id: str
    to: PhoneNumber
    template: str
    language: Language
    text: str = field(repr=False)  # it may hold a code


class Sender(Protocol):
    """Hands an SMS to whoever carries it."""

    async def send_sms(self, sms: Sms) -> None:
        """Send it. Raises NotSent; any other exception counts as a try that failed, too."""
        ...


@dataclass(frozen=True, slots=True)
class LogSender:
    """Sends nothing: keeps the text, sealed, for `GET /sim/messages`, and logs that it did."""

    pool: "Pool[Record]"
    seal: AesSeal
    clock: Clock

    async def send_sms(self, sms: Sms) -> None:
        """Keep the SMS; the log line holds neither number nor text."""
        message = Message(
            id=sms.id,
            kind="sms",
            to=sms.to.masked,
            template=sms.template,
            text=sms.text,
            at=self.clock.now(),
        )
        async with self.pool.acquire() as connection:
            await add_message(connection, self.seal, sms.tenant, message)
        _log.info("sms_simulated", to=sms.to.masked, template=sms.template, notice=sms.id)


def sender_of(settings: Settings, pool: "Pool[Record]", seal: AesSeal, clock: Clock) -> Sender:
    """The sender that is configured. Raises SettingsInvalid for one that does not exist yet."""
    if settings.sms != "log":
        raise SettingsInvalid(
            f"WARMLINE_SMS cannot be {settings.sms} yet: set it to log, which sends nothing and "
            "shows the messages at /sim/messages."
        )
    return LogSender(pool, seal, clock)
