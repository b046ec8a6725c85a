"""How orders, calls, vouchers and programs look to those who may see them."""

from datetime import date, datetime, timedelta
from typing import Annotated

from pydantic import Field

from billing.appointments import Appointments
from billing.cancelling import Counted, counted, counts_after
from billing.order import Order, Settled
from billing.order import State as OrderState
from billing.policies.changes import Change, ChangeKind
from dialer.call import Call
from dialer.call import State as CallState
from dialer.events import TimerKind
from routing.counselor import CounselorState
from routing.queue import Waiting
from routing.store.counselors import Listed
from terms.verdict import Confidence, EndedBy, Role, Verdict, VerdictKind
from warmline.api.outcome_views import ClaimView, RatingView
from warmline.http.model import Instant, Model
from warmline.programs import Program, Text

NonNegative = Annotated[int, Field(ge=0)]


class TextView(Model):
    """The same text in two languages."""

    zh: str
    en: str

    @classmethod
    def of(cls, text: Text) -> "TextView":
        """A program's text."""
        return cls(zh=text.zh, en=text.en)


class AppointmentsView(Model):
    """What holds for an appointed time."""

    book_ahead_seconds: NonNegative
    """How far ahead it may be, at most."""

    cancel_free_seconds: NonNegative
    """Giving it up is free until so long before it."""

    no_show_counts: bool
    """Whether an appointment that its caller does not keep counts as used."""

    @classmethod
    def of(cls, appointments: Appointments) -> "AppointmentsView | None":
        """None for a service that takes none."""
        if not appointments.taken:
            return None
        return cls(
            book_ahead_seconds=appointments.book_ahead_seconds,
            cancel_free_seconds=appointments.cancelling.free_seconds,
            no_show_counts=appointments.cancelling.no_show_consumes,
        )


class ProgramChangeView(Model):
    """A change of a service that is announced ahead."""

    kind: ChangeKind
    effective_on: date
    """The first day on which it holds, in China."""

    announced_on: date
    text: TextView
    """What will change, in a sentence to be shown."""

    @classmethod
    def of(cls, change: Change) -> "ProgramChangeView":
        """In words."""
        return cls(
            kind=change.kind,
            effective_on=change.effective_on,
            announced_on=change.announced_on,
            text=TextView(zh=change.zh, en=change.en),
        )


class ProgramView(Model):
    """A service that can be called."""

    id: str
    version: str
    name: TextView
    disclaimer: TextView
    """To be shown before the first call."""

    charge_notice: TextView
    """What the call may cost at the caller's own carrier."""

    topics: list[str]
    matching: str
    needs_voucher: bool
    talk_seconds: NonNegative | None
    """The longest talk; null without a cap."""

    is_open: bool
    """Whether a call would be let in now."""

    opens_at: Instant | None
    """When it opens next, while it is closed."""

    takes_appointments: bool
    """Whether an order may be opened for a later time."""

    appointments: AppointmentsView | None
    """What holds for such a time; null where none is taken."""

    offered_until: date | None
    """The last day on which an order can be opened, announced ahead; null while there is no end."""

    changes: list[ProgramChangeView]
    """What will be otherwise, announced ahead: from the day it is announced until it holds."""

    shows: str | None
    """The number that a call appears to come from; null where the carrier chooses it."""

    service_numbers: list[str]
    ring_first: Role
    """Whose phone rings first."""

    claim_seconds: NonNegative
    order_seconds: NonNegative
    resume_min_seconds: NonNegative
    dispositions: list[str]
    """What a talk may have led to, for the notes about it."""

    @classmethod
    def of(
        cls, program: Program, *, is_open: bool, opens_at: datetime | None, today: date
    ) -> "ProgramView":
        """A program as it stands today, in China."""
        cover = program.billing.cover
        return cls(
            id=program.id,
            version=program.version,
            name=TextView.of(program.name),
            disclaimer=TextView.of(program.disclaimer),
            charge_notice=TextView.of(program.charge_notice),
            topics=list(program.topics),
            matching=program.routing.matching,
            needs_voucher=program.billing.voucher == "required",
            talk_seconds=program.granted_seconds,
            is_open=is_open,
            opens_at=opens_at,
            takes_appointments=program.billing.appointments.taken,
            appointments=AppointmentsView.of(program.billing.appointments),
            offered_until=cover.offered_until,
            changes=[
                ProgramChangeView.of(change)
                for change in cover.changes
                if change.is_upcoming(today)
            ],
            shows=program.dialer.shows if program.dialer.shows.startswith("+") else None,
            service_numbers=[one.number.digits for one in program.routing.service_numbers],
            ring_first=program.dialer.ring_first,
            claim_seconds=program.billing.claim_seconds,
            order_seconds=program.billing.order_seconds,
            resume_min_seconds=program.billing.resume_min_seconds,
            dispositions=list(program.dispositions),
        )


class CounselorView(Model):
    """Somebody who may be chosen."""

    id: str
    name: str
    state: CounselorState
    credential: str
    skills: list[str]

    @classmethod
    def of(cls, listed: Listed) -> "CounselorView":
        """A counselor of the catalogue."""
        counselor = listed.counselor
        return cls(
            id=counselor.id,
            name=counselor.name,
            state=listed.state,
            credential=counselor.credential,
            skills=sorted(counselor.skills),
        )


class CallView(Model):
    """A call as its caller may see it."""

    id: str
    state: CallState
    attempt: NonNegative
    bridged_at: Instant | None
    """When the two were first connected."""

    ends_at: Instant | None
    """When the talk reaches its cap, while it goes on."""

    left_seconds: NonNegative | None
    """Talk that is left while one of the two is rung again: it stands still then. Null otherwise.
    """

    next_attempt_at: Instant | None
    """When we ring again, while the call waits."""

    position: Annotated[int, Field(ge=1)] | None
    """The place in the queue, while the call waits there; 1 is next."""

    expected_wait_seconds: NonNegative | None
    """How long that may take, roughly; null where nobody is at work."""

    @classmethod
    def of(cls, call: Call, now: datetime, waiting: Waiting | None = None) -> "CallView":
        """A call as it stands, and where it waits."""
        return cls(
            id=call.id,
            state=call.state,
            attempt=call.attempt,
            bridged_at=call.connected_at,
            ends_at=call.due(TimerKind.CAP) if call.state is CallState.BRIDGED else None,
            left_seconds=left_seconds(call, now),
            next_attempt_at=call.due(TimerKind.ATTEMPT),
            position=None if waiting is None else waiting.position,
            expected_wait_seconds=None if waiting is None else waiting.expected_seconds,
        )


def left_seconds(call: Call, now: datetime) -> int | None:
    """Talk that is left of a call whose time stands still; None for any other."""
    return call.unused_seconds(now) if call.state is CallState.PARTED else None


class LastCallView(Model):
    """The order's last call that is over."""

    id: str
    ended_at: Instant
    talked_seconds: NonNegative
    connected: bool
    verdict: VerdictKind
    """How it ended, as far as is known by now."""

    claim_until: Instant | None
    """Until when something may be claimed about it (A28); null where the time is unknown."""


class OrderView(Model):
    """An order as its caller may see it."""

    id: str
    program: str
    counselor: str | None
    voucher: str | None
    state: OrderState
    remaining_seconds: NonNegative | None
    """Talk that is left; null without a cap."""

    granted_seconds: NonNegative | None
    """Talk the order began with; null without a cap."""

    talked_seconds: NonNegative
    opened_at: Instant
    expires_at: Instant
    """When an order that never connected ends by itself."""

    starts_at: Instant | None
    """The appointed time; nobody is called before it. Null where a call may be placed at once."""

    cancel_free_until: Instant | None
    """The last instant at which giving the appointment up costs nothing (X23)."""

    cancel_counts_after: Instant | None
    """After this instant giving the order up counts as used. Null where it never will: nothing pays
    for it, or its counselor was not there (B07)."""

    counted_as_used: Counted | None
    """Why the order counts as used although nobody talked; null while it does not (B07, X23)."""

    resume_until: Instant | None
    """After a drop: until when the rest may be used."""

    closed_at: Instant | None
    closed_reason: str | None
    counselor_name: str | None
    counselor_credential: str | None
    last_call: LastCallView | None
    rating: RatingView | None
    """What the caller thought of the talk; null while they have not said so (C09)."""

    claim: ClaimView | None
    """The newest of the claims that the caller knows of: filed, rated or decided (A36)."""

    call: CallView | None
    """The call that works for the order now."""

    release_offered: bool
    """Whether the caller may let the counselor go and choose another (X04)."""

    has_summary: bool
    """Whether a doctor's summary waits for the caller (C08)."""

    version: NonNegative

    @classmethod
    def of(
        cls,
        order: Order,
        call: CallView | None,
        *,
        release_offered: bool = False,
        counselor_name: str | None = None,
        counselor_credential: str | None = None,
        has_summary: bool = False,
        claim_seconds: int | None = None,
        rating: RatingView | None = None,
        claim: ClaimView | None = None,
    ) -> "OrderView":
        """An order as it stands, with the call that works for it."""
        return cls(
            id=order.id,
            program=order.program,
            counselor=order.counselor,
            voucher=order.voucher,
            state=order.state,
            remaining_seconds=order.remaining_seconds,
            granted_seconds=order.granted_seconds,
            talked_seconds=order.talked_seconds,
            opened_at=order.opened_at,
            expires_at=order.expires_at,
            starts_at=order.starts_at,
            cancel_free_until=order.cancel_free_until,
            cancel_counts_after=counts_after(order),
            counted_as_used=counted(order),
            resume_until=order.resume_until,
            closed_at=order.closed_at,
            closed_reason=order.closed_reason,
            counselor_name=counselor_name,
            counselor_credential=counselor_credential,
            last_call=_last_call(order.settled, claim_seconds),
            rating=rating,
            claim=claim,
            call=call,
            release_offered=release_offered,
            has_summary=has_summary,
            version=order.version,
        )


def _last_call(settled: Settled | None, claim_seconds: int | None) -> LastCallView | None:
    if settled is None:
        return None
    until = None
    if claim_seconds is not None:
        until = settled.ended_at + timedelta(seconds=claim_seconds)
    return LastCallView(
        id=settled.call,
        ended_at=settled.ended_at,
        talked_seconds=settled.talked_seconds,
        connected=settled.connected,
        verdict=settled.verdict,
        claim_until=until,
    )


class VerdictView(Model):
    """How a call ended, and how sure that is."""

    kind: VerdictKind
    by: EndedBy
    confidence: Confidence
    reasons: list[str]
    final: bool

    @classmethod
    def of(cls, verdict: Verdict, *, final: bool) -> "VerdictView":
        """A verdict with its standing."""
        return cls(
            kind=verdict.kind,
            by=verdict.by,
            confidence=verdict.confidence,
            reasons=list(verdict.reasons),
            final=final,
        )
