"""What a counselor's console shows of its own counselor: built anew from one look."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from billing.store.programs_of import programs_of
from dialer.call import Call, State
from dialer.events import TimerKind
from dialer.leg import Leg
from dialer.policy import CapKind
from dialer.store.calls import engaged_call, load_call
from dialer.store.live import orders_of
from dialer.store.phone_checks import newest_check
from routing.counselor import Counselor, activity_of, led_away, state_of
from routing.store.counselors import last_claimed_by, load_counselor
from routing.store.targets import load_target
from terms.ids import CounselorId, OrderId, ProgramId
from terms.verdict import Role
from warmline.api.counselor_views import (
    LastOfferView,
    LegState,
    Me,
    OfferView,
    OwnCallView,
    OwnLegView,
    PhoneCheckView,
    SentAwayView,
    UntakenView,
    WrapUpView,
)
from warmline.api.offers import became_of, rings_of
from warmline.api.parts import PROGRAMS
from warmline.api.views import left_seconds
from warmline.audit.store import has_audit_entry
from warmline.desk.wrap_ups import WrapUp, open_wrap_ups
from warmline.http.asked import Asked
from warmline.http.problems import NotFound

if TYPE_CHECKING:
    from warmline.desk.store import Connection


LAST_OFFER_SHOWN = timedelta(minutes=10)
_UNTAKEN_SHOWN = 10
WRAP_UP_ENDED = "wrap_up.ended"
"""The deed of a supervisor: it is done at the instant at which the idle time begins."""

PHONE_CHECK_HOLDS = timedelta(minutes=15)


async def own_desk(asked: Asked, connection: "Connection", counselor: CounselorId) -> Me:
    """The counselor's state, offer, call, and the notes they owe. Raises NotFound."""
    found = await load_counselor(connection, asked.tenant, counselor)
    if found is None:
        raise NotFound
    record, engaged = found
    live = await engaged_call(connection, asked.tenant, counselor)
    call = None if live is None else live.call
    owed = await open_wrap_ups(connection, asked.tenant, counselor)
    return Me(
        id=record.id,
        name=record.name,
        presence=record.presence,
        state=state_of(record, engaged, asked.now),
        activity=activity_of(record, engaged, asked.now),
        sent_away=await _sent_away(asked, connection, record),
        phone=str(asked.frame.seal.open(record.number_sealed)),
        phone_check=await _phone_check(asked, connection, counselor),
        lease_until=record.lease_until,
        wrap_up_until=record.wrap_up_until,
        wrap_up_ended_at=await _wrap_up_ended_at(asked, connection, record),
        cooldown_until=record.cooldown_until,
        offer=None if call is None else await _offer(asked, connection, call),
        last_offer=None if call is not None else await _last_offer(asked, connection, counselor),
        call=None if call is None else await own_call(asked, connection, call),
        wrap_ups=[await _owed(asked, connection, one) for one in owed],
    )


async def own_call(asked: Asked, connection: "Connection", call: Call) -> OwnCallView:
    """The call that a counselor is on."""
    program = await _program(asked, connection, call.order)
    known = asked.part(PROGRAMS).get(program)
    soft = known is not None and known.dialer.cap_kind is CapKind.SOFT
    target = None
    if call.transfer is not None:
        target = await load_target(connection, asked.tenant, call.transfer.targets[0])
    return OwnCallView(
        id=call.id,
        order=call.order,
        program=program,
        state=call.state,
        bridged_at=call.connected_at,
        ends_at=call.due(TimerKind.CAP),
        left_seconds=left_seconds(call, asked.now),
        over_since=_over_since(call, asked.now) if soft else None,
        crisis=call.crisis,
        transfer=None if call.transfer is None else call.transfer.targets[0],
        transfer_name=None if target is None else target.name,
        transfer_joined=call.transfer is not None and call.transfer.joined,
        handed_over=call.handed_over,
        started_at=call.started_at,
        can_extend=soft and call.state is State.BRIDGED and call.cap_seconds_left is not None,
        extended_seconds=call.extended_seconds,
        legs=[_leg(leg) for leg in call.all_standing()],
    )


def _over_since(call: Call, now: datetime) -> datetime | None:
    """When a talk that goes on used up its time; in a crisis there is no time to use up."""
    granted = call.cap_seconds_left
    if call.state is not State.BRIDGED or granted is None:
        return None
    over = call.talked(now) - timedelta(seconds=granted)
    return now - over if over >= timedelta() else None


async def _offer(asked: Asked, connection: "Connection", call: Call) -> OfferView | None:
    """The call as an offer, while the counselor has not come to the line yet."""
    leg = call.standing(Role.COUNSELOR)
    if leg is None or leg.bridged_at is not None:
        return None
    answered = leg.answered_at is not None
    return OfferView(
        call=call.id,
        order=call.order,
        program=await _program(asked, connection, call.order),
        answered=answered,
        accepted=leg.accepted_at is not None,
        offered_at=leg.rung_at,
        ring_until=call.due(TimerKind.ACCEPT if answered else TimerKind.RING),
    )


async def _sent_away(
    asked: Asked, connection: "Connection", record: Counselor
) -> SentAwayView | None:
    """Why the counselor is on a break that the service sent them on."""
    if record.sent_away_at is None:
        return None
    offers = led_away(record)[-_UNTAKEN_SHOWN:]
    orders = await orders_of(connection, asked.tenant, [one.call for one in offers])
    programs = await programs_of(connection, asked.tenant, orders.values())
    return SentAwayView(
        since=record.sent_away_at,
        offers=[
            UntakenView(call=one.call, program=programs[orders[one.call]], at=one.at, why=one.why)
            for one in offers
        ],
    )


async def _wrap_up_ended_at(
    asked: Asked, connection: "Connection", record: Counselor
) -> datetime | None:
    """When the idle time began, where it began by somebody else's deed."""
    at = record.idle_since
    was_ended = await has_audit_entry(connection, asked.tenant, record.id, WRAP_UP_ENDED, at)
    return at if was_ended else None


async def _phone_check(
    asked: Asked, connection: "Connection", counselor: CounselorId
) -> PhoneCheckView | None:
    since = asked.now - PHONE_CHECK_HOLDS
    check = await newest_check(connection, asked.tenant, counselor, since=since)
    return None if check is None else PhoneCheckView.of(check, asked.now)


async def _last_offer(
    asked: Asked, connection: "Connection", counselor: CounselorId
) -> LastOfferView | None:
    """What became of the call that rang them last, unless that was long ago."""
    last = await last_claimed_by(connection, asked.tenant, counselor)
    stored = None if last is None else await load_call(connection, asked.tenant, last)
    rings = [] if stored is None else rings_of(stored.call, counselor)
    if stored is None or not rings:
        return None
    ended_at = rings[-1].off_at
    if asked.now - (ended_at or rings[-1].rung_at) > LAST_OFFER_SHOWN:
        return None
    return LastOfferView(
        call=stored.call.id,
        order=stored.call.order,
        program=await _program(asked, connection, stored.call.order),
        offered_at=rings[-1].rung_at,
        ended_at=ended_at,
        became=became_of(rings),
    )


def _leg(leg: Leg) -> OwnLegView:
    state, since = LegState.RINGING, leg.rung_at
    if leg.answered_at is not None:
        state, since = LegState.ANSWERED, leg.answered_at
    if leg.bridged_at is not None:
        state, since = LegState.TALKING, leg.bridged_at
    return OwnLegView(role=leg.role, state=state, since=since)


async def _owed(asked: Asked, connection: "Connection", one: WrapUp) -> WrapUpView:
    stored = await load_call(connection, asked.tenant, one.call)
    assert stored is not None
    call = stored.call
    return WrapUpView(
        call=one.call,
        order=one.order,
        required=one.required,
        opened_at=one.opened_at,
        program=await _program(asked, connection, one.order),
        connected_at=call.connected_at,
        ended_at=call.ended_at,
        talked_seconds=talked_seconds(call, asked.now),
    )


def talked_seconds(call: Call, now: datetime) -> int:
    """Talk so far, in whole seconds."""
    return int(call.talked(call.ended_at or now).total_seconds())


async def _program(asked: Asked, connection: "Connection", order: OrderId) -> ProgramId:
    return (await programs_of(connection, asked.tenant, (order,)))[order]
