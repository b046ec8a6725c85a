"""The SQL of notices beyond what the desk writes: tries, secrets, and what the simulation shows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from terms.ids import CallerId, OrderId, TenantId
from warmline.desk.slice import NoticeKind
from warmline.desk.store import WaitingNotice, read_notice
from warmline.notices.receipts import Delivered, DeliveryState, Receipt
from warmline.notices.windows import HAS_HOURS

if TYPE_CHECKING:
    from warmline.database import Connection
    from warmline.seal import AesSeal

LOST_AFTER = timedelta(seconds=60)
"""A notice that was never tried for so long gets a second job, if it has none."""

_TEXT = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enclosure:
    """What a notice carries beside its data. The sealed parts are there for codes only."""

    next_try_at: datetime | None
    expires_at: datetime | None
    address_sealed: bytes | None
    secret_sealed: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the simulation shows of an SMS or a status push."""

    id: str
    kind: str
    to: str
    template: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    """One notice as an operator sees it."""

    id: str
    kind: str
    template: str
    order: str | None
    written_at: datetime
    tries: int
    next_try_at: datetime | None
    sent_at: datetime | None
    outcome: str | None  # None: on its way
    fault: str | None  # of the last try that failed
    delivery: str | None  # of an SMS, once the gateway told
    delivery_at: datetime | None
    delivery_reason: str | None


async def add_secret_notice(
    connection: "Connection",
    tenant: TenantId,
    id_: str,
    *,
    template: str,
    address_sealed: bytes,
    secret_sealed: bytes,
    expires_at: datetime,
    now: datetime,
    data: Mapping[str, str] | None = None,
) -> None:
    """Keep an SMS whose number and secret are under seal until there is an outcome."""
    await connection.execute(
        """INSERT INTO notices (tenant, id, kind, template, address_sealed, secret_sealed,
               expires_at, written_at, data)
           VALUES ($1, $2, 'sms', $3, $4, $5, $6, $7, $8)""",
        *(tenant, id_, template, address_sealed, secret_sealed, expires_at, now),
        json.dumps(dict(data or {})),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One of many notices written at once: to an account, or to a number under seal."""

    id: str
    kind: NoticeKind
    template: str
    caller: CallerId | None
    address_sealed: bytes | None
    data: Mapping[str, str | int | None]


async def add_outgoing(
    connection: "Connection",
    tenant: TenantId,
    notices: Sequence[Outgoing],
    *,
    expires_at: datetime,
    now: datetime,
) -> None:
    """Keep notices that hold no secret, worthless from `expires_at` on, until they are sent."""
    await connection.execute(
        """INSERT INTO notices
               (tenant, id, kind, template, caller, address_sealed, data, expires_at, written_at)
           SELECT $1, id, kind, template, caller, address_sealed, data, $2, $3
           FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::jsonb[])
               AS new (id, kind, template, caller, address_sealed, data)""",
        *(tenant, expires_at, now),
        *([one.id for one in notices], [one.kind.value for one in notices]),
        *([one.template for one in notices], [one.caller for one in notices]),
        [one.address_sealed for one in notices],
        [json.dumps(dict(one.data)) for one in notices],
    )


async def load_notice(
    connection: "Connection", tenant: TenantId, id_: str
) -> tuple[WaitingNotice, Enclosure] | None:
    """A notice that is still to be sent, and what it carries."""
    row = await connection.fetchrow(
        "SELECT * FROM notices WHERE tenant = $1 AND id = $2 AND outcome IS NULL", tenant, id_
    )
    if row is None:
        return None
    enclosure = Enclosure(
        next_try_at=row["next_try_at"],
        expires_at=row["expires_at"],
        address_sealed=row["address_sealed"],
        secret_sealed=row["secret_sealed"],
    )
    return read_notice(row), enclosure


async def write_try(
    connection: "Connection",
    tenant: TenantId,
    id_: str,
    *,
    outcome: str | None,
    fault: str | None,
    next_try_at: datetime | None,
    now: datetime,
) -> None:
    """Write how one try ended; `outcome` None means it is tried again at `next_try_at`.

    With an outcome, what must not outlive the sending is erased.
    """
    await connection.execute(
        """UPDATE notices SET outcome = $3, fault = $4, tries = tries + 1, next_try_at = $6,
               sent_at = CASE WHEN $3 = 'sent' THEN $5::timestamptz END,
               address_sealed = CASE WHEN $3::text IS NULL THEN address_sealed END,
               secret_sealed = CASE WHEN $3::text IS NULL THEN secret_sealed END
           WHERE tenant = $1 AND id = $2""",
        *(tenant, id_, outcome, fault, now, next_try_at),
    )


async def put_off(
    connection: "Connection", tenant: TenantId, id_: str, next_try_at: datetime
) -> None:
    """Have a notice wait for its hour; that was no try."""
    await connection.execute(
        """UPDATE notices SET next_try_at = $3
           WHERE tenant = $1 AND id = $2 AND outcome IS NULL""",
        *(tenant, id_, next_try_at),
    )


async def due_notices(
    connection: "Connection", now: datetime, limit: int = 100
) -> list[tuple[TenantId, str, bool]]:
    """Notices whose next try is due, and those nobody ever tried: their job was lost. With each,
    whether it can wait; those come last.
    """
    rows = await connection.fetch(
        """SELECT tenant, id, data ? $4 AS can_wait FROM notices
           WHERE outcome IS NULL
               AND (next_try_at <= $1 OR (next_try_at IS NULL AND written_at <= $2))
           ORDER BY can_wait, coalesce(next_try_at, written_at) LIMIT $3""",
        *(now, now - LOST_AFTER, limit, HAS_HOURS),
    )
    return [(TenantId(row["tenant"]), row["id"], row["can_wait"]) for row in rows]


async def next_due_at(connection: "Connection", now: datetime) -> datetime | None:
    """When the next try after `now` is due."""
    at: datetime | None = await connection.fetchval(
        "SELECT min(next_try_at) FROM notices WHERE outcome IS NULL AND next_try_at > $1", now
    )
    return at


async def list_notices(
    connection: "Connection",
    tenant: TenantId,
    *,
    limit: int,
    before: str | None = None,
    outcomes: Sequence[str | None] = (None, "sent", "gave_up"),
    delivery: DeliveryState | None = None,
    order: OrderId | None = None,
) -> list[NoticeLine]:
    """Notices of these outcomes, newest first, those older than the one with id `before`.

    `delivery` leaves only those of which the gateway told just that, `order` only its own.
    """
    rows = await connection.fetch(
        """SELECT id, kind, template, order_id AS order, written_at, tries, next_try_at, sent_at,
               outcome, fault, delivery, delivery_at,
               (SELECT reason FROM sms_receipts r
                WHERE r.tenant = n.tenant AND r.notice = n.id
                    AND r.state = n.delivery AND r.happened_at = n.delivery_at
                ORDER BY r.id LIMIT 1) AS delivery_reason
           FROM notices n
           WHERE tenant = $1 AND ($2::text IS NULL OR id < $2)
               AND coalesce(outcome, 'waiting') = ANY ($3::text[])
               AND ($4::text IS NULL OR delivery = $4)
               AND ($5::text IS NULL OR order_id = $5)
           ORDER BY id DESC LIMIT $6""",
        *(tenant, before, [one or "waiting" for one in outcomes], delivery, order, limit),
    )
    return [NoticeLine(**dict(row)) for row in rows]


async def lock_delivery(
    connection: "Connection", tenant: TenantId, notice: str
) -> Delivered | None:
    """What is known of an SMS, locked until the transaction ends; None when it is no SMS here."""
    row = await connection.fetchrow(
        """SELECT delivery, delivery_at FROM notices
           WHERE tenant = $1 AND id = $2 AND kind = 'sms' FOR UPDATE""",
        *(tenant, notice),
    )
    if row is None:
        return None
    told = row["delivery"]
    return Delivered(state=None if told is None else DeliveryState(told), at=row["delivery_at"])


async def add_receipt(
    connection: "Connection", tenant: TenantId, receipt: Receipt, now: datetime
) -> bool:
    """Keep a receipt; False when one of its id is kept already, and nothing was done."""
    return bool(
        await connection.fetchval(
            """INSERT INTO sms_receipts (tenant, id, notice, state, reason, happened_at,
                   received_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (tenant, id) DO NOTHING RETURNING true""",
            *(tenant, receipt.id, receipt.notice, receipt.state, receipt.reason),
            *(receipt.happened_at, now),
        )
    )


async def write_delivery(connection: "Connection", tenant: TenantId, receipt: Receipt) -> None:
    """Write beside the notice what its latest receipt told."""
    await connection.execute(
        "UPDATE notices SET delivery = $3, delivery_at = $4 WHERE tenant = $1 AND id = $2",
        *(tenant, receipt.notice, receipt.state, receipt.happened_at),
    )


async def add_message(
    connection: "Connection", seal: "AesSeal", tenant: TenantId, message: Message
) -> None:
    """Keep what would have been sent, its text under seal. Sent twice, it is there once."""
    await connection.execute(
        """INSERT INTO sim_messages (tenant, id, kind, to_masked, template, text_sealed, at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, id) DO NOTHING""",
        *(tenant, message.id, message.kind, message.to, message.template),
        *(seal.seal_text(message.text, _TEXT), message.at),
    )


async def list_messages(
    connection: "Connection", seal: "AesSeal", tenant: TenantId, limit: int = 100
) -> list[Message]:
    """What was sent last, newest first; for `GET /sim/messages`."""
    rows = await connection.fetch(
        """SELECT id, kind, to_masked, template, text_sealed, at FROM sim_messages
           WHERE tenant = $1 ORDER BY at DESC, id DESC LIMIT $2""",
        *(tenant, limit),
    )
    return [
        Message(
            id=row["id"],
            kind=row["kind"],
            to=row["to_masked"],
            template=row["template"],
            text=seal.open_text(row["text_sealed"], _TEXT),
            at=row["at"],
        )
        for row in rows
    ]
