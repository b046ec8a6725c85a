"""What a call may do next. Pure: no clock, no network, no database, no randomness.

Theory of operation. Two kinds of things happen to a call.

*News* of the carrier is a fact about one leg. It is first merged into that leg (`dialer.leg`),
which is what makes late, repeated and reordered news harmless: a fact told twice changes nothing,
and a leg that is over only gathers evidence. Only news about a leg still wanted reaches the state's
own function.

*Happenings* are everything else: timers, people's commands, routing's answers. A timer that is no
longer part of the state is stale and changes nothing. A person's command that the state does not
allow is refused; nothing else ever raises.

Each state has a module of its own, with one function for news and one for happenings.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from dialer import carriers
from dialer.call import Call, State
from dialer.carriers import News
from dialer.events import CallerDialledIn, Event, Happening, StaffEnded, TimerFired
from dialer.leg import observe
from dialer.machine import bridged, ended, parted, ringing, starting, waiting
from dialer.machine.refusing import not_now
from dialer.machine.steps import Step, notice_connection
from dialer.orders import Effect, Fact, FactKind, HangUp, make_fact
from dialer.policy import Policy
from terms.verdict import Role

start = starting.start
start_dial_in = starting.start_dial_in
start_forwarded = starting.start_forwarded

__all__ = ["Step", "start", "start_dial_in", "start_forwarded", "transition"]


def transition(call: Call, event: Event, policy: Policy, now: datetime) -> Step:
    """The call after `event`, and the orders and facts that follow from it.

    Raises `Refused` for a command that is impossible in this state.
    """
    if isinstance(event, _NEWS):
        return _take_news(call, event, policy, now)
    match event:
        case TimerFired(timer) if now < timer.due_at or not call.holds(timer):
            return call, ()
        case CallerDialledIn(leg) if call.leg(leg) is not None:
            return call, ()  # told again: that leg may be the one they talk on
        case _:
            return _take_happening(call, event, policy, now)


_NEWS = (
    carriers.LegRinging,
    carriers.LegAnswered,
    carriers.KeyPressed,
    carriers.LegBridged,
    carriers.LegEnded,
    carriers.MediaLost,
    carriers.MediaHeard,
)


def _take_news(call: Call, news: News, policy: Policy, now: datetime) -> Step:
    leg = call.leg(news.leg)
    if leg is None:
        return call, () if isinstance(news, carriers.LegEnded) else (HangUp(news.leg),)
    seen = observe(leg, news, now)
    if seen is leg:
        return call, ()
    facts = _facts(news, seen.role)
    call = call.with_leg(seen)
    if leg.is_over and call.ended_at is None:
        effects = clean_up(news)
    else:
        call, effects = _NEWS_WHEN[call.state](call, news, policy, now)
    call, late = notice_connection(call)
    return call, facts + effects + late


def _take_happening(call: Call, event: Happening, policy: Policy, now: datetime) -> Step:
    guarded = call.crisis and call.state is not State.ENDED
    if guarded and isinstance(event, StaffEnded) and not event.confirmed:
        not_now("somebody may be in danger on this call; a supervisor may end it, by confirming so")
    return _HAPPENED_WHEN[call.state](call, event, policy, now)


_NEWS_WHEN: Mapping[State, Callable[[Call, News, Policy, datetime], Step]] = {
    State.WAITING: waiting.news,
    State.QUEUED: waiting.news,
    State.RINGING_FIRST: ringing.first_news,
    State.RINGING_SECOND: ringing.second_news,
    State.BRIDGED: bridged.news,
    State.PARTED: parted.news,
    State.ENDED: ended.on_evidence,
}
_HAPPENED_WHEN: Mapping[State, Callable[[Call, Happening, Policy, datetime], Step]] = {
    State.WAITING: waiting.happened,
    State.QUEUED: waiting.happened,
    State.RINGING_FIRST: ringing.happened,
    State.RINGING_SECOND: ringing.happened,
    State.BRIDGED: bridged.happened,
    State.PARTED: parted.happened,
    State.ENDED: ended.happened,
}


def clean_up(news: News) -> tuple[Effect, ...]:
    """A leg we let go that still comes to life is told again."""
    match news:
        case carriers.LegAnswered() | carriers.LegBridged():
            return (HangUp(news.leg),)
        case (
            carriers.LegRinging()
            | carriers.KeyPressed()
            | carriers.MediaLost()
            | carriers.MediaHeard()
            | carriers.LegEnded()
        ):
            return ()


def _facts(news: News, role: Role) -> tuple[Fact, ...]:
    kind = _TOLD_AS[type(news)]
    if kind is None:
        return ()
    if isinstance(news, carriers.LegEnded):
        detail = {"by": news.by, "q850": news.q850, "sip": news.sip, "code": news.code}
        return (make_fact(kind, role, detail),)
    return (make_fact(kind, role),)


_TOLD_AS: Mapping[type[News], FactKind | None] = {
    carriers.LegRinging: FactKind.LEG_RINGING,
    carriers.LegAnswered: FactKind.LEG_ANSWERED,
    carriers.KeyPressed: None,
    carriers.LegBridged: None,
    carriers.MediaLost: FactKind.MEDIA_LOST,
    carriers.MediaHeard: FactKind.MEDIA_HEARD,
    carriers.LegEnded: FactKind.LEG_ENDED,
}
"""How the timeline shows news; a key is told by what it does, and joining by being connected."""
