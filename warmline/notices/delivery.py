"""One try at one notice: load it, send it, write how that ended."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

import structlog
from prometheus_client import CollectorRegistry, Counter

from routing.store.callers import load_caller
from terms.ids import ProgramId, TenantId
from terms.phone import PhoneNumber
from warmline.clock import Clock
from warmline.desk.slice import NoticeKind
from warmline.desk.store import WaitingNotice
from warmline.notices.codes import open_code
from warmline.notices.retries import next_try_at
from warmline.notices.senders import Sender, Sms
from warmline.notices.sending import NotSent
from warmline.notices.status import Push, StatusPusher
from warmline.notices.store import Enclosure, load_notice, put_off, write_try
from warmline.notices.texts import Data, Language, TextMissing, fill
from warmline.notices.windows import may_leave_at
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record


_HOUSE_ZONE = ZoneInfo("Asia/Shanghai")

_log = structlog.get_logger()


Withholding = Callable[["Connection[Record]", WaitingNotice, datetime], Awaitable[str | None]]
"""Why a notice must not be sent any more, looked at right before it would be; None: it may."""


class NoticeMetrics:
    """How tries end: `sent`, `failed` (tried again) or `gave_up` (somebody must look)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.tries = Counter(
            "warmline_notice_tries",
            "Tries to send a notice, by how they ended",
            ("kind", "outcome"),
            registry=registry,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Sends notices, each at least once.

    Nothing is locked while it sends: a process that dies between sending and writing has the
    notice sent again under the same id.
    """

    pool: "Pool[Record]"
    seal: AesSeal
    clock: Clock
    sender: Sender
    pusher: StatusPusher
    zones: Mapping[ProgramId, ZoneInfo]
    metrics: NoticeMetrics
    withholding: Mapping[str, Withholding] = field(default_factory=dict)  # by template

    async def deliver(self, tenant: TenantId, id_: str) -> None:
        """Try to send a notice, unless it has its outcome or may not leave yet."""
        now = self.clock.now()
        async with self.pool.acquire() as connection:
            found = await load_notice(connection, tenant, id_)
        if found is None:
            return
        waiting, enclosure = found
        if enclosure.next_try_at is not None and now < enclosure.next_try_at:
            return
        leaves_at = may_leave_at(waiting.notice.data, now)
        if now < leaves_at:
            async with self.pool.acquire() as connection:
                await put_off(connection, tenant, id_, leaves_at)
            return
        try:
            await self._send(waiting, enclosure, now)
        except NotSent as failed:
            await self._write_failure(waiting, enclosure, failed)
        except Exception as fault:
            await self._write_failure(waiting, enclosure, NotSent(type(fault).__name__))
        else:
            await self._write(waiting, outcome="sent", fault=None, next_at=None)

    async def _send(self, waiting: WaitingNotice, enclosure: Enclosure, now: datetime) -> None:
        if enclosure.expires_at is not None and now >= enclosure.expires_at:
            raise NotSent("it ran out before it could be sent", final=True)
        await self._check_wanted(waiting, now)
        match waiting.notice.kind:
            case NoticeKind.STATUS:
                await self.pusher.push(_push(waiting))
            case NoticeKind.SMS:
                to = await self._number(waiting, enclosure)
                await self.sender.send_sms(self._sms(waiting, enclosure, to, now))

    async def _check_wanted(self, waiting: WaitingNotice, now: datetime) -> None:
        """Raises NotSent for what became pointless while it waited (A17)."""
        look = self.withholding.get(waiting.notice.template)
        if look is None:
            return
        async with self.pool.acquire() as connection:
            why = await look(cast("Connection[Record]", connection), waiting, now)
        if why is not None:
            raise NotSent(f"withheld: {why}", final=True)

    async def _number(self, waiting: WaitingNotice, enclosure: Enclosure) -> PhoneNumber:
        if enclosure.address_sealed is not None:
            return self.seal.open(enclosure.address_sealed)
        caller = None
        if waiting.caller is not None:
            async with self.pool.acquire() as connection:
                caller = await load_caller(connection, self.seal, waiting.tenant, waiting.caller)
        if caller is None:
            raise NotSent("there is no number to send to", final=True)
        return caller.number

    def _sms(
        self, waiting: WaitingNotice, enclosure: Enclosure, to: PhoneNumber, now: datetime
    ) -> Sms:
        template = waiting.notice.template
        data = {**waiting.notice.data, **self._secret(enclosure)}
        language = Language(str(data.get("language", Language.ZH)))
        zone = self.zones.get(ProgramId(str(data.get("program"))), _HOUSE_ZONE)
        try:
            text = fill(template, language, data, zone, now)
        except TextMissing as missing:
            raise NotSent(str(missing), final=True) from missing
        return Sms(
            tenant=waiting.tenant,
            id=waiting.id,
            to=to,
            template=template,
            language=language,
            text=text,
            code=None if "code" not in data else str(data["code"]),
        )

    def _secret(self, enclosure: Enclosure) -> Data:
        if enclosure.secret_sealed is None or enclosure.expires_at is None:
            return {}
        code = open_code(self.seal, enclosure.secret_sealed)
        return {"code": code, "expires_at": enclosure.expires_at.isoformat()}

    async def _write_failure(
        self, waiting: WaitingNotice, enclosure: Enclosure, failed: NotSent
    ) -> None:
        now, tries = self.clock.now(), waiting.tries + 1
        next_at = (
            None
            if failed.final
            else next_try_at(tries, now, enclosure.expires_at, failed.wait_seconds)
        )
        about = {
            "notice": waiting.id,
            "tenant": waiting.tenant,
            "template": waiting.notice.template,
            "tries": tries,
            "fault": failed.fault,
        }
        if next_at is None:
            _log.error("notice_given_up", **about)
        else:
            _log.warning("notice_not_sent", **about)
            next_at = may_leave_at(waiting.notice.data, next_at)
        outcome = "gave_up" if next_at is None else None
        await self._write(waiting, outcome=outcome, fault=failed.fault, next_at=next_at)

    async def _write(
        self,
        waiting: WaitingNotice,
        *,
        outcome: str | None,
        fault: str | None,
        next_at: datetime | None,
    ) -> None:
        async with self.pool.acquire() as connection:
            await write_try(
                connection,
                waiting.tenant,
                waiting.id,
                outcome=outcome,
                fault=fault,
                next_try_at=next_at,
                now=self.clock.now(),
            )
        self.metrics.tries.labels(waiting.notice.kind, outcome or "failed").inc()


def _push(waiting: WaitingNotice) -> Push:
    return Push(
        tenant=waiting.tenant,
        id=waiting.id,
        type=waiting.notice.template,
        happened_at=waiting.written_at,
        data=waiting.notice.data,
    )
