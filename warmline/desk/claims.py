"""Claims at the desk: filed, joined, rated into being, decided, appealed.

One transaction each. Locks: order, voucher, then the claim, which comes last of all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import billing.claim as claims
from billing.claim import Claim, Remedy
from billing.order import Order, Settlement
from billing.rating import Rating, Scores, is_low, rate
from billing.remedy import on_record, reissued, rejected, resumed
from billing.store.claims import (
    Words,
    load_claim,
    lock_claim,
    lock_heard_claim,
    lock_newest_claim,
    words_of,
)
from billing.store.ratings import load_rating, save_rating
from billing.voucher import Voucher
from terms.ids import CallerId, CallId, ClaimId, OrderId, StaffId, TenantId
from terms.refusals import NotThere, RefusalCode, Refused
from warmline.audit import Deed, note_deed
from warmline.desk.claim_writing import (
    Written,
    facts_of,
    sealed_words,
    sms_about,
    write_claim,
)
from warmline.desk.shell import Shell
from warmline.desk.slice import Slice
from warmline.desk.writing import Committed
from warmline.programs import Program
from warmline.reissuing import replace_voucher
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from warmline.desk.store import Connection

MOST_FILINGS = 20
"""How often a caller may add to one open claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """Who decides. A supervisor may replace a voucher that was replaced before (X10)."""

    staff: StaffId
    is_supervisor: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """One decision: the claim before and after it, what it gives, who says so, and why."""

    before: Claim
    after: Claim
    remedy: Remedy
    reason: str
    by: Decider
    at: datetime

    @property
    def stage(self) -> str:
        """Support's decision, or the insurer's."""
        return "claim" if self.after.appeal_decision is None else "appeal"

    @property
    def kind(self) -> str:
        """Under which name the reason is kept."""
        return "decided" if self.after.appeal_decision is None else "appeal_decided"


@dataclass(frozen=True, slots=True)
class ClaimDesk:
    """Everything that may happen to a claim comes through here."""

    desk: Shell
    seal: AesSeal

    # -- the caller ----------------------------------------------------------------------------

    async def file(
        self,
        connection: "Connection",
        tenant: TenantId,
        order: OrderId,
        told: Mapping[str, str | None],
    ) -> tuple[Claim, Committed]:
        """The caller says that something went wrong: a new claim, or more words to the open one.

        Raises NotThere, and Refused: claim_too_late, not_now, rate_limited.
        """
        now = self.desk.clock.now()
        slice_, program = await self.desk.lock(connection, tenant, order)
        call, ended_at = _call_at_issue(slice_.order)
        claims.require_in_time(ended_at, program.billing, now)
        newest = await lock_newest_claim(connection, tenant, order, call)
        heard = await lock_heard_claim(connection, tenant, order, call)
        claim = claims.file(
            heard or newest,
            id=ClaimId(self.desk.new_id("claim")),
            order=order,
            call=call,
            policy=program.billing,
            now=now,
        )
        again = newest is not None and newest.id == claim.id and newest.filed_at is not None
        if again:
            await self._check_filings(connection, tenant, claim)
        return await write_claim(
            self.desk,
            connection,
            tenant,
            Written(
                claim=claim,
                order=slice_.order,
                words=sealed_words(self.seal, "filed", told, now),
                kind=None if again else "claim.opened",
            ),
            now,
        )

    async def rate(
        self,
        connection: "Connection",
        tenant: TenantId,
        order: OrderId,
        scores: Scores,
        text: str | None,
    ) -> tuple[Rating, Committed]:
        """What the caller thought of the talk; a bad rating has to be looked at (B21).

        Raises NotThere, and Refused: not_completed, not_now.
        """
        now = self.desk.clock.now()
        slice_, program = await self.desk.lock(connection, tenant, order)
        before = await load_rating(connection, tenant, order)
        rating = rate(
            slice_.order, None if before is None else before[0], scores, program.billing, now
        )
        words = None if text is None else sealed_words(self.seal, "rated", {"text": text}, now)
        await save_rating(connection, tenant, rating, None if words is None else words.sealed)
        if not is_low(rating, program.billing):
            return rating, Committed(tenant=tenant, order=order)
        words = words or _unread(before, program)
        committed = await self._look_into(connection, tenant, slice_, program, words, now)
        return rating, committed

    async def _look_into(
        self,
        connection: "Connection",
        tenant: TenantId,
        slice_: Slice,
        program: Program,
        words: Words | None,
        now: datetime,
    ) -> Committed:
        call, _ = _call_at_issue(slice_.order)
        newest = await lock_newest_claim(connection, tenant, slice_.order.id, call)
        claim = claims.rated_low(
            newest,
            id=ClaimId(self.desk.new_id("claim")),
            order=slice_.order.id,
            call=call,
            policy=program.billing,
            now=now,
        )
        joins = newest is not None and newest.id == claim.id
        written = Written(
            claim=claim,
            order=slice_.order,
            words=words,
            kind=None if joins else "claim.opened",
        )
        return (await write_claim(self.desk, connection, tenant, written, now))[1]

    async def appeal(
        self, connection: "Connection", tenant: TenantId, claim: ClaimId, caller: CallerId
    ) -> tuple[Claim, Committed]:
        """The caller takes a rejection to the insurer of their program's sponsor (B65).

        Raises NotThere, also for somebody else's claim, and Refused: not_now, claim_too_late.
        """
        now = self.desk.clock.now()
        slice_, program, found = await self._lock(connection, tenant, claim)
        if slice_.order.caller != caller:
            raise NotThere(claim)
        heard = await lock_heard_claim(connection, tenant, found.order, found.call)
        other = None if heard is None or heard.id == claim else heard
        appealed = claims.appeal(found, program.sponsor, program.billing, now, other)
        written = Written(claim=appealed, order=slice_.order, kind="claim.appealed")
        return await write_claim(self.desk, connection, tenant, written, now)

    # -- those who decide ----------------------------------------------------------------------

    async def decide(
        self,
        connection: "Connection",
        tenant: TenantId,
        claim: ClaimId,
        remedy: Remedy,
        reason: str,
        by: Decider,
    ) -> tuple[Claim, Committed]:
        """Support decides. Of two who decide at once, the second is told what was decided.

        Raises NotThere, and Refused: not_now, call_in_progress, voucher_invalid, voucher_in_use,
        quota_used.
        """
        now = self.desk.clock.now()
        slice_, program, found = await self._lock(connection, tenant, claim)
        decided = claims.decide(found, remedy, by.staff, program.billing, now)
        ruling = Ruling(before=found, after=decided, remedy=remedy, reason=reason, by=by, at=now)
        return await self._carry_out(connection, tenant, slice_, program, ruling)

    async def decide_appeal(
        self,
        connection: "Connection",
        tenant: TenantId,
        claim: ClaimId,
        remedy: Remedy,
        reason: str,
        by: StaffId,
        sponsor: str,
    ) -> tuple[Claim, Committed]:
        """The sponsor's insurer decides: the last word (B65).

        Raises NotThere, also for another sponsor's appeal, and Refused as `decide` does.
        """
        now = self.desk.clock.now()
        slice_, program, found = await self._lock(connection, tenant, claim)
        if found.sponsor != sponsor:
            raise NotThere(claim)
        closed = claims.decide_appeal(found, remedy, by, now)
        decider = Decider(staff=by, is_supervisor=True)
        ruling = Ruling(
            before=found, after=closed, remedy=remedy, reason=reason, by=decider, at=now
        )
        return await self._carry_out(connection, tenant, slice_, program, ruling)

    async def _carry_out(
        self,
        connection: "Connection",
        tenant: TenantId,
        slice_: Slice,
        program: Program,
        ruling: Ruling,
    ) -> tuple[Claim, Committed]:
        """Order, voucher, books, claim, timeline, SMS, push and the deed: all or nothing."""
        settlement = _settled(slice_, program, ruling)
        voucher = await self._voucher_after(connection, tenant, slice_.voucher, ruling)
        written = Written(
            claim=ruling.after,
            order=settlement.order,
            settlement=settlement,
            words=sealed_words(self.seal, ruling.kind, {"reason": ruling.reason}, ruling.at),
            kind="claim.decided",
            facts={"decision": ruling.remedy, "state": settlement.order.state},
            sms=sms_about(ruling.remedy, ruling.after, settlement.order),
        )
        claim, committed = await write_claim(self.desk, connection, tenant, written, ruling.at)
        deed = Deed(
            staff=ruling.by.staff,
            action=f"{ruling.stage}.decided",
            subject=claim.id,
            reason=ruling.reason,
            before=facts_of(ruling.before, slice_.order, slice_.voucher),
            after=facts_of(claim, settlement.order, voucher) | {"decision": ruling.remedy},
        )
        new_id = self.desk.new_id
        await note_deed(connection, self.seal, tenant, deed, now=ruling.at, new_id=new_id)
        return claim, replace(committed, claim_decided=(ruling.stage, ruling.remedy))

    async def _voucher_after(
        self, connection: "Connection", tenant: TenantId, voucher: Voucher | None, ruling: Ruling
    ) -> Voucher | None:
        """The order's voucher, or the one that took its place."""
        if ruling.remedy is not Remedy.REISSUE or voucher is None:
            return voucher
        return await replace_voucher(
            connection,
            self.seal,
            tenant,
            voucher,
            by_supervisor=ruling.by.is_supervisor,
            now=ruling.at,
            new_id=self.desk.new_id,
        )

    # -- what they share -----------------------------------------------------------------------

    async def _lock(
        self, connection: "Connection", tenant: TenantId, claim: ClaimId
    ) -> tuple[Slice, Program, Claim]:
        """Order, voucher and claim. A claim's order never changes and is read unlocked first."""
        unlocked = await load_claim(connection, tenant, claim)
        if unlocked is None:
            raise NotThere(claim)
        slice_, program = await self.desk.lock(connection, tenant, unlocked.order)
        found = await lock_claim(connection, tenant, claim)
        assert found is not None
        return slice_, program, found

    async def _check_filings(
        self, connection: "Connection", tenant: TenantId, claim: Claim
    ) -> None:
        written = (await words_of(connection, tenant, [claim.id]))[claim.id]
        if sum(words.kind == "filed" for words in written) >= MOST_FILINGS:
            raise Refused(
                RefusalCode.RATE_LIMITED,
                "Your claim is being looked at; there is no need to add more.",
                retry_after_seconds=3600,
            )


def _unread(before: tuple[Rating, bytes | None] | None, program: Program) -> Words | None:
    """Words of a good rating that go on standing: nobody has looked into them yet."""
    if before is None or before[1] is None or is_low(before[0], program.billing):
        return None
    return Words(kind="rated", at=before[0].rated_at, sealed=before[1])


def _call_at_issue(order: Order) -> tuple[CallId | None, datetime | None]:
    """The call a claim about this order means, and since when the time for it runs.

    The call at hand, else the last one; an order that never had one counts from its own end.
    """
    if order.call is not None:
        return order.call, None
    if order.settled is not None:
        return order.settled.call, order.settled.ended_at
    return None, order.closed_at


def _settled(slice_: Slice, program: Program, ruling: Ruling) -> Settlement:
    """What the decision makes of the order. Raises Refused."""
    order, voucher = slice_.order, slice_.voucher
    match ruling.remedy:
        case Remedy.RESUME:
            given = resumed(order, voucher, program.billing, ruling.at)
        case Remedy.REISSUE:
            given = reissued(order, voucher, ruling.at)
        case Remedy.REJECT:
            given = rejected(order, ruling.before)
    return on_record(order, given, ruling.before, ruling.remedy, ruling.at)
