"""The trials: real calls to the two phones, and what each of them answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from dialer.carriers import (
    CallIn,
    CarrierRefused,
    CarrierUnknown,
    LegAnswered,
    LegBridged,
    LegEnded,
)
from dialer.carriers.twilio.names import is_dialled_in
from dialer.carriers.twilio.release import is_terminal
from terms.ids import LegId
from warmline.carriers.twilio_smoke.stage import FAILS, FALLBACK, Seen, Stage

_LIMIT_SECONDS = 30
_BEFORE_THE_CHANGE_SECONDS = 20
_DIAL_LIMIT_SECONDS = 15
_LONGEST_SECONDS = 120
_LANGUAGE, _PROMPT = "zh-CN", "connecting"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found about one question."""

    question: int
    found: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One thing to try. What it is called tells the operator what is about to happen."""

    title: str
    run: Callable[[Stage], Awaitable[list[Answer]]]


async def refusals(stage: Stage) -> list[Answer]:
    """Requests that are wrong: nothing rings."""
    tried = {
        "To is no number": {"to": "+10", "from_": stage.own_number},
        "From is not ours": {"to": stage.phones[0].digits, "from_": "+15005550001"},
    }
    found = []
    for what, order in tried.items():
        try:
            placed = await stage.api.place(**order, url=stage.public_url + FALLBACK)
        except CarrierRefused as refusal:
            found.append(f"{what}: {refusal.code}")
        except CarrierUnknown as unknown:
            found.append(f"{what}: {unknown}")
        else:
            await stage.api.change(placed.sid, status="completed")
            found.append(f"{what}: accepted")
    return [Answer(10, "; ".join(found))]


async def hang_up(stage: Stage) -> list[Answer]:
    """Both talk; the first hangs up, then we end the second."""
    first, second = await _talk(stage)
    began = len(stage.seen)
    await stage.ask("Both phones are connected. Hang up the FIRST phone, then press Enter.")
    ended = await stage.news(LegEnded, first, within_seconds=_LONGEST_SECONDS)
    await stage.nap(5)
    by_party, after_party = _left(stage, first), stage.seen[began:]
    await stage.carrier.hang_up(second)
    await stage.news(LegEnded, second)
    await stage.nap(5)
    numbers = [seen.fields.get("SequenceNumber", "") for seen in _of_conferences(stage.seen)]
    again = any(seen.path.endswith("/1/1") and _is_of(stage, seen, first) for seen in after_party)
    tokens = sum(seen.has_token for seen in stage.seen)
    return [
        Answer(1, _order(after_party, ended.at)),
        Answer(5, min((n for n in numbers if n.isdigit()), key=int, default="none came")),
        Answer(6, "yes" if again else "no"),
        Answer(8, f"{tokens} of {len(stage.seen)}"),
        Answer(11, f"hung up: {by_party}; ended by us: {_left(stage, second)}"),
    ]


async def limits(stage: Stage) -> list[Answer]:
    """One phone, alone in a conference, whose limit is changed."""
    leg = await _alone(stage)
    await stage.nap(_BEFORE_THE_CHANGE_SECONDS)
    changed = stage.now()
    await stage.carrier.limit(leg, limit_seconds=_LIMIT_SECONDS)
    ended = await stage.news(LegEnded, leg, within_seconds=_LONGEST_SECONDS)
    lasted = (ended.at - changed).total_seconds()
    from_answer = lasted < _LIMIT_SECONDS + _BEFORE_THE_CHANGE_SECONDS / 2
    said = "from the answer" if from_answer else "from the change"
    return [
        Answer(2, f"{said}: {_LIMIT_SECONDS} s asked, {lasted:.0f} s given, told as {ended.code}"),
        Answer(11, f"limit: {_left(stage, leg)}"),
    ]


async def dial_limit(stage: Stage) -> list[Answer]:
    """One phone in a conference by a <Dial> that has a limit of its own."""
    response, dial = VoiceResponse(), Dial(time_limit=_DIAL_LIMIT_SECONDS)
    dial.conference("smoke-limit", beep="false", wait_url="")
    response.append(dial)
    lasted = await _lasted(stage, {"twiml": str(response)}, most_seconds=_DIAL_LIMIT_SECONDS * 2)
    ended = lasted is not None and lasted < _DIAL_LIMIT_SECONDS * 2
    return [Answer(3, f"yes, after {lasted:.0f} s" if ended else "no")]


async def fallback(stage: Stage) -> list[Answer]:
    """One phone, whose document leads to an action that fails."""
    response = VoiceResponse()
    failing = stage.public_url + FAILS
    response.append(Gather(num_digits=1, timeout=2, action=failing, action_on_empty_result=True))
    order = {"twiml": str(response), "fallback_url": stage.public_url + FALLBACK}
    await _lasted(stage, order, most_seconds=30)
    asked = any(seen.path == FALLBACK for seen in stage.seen)
    return [Answer(7, "yes" if asked else "no")]


async def announcement(stage: Stage) -> list[Answer]:
    """Both talk, and the first is told something."""
    first, second = await _talk(stage)
    await stage.ask("Keep talking on both phones, and press Enter: the FIRST is told something.")
    await stage.carrier.say(first, _PROMPT, language=_LANGUAGE)
    await stage.nap(5)
    found = await stage.ask("Who heard it, and what did each hear of the other meanwhile?")
    await _let_go(stage, first, second)
    return [Answer(4, found)]


async def battery(stage: Stage) -> list[Answer]:
    """Both talk, and the first phone dies."""
    first, second = await _talk(stage)
    await stage.ask(
        "Pull the battery of the FIRST phone (or flight mode), and press Enter at once."
    )
    died = stage.now()
    try:
        ended = await stage.news(LegEnded, first, within_seconds=_LONGEST_SECONDS)
        found = (
            f"after {(ended.at - died).total_seconds():.0f} s: {ended.by}, SIP {ended.sip}, "
            f"{_left(stage, first)}"
        )
    except Exception as fault:  # it may stand for ever: that is an answer, too
        found = str(fault)
    await _let_go(stage, first, second)
    return [Answer(9, found)]


async def dial_in(stage: Stage) -> list[Answer]:
    """The second phone dials our number, and waits to be taken."""
    await stage.ask(f"Dial {stage.own_number} with the SECOND phone, and press Enter: let it ring.")
    call_in = await stage.news(CallIn, within_seconds=_LONGEST_SECONDS)
    await stage.nap(6)
    status = (await stage.api.call(call_in.leg.removeprefix("in-"))).status
    (asked, *_) = (seen for seen in stage.seen if seen.path.endswith("/inbound"))
    await stage.carrier.answer(call_in.leg)
    await stage.news(LegAnswered, call_in.leg)
    await stage.nap(2)
    await stage.carrier.hang_up(call_in.leg)
    known = "a number came" if call_in.caller is not None else "no number came"
    verified = asked.fields.get("StirVerstat", "not told")
    return [
        Answer(12, f"{known}; StirVerstat: {verified}"),
        Answer(13, f"after 6 s its status is {status}"),
    ]


TRIALS = (
    Trial(title="Wrong requests: nothing rings.", run=refusals),
    Trial(title="Both phones ring: answer both.", run=hang_up),
    Trial(title="The first phone rings: answer, and stay until it ends by itself.", run=limits),
    Trial(title="The first phone rings: answer, and stay until it ends by itself.", run=dial_limit),
    Trial(title="The first phone rings: answer, and press nothing.", run=fallback),
    Trial(title="Both phones ring: answer both.", run=announcement),
    Trial(title="You dial in.", run=dial_in),
    Trial(title="Both phones ring: answer both. The first will lose its battery.", run=battery),
)


async def _talk(stage: Stage) -> tuple[LegId, LegId]:
    call = stage.new_call()
    legs = (
        await stage.ring(call, "caller", stage.phones[0]),
        await stage.ring(call, "counselor", stage.phones[1]),
    )
    for leg in legs:
        await stage.news(LegAnswered, leg)
    await stage.carrier.bridge(call, legs, limit_seconds=600)
    for leg in legs:
        await stage.news(LegBridged, leg)
    return legs


async def _alone(stage: Stage) -> LegId:
    call = stage.new_call()
    leg = await stage.ring(call, "caller", stage.phones[0])
    await stage.news(LegAnswered, leg)
    await stage.carrier.bridge(call, (leg,), limit_seconds=600)
    await stage.news(LegBridged, leg)
    return leg


async def _let_go(stage: Stage, *legs: LegId) -> None:
    for leg in legs:
        await stage.carrier.hang_up(leg)


async def _lasted(stage: Stage, order: dict[str, str], *, most_seconds: float) -> float | None:
    """How long the first phone's call stood once it was answered; None if it never was."""
    placed = await stage.api.place(
        to=stage.phones[0].digits, from_=stage.own_number, timeout=40, **order
    )
    answered_at: datetime | None = None
    for _ in range(int(40 + most_seconds)):
        call = await stage.api.call(placed.sid)
        if call.status == "in-progress" and answered_at is None:
            answered_at = stage.now()
        if is_terminal(call.status):
            break
        if answered_at and (stage.now() - answered_at).total_seconds() >= most_seconds:
            break
        await stage.nap(1)
    if not is_terminal(call.status):
        await stage.api.change(placed.sid, status="completed")
    return None if answered_at is None else (stage.now() - answered_at).total_seconds()


def _of_conferences(seen: list[Seen]) -> list[Seen]:
    return [one for one in seen if "StatusCallbackEvent" in one.fields]


def _is_of(stage: Stage, seen: Seen, leg: LegId) -> bool:
    label = leg if is_dialled_in(leg) else leg.replace("/", "~")
    return label in seen.path or seen.fields.get("ParticipantLabel") == label


def _left(stage: Stage, leg: LegId) -> str:
    reasons = [
        seen.fields.get("ReasonParticipantLeft", "none")
        for seen in stage.seen
        if seen.word == "participant-leave" and _is_of(stage, seen, leg)
    ]
    return reasons[-1] if reasons else "no participant-leave came"


def _order(seen: list[Seen], ended_at: datetime) -> str:
    return ", ".join(
        f"{one.word} {(one.at - ended_at).total_seconds():+.1f} s" for one in seen if one.word
    )
