"""What the counselor's console sends and is shown."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from dialer.call import State as CallState
from dialer.leg import Failure
from dialer.phone_check import CheckState, PhoneCheck
from routing.counselor import Activity, CounselorState, Presence, Untaken
from routing.transfer import AgencyKind, Basis, Choice
from terms.ids import CallId, ProgramId, TargetId
from terms.verdict import Role
from warmline.api.offers import Offered
from warmline.api.views import NonNegative
from warmline.http.model import ID, Instant, Line, Model, Text
from warmline.http.paging import Page


class OfferView(Model):
    """A call that rings the counselor now."""

    call: str
    order: str
    program: str
    answered: bool
    """Whether the phone was answered: only then can the call be accepted."""

    accepted: bool
    offered_at: Instant
    """When the phone began to ring for this: a second ring of the same call is another offer."""

    ring_until: Instant | None
    """Until when it rings, or until when the answered phone may press 1."""


class LegState(StrEnum):
    """What a phone on the call is doing."""

    RINGING = "ringing"
    ANSWERED = "answered"
    TALKING = "talking"


class OwnLegView(Model):
    """A phone on the counselor's call, without its number."""

    role: Role
    state: LegState
    since: Instant


class OwnCallView(Model):
    """The call the counselor is on."""

    id: str
    order: str
    program: str
    state: CallState
    bridged_at: Instant | None
    ends_at: Instant | None
    left_seconds: NonNegative | None
    """Talk that is left while one of the two is rung again: it stands still then. Null otherwise.
    """

    over_since: Instant | None
    """Since when the granted time, extended or not, is used up and the two go on talking, as
    nobody is cut off where the counselor may give more. Null otherwise.
    """

    crisis: bool
    transfer: str | None
    """The agency that rings or has joined."""

    transfer_name: str | None
    transfer_joined: bool
    handed_over: bool
    """An agency has the caller: the counselor is off the line."""

    started_at: Instant
    can_extend: bool
    """Whether the program leaves it to the counselor to give more time (X33)."""

    extended_seconds: int
    legs: list[OwnLegView]
    """The phones that ring or talk now; while one is missing its person is rung again."""


class LastOfferView(Model):
    """The last call that rang the counselor: it never just vanishes from the screen."""

    call: str
    order: str
    program: str
    offered_at: Instant
    """When the phone began to ring for it, the last time."""

    ended_at: Instant | None
    """When the phone stopped; null where the carrier has not told so yet."""

    became: Offered


class UntakenView(Model):
    """An offer that was not taken."""

    call: CallId
    program: ProgramId
    at: Instant
    """When that was known."""

    why: Untaken


class SentAwayView(Model):
    """The service sent the counselor on a break. Saying `available` ends it."""

    since: Instant
    offers: list[UntakenView]
    """The offers in a row that led to it, oldest first: all declined, or all missed; the last ten.
    """


class PhoneCheckView(Model):
    """What came of ringing the counselor's phone by itself."""

    state: CheckState
    at: Instant
    """When somebody pressed 1, when it was over, or, while it rings, since when."""

    reason: Failure | None
    """Why it was not reached: `not_accepted` where it was answered and nobody pressed 1."""

    @classmethod
    def of(cls, check: PhoneCheck, now: datetime) -> "PhoneCheckView":
        """As it stands."""
        leg = check.leg
        ended_at = leg.release.at if leg.release is not None else check.asked_at
        return cls(
            state=check.state(now),
            at=leg.accepted_at or ended_at,
            reason=check.why_not(now),
        )


class WrapUpView(Model):
    """Notes that are still to be written."""

    call: str
    order: str
    required: bool
    """Whether the customer is waiting for a summary."""

    opened_at: Instant
    program: str
    connected_at: Instant | None
    ended_at: Instant | None
    talked_seconds: int


class Me(Model):
    """The counselor's own state, as the server sees it."""

    id: str
    name: str
    presence: Presence
    state: CounselorState
    activity: Activity
    sent_away: SentAwayView | None
    """Why I am on a break that I did not ask for; null otherwise."""

    phone: str
    """The phone that rings for me, masked."""

    phone_check: PhoneCheckView | None
    """What came of the last `POST /v1/me/phone-check`, for a quarter of an hour."""

    lease_until: Instant | None
    """Until when the presence holds without a sign of life."""

    wrap_up_until: Instant | None
    wrap_up_ended_at: Instant | None
    """When a supervisor ended my wrap-up; null again once a call was for me, or I came back."""

    cooldown_until: Instant | None
    """Until when nothing is offered, after a call was declined."""

    offer: OfferView | None
    last_offer: LastOfferView | None
    """What became of the last call that rang me, for ten minutes; null while one has me."""

    call: OwnCallView | None
    wrap_ups: list[WrapUpView]


class PresenceWanted(Model):
    """What the counselor means to do."""

    state: Presence


class MoreTime(Model):
    """How much longer the talk may go on."""

    seconds: Annotated[int, Field(ge=60, le=3600)] = 300


class Where(Page):
    """Where the caller says they are, as a six-digit region code."""

    region: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = None
    kind: AgencyKind | None = None


class TargetView(Model):
    """An agency that may take the caller over."""

    id: str
    name: str
    kind: AgencyKind
    basis: Basis
    """Why it stands here: ask the caller unless they have said where they are."""

    @classmethod
    def of(cls, choice: Choice) -> "TargetView":
        """An agency with the reason for its place."""
        target = choice.target
        return cls(id=target.id, name=target.name, kind=target.kind, basis=choice.basis)


class Transfer(Model):
    """Whom to ring; the others of its kind follow when it does not answer."""

    target: Annotated[TargetId, ID]
    region: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] | None = None


class Notes(Model):
    """What the talk was about and led to. The summary is sent to the customer where one is due."""

    summary: Text
    topics: Annotated[tuple[Line, ...], Field(max_length=20, strict=False)] = ()
    disposition: Line
    cut_off: bool | None = None
    """The counselor's own word on whether the call was cut off."""
