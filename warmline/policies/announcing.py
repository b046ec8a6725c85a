"""Telling people of a change ahead: who is told is written with the message that tells it (B04)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.policies.announcing import Announced, takes_effect_at
from billing.policies.waiting import SendHours
from billing.store.changes import Telling, note_told
from terms.ids import CallerId, TenantId
from warmline.desk.slice import NoticeKind
from warmline.notices.outbox import QueuedOutbox
from warmline.notices.store import Outgoing, add_outgoing
from warmline.notices.texts import SERVICE_CHANGES, Data
from warmline.notices.windows import told_hours

if TYPE_CHECKING:
    from warmline.database import Connection

CHANGE_PUSHED = "service.changes"
"""The status push that lets an app tell its account."""

SMS_BESIDE = "sms"
"""In a push's data: the SMS to the same person, by which it is known who is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Somebody to be told: by the number of their account, or by a number under seal."""

    phone_index: bytes
    caller: CallerId | None = None
    address_sealed: bytes | None = None


async def tell(
    connection: "Connection",
    tenant: TenantId,
    announced: Announced,
    hours: SendHours,
    addressees: Collection[Addressee],
    *,
    now: datetime,
    new_id: Callable[[str], str],
) -> int:
    """Have those told who were not yet, once the transaction at hand commits; how many.

    An SMS to each, and a push beside it where there is an account. Both keep to the hours, and are
    worthless once the change holds. Wake the background jobs after the commit.
    """
    by_number = {one.phone_index: one for one in addressees}
    tellings = [
        Telling(phone_index=index, caller=one.caller, notice=new_id("notice"))
        for index, one in by_number.items()
    ]
    sent = await note_told(connection, tenant, announced, tellings, now)
    notices: list[Outgoing] = []
    for telling in tellings:
        if telling.notice in sent:
            sealed = by_number[telling.phone_index].address_sealed
            notices += _notices(announced, hours, telling, sealed, new_id)
    expires_at = takes_effect_at(announced.change)
    await add_outgoing(connection, tenant, notices, expires_at=expires_at, now=now)
    ids = [one.id for one in notices]
    await QueuedOutbox().enqueue(connection, tenant, ids, now, can_wait=True)
    return len(sent)


def _notices(
    announced: Announced,
    hours: SendHours,
    telling: Telling,
    address_sealed: bytes | None,
    new_id: Callable[[str], str],
) -> list[Outgoing]:
    data = _told(announced) | told_hours(hours)
    sms = Outgoing(
        id=telling.notice,
        kind=NoticeKind.SMS,
        template=SERVICE_CHANGES,
        caller=telling.caller,
        address_sealed=address_sealed,
        data=data,
    )
    if telling.caller is None:
        return [sms]
    push = Outgoing(
        id=new_id("notice"),
        kind=NoticeKind.STATUS,
        template=CHANGE_PUSHED,
        caller=telling.caller,
        address_sealed=None,
        data=data | {"caller": telling.caller, SMS_BESIDE: telling.notice},
    )
    return [sms, push]


def _told(announced: Announced) -> dict[str, str | int | None]:
    change = announced.change
    told: Data = {
        "program": announced.program,
        "change": change.kind.value,
        "effective_on": change.effective_on.isoformat(),
        "what_zh": change.zh,
        "what_en": change.en,
    }
    return dict(told)
