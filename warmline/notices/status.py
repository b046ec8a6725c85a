"""Status pushes to the customer-service system: webhooks as Standard Webhooks describes them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import structlog

from terms.ids import TenantId
from warmline.clock import Clock
from warmline.logs import mask_text
from warmline.notices.posting import SignedPoster
from warmline.notices.signing import Signing
from warmline.notices.store import Message, add_message
from warmline.notices.texts import Data
from warmline.seal import AesSeal
from warmline.settings import Settings, SettingsInvalid

if TYPE_CHECKING:
    from asyncpg import Pool, Record

RECEIVER = "customer-service system"

_GONE = 410
_FREE_TEXT = "reason"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """Something that happened. Its id stays the same over retries: the receiver drops repeats."""

    tenant: TenantId
    id: str
    type: str  # order.cancelled, crisis.raised, ..
    happened_at: datetime
    data: Data

    def body(self) -> str:
        """The JSON that is sent, equal at every try. It holds no phone number."""
        data = {
            key: mask_text(value) if key == _FREE_TEXT and isinstance(value, str) else value
            for key, value in self.data.items()
        }
        told = {"type": self.type, "timestamp": self.happened_at.isoformat(), "data": data}
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


class StatusPusher(Protocol):
    """Tells the customer-service system."""

    async def push(self, push: Push) -> None:
        """Push it. Raises NotSent; any other exception counts as a try that failed, too."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class WebhookPusher:
    """Posts signed pushes to one address."""

    def __init__(self, url: str, secret: str) -> None:
        """Raises ValueError for a secret that cannot be used."""
        self._poster = SignedPoster(url, Signing.read(secret))

    async def push(self, push: Push) -> None:
        """2xx is sent, 410 final, everything else and silence a try that failed."""
        answered = await self._poster.post(push.id, push.body())
        if not answered.accepted:
            raise answered.not_sent(final=answered.status == _GONE)

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()


@dataclass(frozen=True, slots=True)
class RecordedPusher:
    """Pushes nowhere: keeps the body for `GET /sim/messages`."""

    pool: "Pool[Record]"
    seal: AesSeal
    clock: Clock

    async def push(self, push: Push) -> None:
        """Keep the push."""
        message = Message(
            id=push.id,
            kind="status",
            to=RECEIVER,
            template=push.type,
            text=push.body(),
            at=self.clock.now(),
        )
        async with self.pool.acquire() as connection:
            await add_message(connection, self.seal, push.tenant, message)
        _log.info("status_push_simulated", type=push.type, notice=push.id)

    async def close(self) -> None:
        """Nothing is open."""


def pusher_of(
    settings: Settings, pool: "Pool[Record]", seal: AesSeal, clock: Clock
) -> StatusPusher:
    """The pusher that is configured. Raises SettingsInvalid when its secret cannot be used."""
    if settings.status_url is None:
        return RecordedPusher(pool, seal, clock)
    secret = settings.status_secret
    try:
        return WebhookPusher(settings.status_url, secret.get_secret_value() if secret else "")
    except ValueError:
        raise SettingsInvalid(
            "WARMLINE_STATUS_SECRET cannot be used: with WARMLINE_STATUS_URL set it must be the "
            "secret both sides share, in base64, with or without whsec_ in front."
        ) from None
