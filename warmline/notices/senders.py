"""What an SMS is, who sends it, and the sender that only shows it (`WARMLINE_SMS=log`)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import structlog

from terms.ids import TenantId
from terms.phone import PhoneNumber
from warmline.clock import Clock
from warmline.notices.store import Message, add_message
from warmline.notices.texts import Language
from warmline.seal import AesSeal

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
    code: str | None = field(default=None, repr=False)  # the one it holds


class Sender(Protocol):
    """Hands an SMS to whoever carries it."""

    async def send_sms(self, sms: Sms) -> None:
        """Send it. Raises NotSent; any other exception counts as a try that failed, too."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
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

    async def close(self) -> None:
        """Nothing is open."""
