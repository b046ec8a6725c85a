"""SMS by Twilio (`WARMLINE_SMS=twilio`), and codes by Twilio Verify where that is set."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import structlog
from aiohttp import web
from twilio.base.exceptions import TwilioException, TwilioRestException

from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.api import client_of
from dialer.carriers.twilio.http import OnceHttp
from dialer.carriers.twilio.names import BASE, EVENT_RETRIES
from dialer.carriers.twilio.webhooks import Form, Signatures
from terms.ids import TenantId
from warmline.carriers.twilio import access_of, numbers_of, public_url_of
from warmline.clock import Clock
from warmline.notices.receipts import DeliveryState, Receipt
from warmline.notices.senders import Sms
from warmline.notices.sending import NotSent
from warmline.notices.taking import ReceiptMetrics, Taken, take_receipt, tell_receipt
from warmline.notices.texts import VERIFICATION_CODE
from warmline.settings import Settings

if TYPE_CHECKING:
    from asyncpg import Pool, Record

_log = structlog.get_logger()

MESSAGES = f"{BASE}/messages"

_VALID_SECONDS = 600
"""What could not be handed to a phone within ten minutes is not sent hours later."""

_TOO_MANY_REQUESTS = 429
_VERIFY_LIMITS = frozenset({60203, 60212})
"""Verify's own limits come as 429, too: they end with the verification, not with a pause."""

_ENDS = {
    "delivered": DeliveryState.DELIVERED,
    "undelivered": DeliveryState.UNDELIVERED,
    "failed": DeliveryState.UNDELIVERED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmsAccess:
    """How SMS leave. `sender` is a number, or the SID of a messaging service."""

    access: Access
    public_url: str
    sender: str
    verify_service: str | None = None


def sms_access_of(settings: Settings) -> SmsAccess:
    """As the settings say. Raises SettingsInvalid."""
    return SmsAccess(
        access=access_of(settings),
        public_url=public_url_of(settings),
        sender=settings.twilio_messaging_service or numbers_of(settings)[0],
        verify_service=settings.twilio_verify_service,
    )


class TwilioSender:
    """Hands each SMS to Twilio. Nothing of its body is logged or kept."""

    def __init__(self, access: SmsAccess) -> None:
        self._access = access
        self._http: OnceHttp | None = None
        self._client: Any = None

    async def send_sms(self, sms: Sms) -> None:
        """Twilio's own refusals are final, but for too many requests.

        What Verify refuses goes by SMS: it counts sends of a number in a way of its own.
        """
        if self._http is None:
            self._http = OnceHttp(self._access.access.api_url)
            self._client = client_of(self._access.access, self._http)
        service, code = self._access.verify_service, sms.code
        if service is not None and code is not None and sms.template == VERIFICATION_CODE:
            try:
                await _sent(lambda: self._verify(service, sms, code))
                return
            except NotSent as refused:
                if not refused.final:
                    raise
                _log.warning("verify_refused", notice=sms.id, fault=refused.fault)
        await _sent(lambda: self._message(sms))

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def _message(self, sms: Sms) -> str | None:
        sender = self._access.sender
        by = "messaging_service_sid" if sender.startswith("MG") else "from_"
        message = await self._client.messages.create_async(
            to=sms.to.digits,
            body=sms.text,
            status_callback=self._access.public_url + messages_path(sms) + EVENT_RETRIES,
            validity_period=_VALID_SECONDS,
            **{by: sender},
        )
        return str(message.sid) if message.sid else None

    async def _verify(self, service: str, sms: Sms, code: str) -> str | None:
        """Verify carries our code; whether it was typed rightly, we judge ourselves."""
        verification = await self._client.verify.v2.services(service).verifications.create_async(
            to=sms.to.digits, channel="sms", custom_code=code, locale=sms.language.value
        )
        return str(verification.sid) if verification.sid else None


async def _sent(send: Callable[[], Awaitable[str | None]]) -> None:
    try:
        sid = await send()
    except TwilioRestException as refusal:
        raise _not_sent(int(refusal.status), int(refusal.code or 0)) from None  # no number in it
    except (aiohttp.ClientError, TimeoutError, TwilioException, ValueError) as fault:
        raise NotSent(type(fault).__name__) from None
    if sid is None:
        raise NotSent("Twilio did not say that it has it")


def _not_sent(status: int, code: int) -> NotSent:
    passes = status in (401, _TOO_MANY_REQUESTS) and code not in _VERIFY_LIMITS
    return NotSent(f"HTTP {status}: {code}", final=400 <= status < 500 and not passes)


# --- what became of them -------------------------------------------------------------------------


def messages_path(sms: Sms) -> str:
    """Where Twilio tells what became of this SMS."""
    return f"{MESSAGES}/{quote(sms.tenant, safe='')}/{quote(sms.id, safe='')}"


def receipt_of(notice: str, fields: Mapping[str, str], received_at: datetime) -> Receipt | None:
    """The receipt in a status callback; None for a step on the way. Pure."""
    sid, status = fields.get("MessageSid", ""), fields.get("MessageStatus", "")
    state = _ENDS.get(status)
    if state is None or not sid:
        return None
    code = fields.get("ErrorCode", "")
    return Receipt(
        id=f"{sid}:{status}",
        notice=notice,
        state=state,
        reason=code if state is DeliveryState.UNDELIVERED and code.isdigit() else None,
        happened_at=received_at,
    )


def message_routes(
    signatures: Signatures, pool: "Pool[Record]", clock: Clock, metrics: ReceiptMetrics
) -> list[web.RouteDef]:
    """The route of status callbacks, to be mounted at the service's root."""

    async def take(request: web.Request, form: Form) -> web.Response:
        tenant, notice = TenantId(request.match_info["tenant"]), request.match_info["notice"]
        now = clock.now()
        receipt = receipt_of(notice, form, now)
        if receipt is not None:
            async with pool.acquire() as connection, connection.transaction():
                outcome = await take_receipt(connection, tenant, receipt, now)
            if outcome is not None and outcome.taken is Taken.NEW:
                tell_receipt(metrics, tenant, receipt)
        return web.Response(status=204)

    return [web.post(MESSAGES + "/{tenant}/{notice}", signatures.checked(take))]
