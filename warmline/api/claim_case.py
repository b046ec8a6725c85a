"""Everything support sees of one claim: what was told, the evidence, the books, a proposal."""

from datetime import datetime
from typing import TYPE_CHECKING

from billing.claim import Claim, Remedy, State
from billing.order import Order
from billing.policies.waiting import today_in_china
from billing.policy import Policy
from billing.remedy import Evidence, Payment, Proposal, propose
from billing.store.claims import claims_of_order, load_claim, words_of
from billing.store.ledger import entries_of
from billing.store.orders import list_orders, load_order
from billing.store.policy_vouchers import policy_behind
from billing.store.vouchers import load_voucher
from billing.talk import book_of
from billing.voucher import Voucher
from dialer.call import Call
from dialer.store.calls import calls_of, load_call
from terms.ids import CallId, ClaimId
from warmline.api.claim_views import ClaimCaseView, EarlierCallView
from warmline.api.parts import DESK
from warmline.api.staff import LINES_SHOWN, EvidenceView
from warmline.api.timeline import lines_for
from warmline.api.views import VerdictView
from warmline.desk.timeline import STAFF
from warmline.http.asked import Asked
from warmline.http.problems import NotFound

if TYPE_CHECKING:
    from warmline.desk.store import Connection

_ORDERS_SHOWN = 10


async def case_of(asked: Asked, connection: "Connection", claim: ClaimId) -> ClaimCaseView:
    """The claim with all that helps to decide it. Raises NotFound."""
    found = await load_claim(connection, asked.tenant, claim)
    if found is None:
        raise NotFound
    order = await load_order(connection, asked.tenant, found.order)
    assert order is not None
    call = await _call(asked, connection, found.call)
    voucher = None
    if order.voucher is not None:
        voucher = await load_voucher(connection, asked.tenant, order.voucher)
    program = await asked.part(DESK).programs.of_order(connection, asked.tenant, order)
    payment = await _payment(asked, connection, voucher)
    words = await words_of(connection, asked.tenant, [found.id])
    ledger = [] if voucher is None else await entries_of(connection, asked.tenant, voucher.book)
    return ClaimCaseView.case(
        found,
        seal=asked.frame.seal,
        words=words[found.id],
        proposal=_proposal(found, order, payment, call, program.billing, asked.now),
        order=order,
        evidence=None if call is None else await _evidence(asked, connection, call),
        earlier_calls=await _earlier_calls(asked, connection, order, found.call),
        voucher_ledger=ledger,
        talk_ledger=await entries_of(connection, asked.tenant, book_of(order.id)),
    )


async def _call(asked: Asked, connection: "Connection", call: CallId | None) -> Call | None:
    if call is None:
        return None
    stored = await load_call(connection, asked.tenant, call)
    return None if stored is None else stored.call


async def _payment(asked: Asked, connection: "Connection", voucher: Voucher | None) -> Payment:
    """The voucher with what is true of its policy today."""
    if voucher is None:
        return Payment()
    terms = await policy_behind(connection, asked.tenant, voucher.id)
    ended = terms is not None and terms.has_ended(today_in_china(asked.now))
    return Payment(voucher=voucher, policy_has_ended=ended)


def _proposal(
    claim: Claim,
    order: Order,
    payment: Payment,
    call: Call | None,
    policy: Policy,
    now: datetime,
) -> Proposal | None:
    if claim.state not in (State.OPEN, State.APPEALED):
        return None
    return propose(order, payment, _facts(call, now), policy, now)


def _facts(call: Call | None, now: datetime) -> Evidence:
    if call is None:
        return Evidence()
    return Evidence(
        verdict=call.verdict,
        connected=call.connected_at is not None,
        talked_seconds=int(call.talked(call.ended_at or now).total_seconds()),
        counselor_mark=call.counselor_mark,
        called_back=call.called_back_at is not None,
    )


async def _evidence(asked: Asked, connection: "Connection", call: Call) -> EvidenceView:
    lines = await lines_for(
        connection,
        asked.tenant,
        call.order,
        mark=STAFF,
        after=0,
        limit=LINES_SHOWN + 1,
        call=call.id,
    )
    return EvidenceView.of(call, lines, asked.now)


async def _earlier_calls(
    asked: Asked, connection: "Connection", order: Order, but: CallId | None
) -> list[EarlierCallView]:
    """Other calls of the caller's last orders, newest first, and what claims about them led to."""
    rows, _ = await list_orders(
        connection, asked.tenant, order.caller, limit=_ORDERS_SHOWN, cursor=None
    )
    shown = []
    for one in rows:
        known = await claims_of_order(connection, asked.tenant, one.id, limit=_ORDERS_SHOWN)
        for call in reversed(await calls_of(connection, asked.tenant, one.id)):
            if call.id != but:
                shown.append(_earlier(call, _decided(known, call.id), asked.now))
    return shown


def _earlier(call: Call, decided: Remedy | None, now: datetime) -> EarlierCallView:
    verdict = call.verdict
    return EarlierCallView(
        id=call.id,
        order=call.order,
        started_at=call.started_at,
        talked_seconds=call.talked(call.ended_at or now).total_seconds(),
        verdict=None if verdict is None else VerdictView.of(verdict, final=call.verdict_is_final),
        claim_decision=decided,
    )


def _decided(known: list[Claim], call: CallId) -> Remedy | None:
    for claim in known:
        decision = claim.appeal_decision or claim.decision
        if claim.call == call and decision is not None:
            return decision.remedy
    return None
