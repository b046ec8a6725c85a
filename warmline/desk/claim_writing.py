"""Writing what became of a claim: the claim, the order, the timeline, and who is told outside."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import asyncpg

from billing.claim import Claim, Remedy
from billing.order import Order, Settlement
from billing.store.claims import Words, adding_words, read_saved_claim, saving_claim
from billing.store.orders import read_saved, saving_settlement
from billing.voucher import Voucher
from terms.change import Change
from terms.ids import TenantId
from terms.refusals import RefusalCode, Refused
from warmline.desk.shell import Shell
from warmline.desk.slice import Notice, NoticeKind
from warmline.desk.store import Line, adding_lines, adding_notices, carry_out
from warmline.desk.telling import order_facts
from warmline.desk.timeline import APP, STAFF, caller_sees
from warmline.desk.writing import Committed
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.desk.store import Connection

_WORDS = "claim words"

RESUMED, REJECTED, APPEAL_REJECTED = "claim_resumed", "claim_rejected", "appeal_rejected"
CLAIM_SMS_TEMPLATES = frozenset({RESUMED, REJECTED, APPEAL_REJECTED})
"""The SMS about decisions; a new voucher's code travels by one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What is written into the transaction at hand beside the claim itself."""

    claim: Claim
    order: Order
    settlement: Settlement | None = None
    words: Words | None = None
    kind: str | None = None  # of the timeline's line, and of the status push
    facts: Mapping[str, str | int | None] | None = None
    sms: Notice | None = None
    staff_only: bool = False


async def write_claim(
    desk: Shell, connection: "Connection", tenant: TenantId, written: Written, now: datetime
) -> tuple[Claim, Committed]:
    """Everything but a replaced voucher by one statement. Raises Refused(call_in_progress) where
    the caller may have one order and has another by now.
    """
    claim, order = written.claim, written.order
    notices = [(desk.new_id("notice"), one) for one in _notices(written)]
    lines = _lines(written)
    changes = list(_changes(tenant, written, lines, notices, now))
    try:
        row = await carry_out(connection, changes)
    except asyncpg.UniqueViolationError as taken:
        if taken.constraint_name != "one_open_order_per_person":
            raise
        raise Refused(
            RefusalCode.CALL_IN_PROGRESS,
            "The caller has another open order of this service; it has to end first.",
        ) from None
    saved = read_saved_claim(row, claim)
    if written.settlement is not None:
        read_saved(row, written.settlement.order)
    if notices:
        await desk.writer.outbox.enqueue(connection, tenant, [id_ for id_, _ in notices], now)
    return saved, Committed(
        tenant=tenant,
        order=order.id,
        said=bool(lines),
        notices=bool(notices),
        claim_opened=written.kind == "claim.opened",
    )


def _changes(
    tenant: TenantId,
    written: Written,
    lines: Sequence[Line],
    notices: Sequence[tuple[str, Notice]],
    now: datetime,
) -> Iterable[Change]:
    """The parts of the one statement: the claim, its order, who said what, and who is told."""
    claim, order = written.claim, written.order
    yield saving_claim(tenant, claim)
    if written.settlement is not None:
        yield from saving_settlement(tenant, written.settlement)
    if written.words is not None:
        yield adding_words(tenant, claim.id, written.words)
    if lines:
        yield adding_lines(tenant, order.id, claim.call, lines, now)
    if notices:
        yield adding_notices(
            tenant, notices, caller=order.caller, order=order.id, call=claim.call, now=now
        )


def sealed_words(seal: AesSeal, kind: str, told: Mapping[str, str | None], at: datetime) -> Words:
    """What somebody wrote, as it is kept."""
    text = json.dumps({name: said for name, said in told.items() if said is not None})
    return Words(kind=kind, at=at, sealed=seal.seal_text(text, _WORDS))


def opened_words(seal: AesSeal, words: Words) -> Mapping[str, str]:
    """What somebody wrote, readable. Raises SealBroken."""
    told: Mapping[str, str] = json.loads(seal.open_text(words.sealed, _WORDS))
    return told


def sms_about(remedy: Remedy, claim: Claim, order: Order) -> Notice | None:
    """What the caller is told; a new voucher's code is on its way already."""
    data: dict[str, str | int | None] = {"order": order.id, "program": order.program}
    match remedy:
        case Remedy.REISSUE:
            return None
        case Remedy.RESUME:
            assert order.resume_until is not None
            until = order.resume_until.isoformat()
            data |= {"remaining_seconds": order.remaining_seconds, "until": until}
            return Notice(kind=NoticeKind.SMS, template=RESUMED, data=data)
        case Remedy.REJECT if claim.appeal_decision is not None:
            return Notice(kind=NoticeKind.SMS, template=APPEAL_REJECTED, data=data)
        case Remedy.REJECT:
            assert claim.appeal_until is not None
            data["until"] = claim.appeal_until.isoformat()
            return Notice(kind=NoticeKind.SMS, template=REJECTED, data=data)


def _notices(written: Written) -> Sequence[Notice]:
    """Status pushes, the order's own among them, and the SMS. None holds what anybody wrote."""
    order = written.order
    about = {"order": order.id, "program": order.program, "claim": written.claim.id}
    pushes = []
    if written.settlement is not None:
        for kind in written.settlement.notices:
            pushes.append(Notice(kind=NoticeKind.STATUS, template=kind, data=order_facts(order)))
    if written.kind in ("claim.opened", "claim.decided"):
        data = {**about, **(written.facts or {})}
        pushes.append(Notice(kind=NoticeKind.STATUS, template=written.kind, data=data))
    return [*pushes, *([written.sms] if written.sms is not None else [])]


def _lines(written: Written) -> list[Line]:
    """The timeline's new lines: what became of the claim, then of the order."""
    if written.kind is None:
        return []
    seen = (STAFF, caller_sees(written.order.caller), APP)
    facts = {"claim": written.claim.id, **(written.facts or {})}
    lines = [Line(kind=written.kind, role=None, data=facts, visible=seen)]
    if written.settlement is not None:
        shown = ("state", "remaining_seconds", "until", "reason")
        told = order_facts(written.order)
        for kind in written.settlement.notices:
            data = {name: told[name] for name in shown}
            lines.append(Line(kind=kind, role=None, data=data, visible=seen))
    return lines


def facts_of(claim: Claim, order: Order, voucher: Voucher | None) -> dict[str, str | int | None]:
    """What a decision may change, in plain states."""
    return {
        "claim": claim.state,
        "order": order.state,
        "remaining_seconds": order.remaining_seconds,
        "voucher": None if voucher is None else voucher.id,
        "voucher_state": None if voucher is None else voucher.state,
    }
