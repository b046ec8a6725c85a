"""What staff other than the counselor may see and do: a call's evidence, a steward's choice."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from dialer.call import Call, EndReason
from dialer.call import State as CallState
from dialer.carriers import ReleaseSide
from dialer.leg import Leg, LetGoReason
from dialer.store.calls import load_call
from terms.ids import CallId, CounselorId, OrderId
from terms.refusals import RefusalCode
from terms.verdict import Role
from warmline.api.parts import DESK
from warmline.api.showing import order_as_shown
from warmline.api.timeline import TimelineEntry, lines_for
from warmline.api.views import NonNegative, OrderView, VerdictView
from warmline.desk.opening import NotQualified
from warmline.desk.timeline import STAFF, counselor_sees
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import ID, Instant, Line, Model
from warmline.http.problems import BadInput, InputFault, NotFound
from warmline.http.who import Staff, staff
from warmline.people import StaffRole

staff_operations = Operations("Staff")

LINES_SHOWN = 500
SEES_CALLS = staff(StaffRole.SUPPORT, StaffRole.SUPERVISOR, StaffRole.OPERATOR, StaffRole.COUNSELOR)
STEWARD = staff(StaffRole.STEWARD)


class LegView(Model):
    """One phone on a call, as the carrier told about it."""

    id: str
    role: Role
    counselor: str | None
    rung_at: Instant
    ringing_at: Instant | None
    answered_at: Instant | None
    accepted_at: Instant | None
    bridged_at: Instant | None
    silent_since: Instant | None
    """When its last silence that we were told of began."""

    heard_at: Instant | None
    """When audio last came back after a silence."""

    let_go_at: Instant | None
    let_go_why: LetGoReason | None
    ended_at: Instant | None
    released_by: ReleaseSide | None
    q850: int | None
    sip: int | None
    carrier_code: str | None

    @classmethod
    def of(cls, leg: Leg) -> "LegView":
        """A leg with everything that may be evidence."""
        release = leg.release
        return cls(
            id=leg.id,
            role=leg.role,
            counselor=leg.party if leg.role is Role.COUNSELOR else None,
            rung_at=leg.rung_at,
            ringing_at=leg.ringing_at,
            answered_at=leg.answered_at,
            accepted_at=leg.accepted_at,
            bridged_at=leg.bridged_at,
            silent_since=leg.silent_since,
            heard_at=leg.heard_at,
            let_go_at=leg.let_go_at,
            let_go_why=leg.let_go_why,
            ended_at=None if release is None else release.at,
            released_by=None if release is None else release.by,
            q850=None if release is None else release.q850,
            sip=None if release is None else release.sip,
            carrier_code=None if release is None else release.code,
        )


class EvidenceView(Model):
    """A call with all that is known about it."""

    id: str
    order: str
    state: CallState
    started_at: Instant
    attempts: NonNegative
    """How often ringing was started, over all calls of the order."""

    counted_attempts: NonNegative
    """Those that the caller's side caused to fail."""

    talked_seconds: Annotated[float, Field(ge=0)]
    connected_at: Instant | None
    ended_at: Instant | None
    end_reason: EndReason | None
    crisis: bool
    counselor_mark: bool | None
    """The counselor's own word on whether it was cut off."""

    verdict: VerdictView | None
    legs: list[LegView]
    timeline: list[TimelineEntry]
    """The call's own lines that whoever asks may see: the first 500."""

    timeline_is_whole: bool
    """Whether these are all of them."""

    @classmethod
    def of(cls, call: Call, lines: list[TimelineEntry], now: datetime) -> "EvidenceView":
        """A call with the lines whoever asks may see; of too many, the first are shown."""
        verdict = call.verdict
        return cls(
            id=call.id,
            order=call.order,
            state=call.state,
            started_at=call.started_at,
            attempts=call.attempt,
            counted_attempts=call.counted,
            talked_seconds=call.talked(now).total_seconds(),
            connected_at=call.connected_at,
            ended_at=call.ended_at,
            end_reason=call.end_reason,
            crisis=call.crisis,
            counselor_mark=call.counselor_mark,
            verdict=None
            if verdict is None
            else VerdictView.of(verdict, final=call.verdict_is_final),
            legs=[LegView.of(leg) for leg in call.legs],
            timeline=lines[:LINES_SHOWN],
            timeline_is_whole=len(lines) <= LINES_SHOWN,
        )


class Matched(Model):
    """Whom the steward chose, and why."""

    counselor: Annotated[CounselorId, ID]
    reason: Line | None = None


@staff_operations("GET", "/v1/calls/{call}", who=(SEES_CALLS,), returns={200: EvidenceView})
async def get_call(asked: Asked, who: Staff, call: Annotated[CallId, ID]) -> EvidenceView:
    """Legs, attempts, evidence and verdict. A counselor sees only calls they were on."""
    async with asked.borrow() as connection:
        stored = await load_call(connection, asked.tenant, call)
        if stored is None or not _may_see(who, stored.call.legs):
            raise NotFound
        lines = await lines_for(
            connection,
            asked.tenant,
            stored.call.order,
            mark=_mark(who),
            after=0,
            limit=LINES_SHOWN + 1,
            call=call,
        )
    return EvidenceView.of(stored.call, lines, asked.now)


def _sees_all(who: Staff) -> bool:
    return bool(who.roles & SEES_CALLS.roles - {StaffRole.COUNSELOR})


def _mark(who: Staff) -> str:
    return STAFF if _sees_all(who) or who.counselor is None else counselor_sees(who.counselor)


def _may_see(who: Staff, legs: tuple[Leg, ...]) -> bool:
    if _sees_all(who):
        return True
    if who.counselor is None:
        return False
    return any(leg.role is Role.COUNSELOR and leg.party == who.counselor for leg in legs)


@staff_operations(
    "POST",
    "/v1/orders/{order}/match",
    who=(STEWARD,),
    returns={200: OrderView},
    secret=True,  # the answer repeats why a claim was decided
    refuses=(RefusalCode.ORDER_NOT_OPEN,),
)
async def match_order(
    acting: Acting, who: Staff, order: Annotated[OrderId, ID], body: Matched
) -> OrderView:
    """Choose the counselor who suits the person's need best (C06)."""
    desk = acting.part(DESK)
    try:
        matched, committed = await desk.match(
            acting.connection,
            acting.tenant,
            order,
            body.counselor,
            steward=who.id,
            reason=body.reason or "",
        )
    except NotQualified as unfit:
        detail = "nobody of that id answers this order's program"
        raise BadInput(InputFault(place="body", pointer="/counselor", detail=detail)) from unfit
    acting.after_commit(lambda: desk.tell(committed))
    return await order_as_shown(acting, acting.connection, matched)
