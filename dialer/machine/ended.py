"""`ended`: nothing rings any more. Late facts may still better the verdict, until it is final."""

from datetime import datetime

from dialer import carriers, events
from dialer.call import Call
from dialer.carriers import News
from dialer.events import Happening, TimerKind
from dialer.machine.judging import evidence, judged
from dialer.machine.refusing import not_now
from dialer.machine.steps import Step
from dialer.orders import Effect, Fact, FactKind, HangUp
from dialer.policy import Policy
from dialer.verdict import judge
from terms.values import changer, replace


def on_evidence(call: Call, news: News, policy: Policy, now: datetime) -> Step:
    """One more fact about a leg: judge again, and let go what still comes to life."""
    match news:
        case carriers.LegAnswered() | carriers.LegBridged():
            clean_up: tuple[Effect, ...] = (HangUp(news.leg),)
        case (
            carriers.LegRinging()
            | carriers.KeyPressed()
            | carriers.MediaLost()
            | carriers.MediaHeard()
            | carriers.LegEnded()
        ):
            clean_up = ()
    call, effects = rejudge(call)
    return call, (*clean_up, *effects)


def rejudge(call: Call) -> Step:
    """The verdict over all that is known now; a final one stands whatever comes."""
    if call.verdict_is_final:
        return call, ()
    verdict = judge(evidence(call))
    if verdict == call.verdict:
        return call, ()
    return replace(call, verdict=verdict), (judged(verdict, False),)


_finally = changer(Call, "timers", "verdict_is_final")
_FINAL = frozenset({TimerKind.FINAL})


def happened(call: Call, event: Happening, policy: Policy, now: datetime) -> Step:
    """The counselor's mark, a caller who tries again, and the time at which the verdict stands."""
    match event:
        case events.TimerFired(timer) if timer.kind is TimerKind.FINAL:
            verdict = call.verdict
            assert verdict is not None
            call = _finally(call, call.timers_without(_FINAL), True)
            return call, (judged(verdict, True),)
        case events.CounselorMarkedCutOff(cut_off):
            call, effects = rejudge(replace(call, counselor_mark=cut_off))
            return call, (Fact(FactKind.MARKED_CUT_OFF, detail={"cut_off": cut_off}), *effects)
        case events.CalledBack(at) if call.called_back_at is None:
            call, effects = rejudge(replace(call, called_back_at=at))
            return call, (Fact(FactKind.CALLED_BACK), *effects)
        case events.CallerDialledIn(leg):
            return call, (HangUp(leg),)
        case events.CrisisRaised() if not call.crisis:
            return replace(call, crisis=True), (Fact(FactKind.CRISIS_RAISED),)
        case (
            events.CounselorAccepted()
            | events.CounselorDeclined()
            | events.CapExtended()
            | events.TransferRequested()
            | events.TransferConfirmed()
            | events.TransferCancelled()
        ):
            return not_now("the call is over")
        case (
            events.TimerFired()
            | events.CalledBack()
            | events.CrisisRaised()
            | events.BridgeRefused()
            | events.CallerHungUp()
            | events.CounselorHungUp()
            | events.CounselorClaimed()
            | events.CounselorUnavailable()
            | events.PlaceCounted()
            | events.StaffEnded()
            | events.OrderWithdrawn()
        ):
            return call, ()
