"""What goes wrong with real phones, through to the verdict: a desk over a real Asterisk.

The stories of one table are lived side by side, for they are lived in real time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from dialer.call import State
from dialer.carriers import LegEnded
from terms.ids import ProgramId
from terms.phone import PhoneNumber
from tests.dialer.carriers.rig import Behaviour
from tests.people import LISTENING
from tests.phones.engine import SHORTEST_RTP_TIMEOUT_SECONDS
from tests.phones.house import CAPPED, COUNSELOR_FIRST, PATIENT, Pair, PhoneHouse
from warmline.bench.phones.engine import Engine, ready

Outcome = tuple[str, str, str]
"""Kind, who ended it, the first reason."""
Story = Callable[[PhoneHouse], Awaitable[Pair]]


async def outcomes(house: PhoneHouse, stories: Mapping[str, Story]) -> dict[str, Outcome]:
    """What became of each, all begun at once."""

    async def outcome(story: Story) -> Outcome:
        verdict = await house.verdict(await story(house))
        return verdict.kind, verdict.by, verdict.reasons[0]

    found = await asyncio.gather(*map(outcome, stories.values()))
    return dict(zip(stories, found, strict=True))


# --- phones that are not reached ------------------------------------------------------------------


def never_both(
    caller: Behaviour = Behaviour.ANSWERS,
    counselor: Behaviour = Behaviour.ACCEPTS,
    *,
    status: int | None = None,
    program: ProgramId = LISTENING,
) -> Story:
    """Phones that behave so; with `status` the phone that is rung second answers with that."""

    async def story(house: PhoneHouse) -> Pair:
        pair = await house.pair(program, caller=caller, counselor=counselor)
        if status is not None:
            caller_last = program == COUNSELOR_FIRST
            house.rig.answers(pair.caller if caller_last else pair.counselor, status)
        await house.press(pair)
        return pair

    return story


async def gives_up_while_the_counselor_rings(house: PhoneHouse) -> Pair:
    pair = await house.pair(counselor=Behaviour.BY_HAND)
    await house.press(pair)
    await house.until(pair, State.RINGING_SECOND)
    async with asyncio.timeout(5):
        while house.phone(pair.counselor).line is None:  # noqa: ASYNC110 - told over the wire
            await asyncio.sleep(0.02)
    await house.rig.put_down(pair.caller)
    return pair


async def test_whoever_is_not_reached_is_named(phone_house: PhoneHouse) -> None:
    by_caller = ("not_connected", "caller", "never_both_on_the_line")
    by_counselor = ("not_connected", "counselor", "never_both_on_the_line")
    by_carrier = ("not_connected", "carrier", "the_carrier_let_go")
    expected: dict[str, tuple[Story, Outcome]] = {
        "the counselor is busy": (never_both(counselor=Behaviour.BUSY), by_counselor),
        "the counselor does not answer": (never_both(counselor=Behaviour.NO_ANSWER), by_counselor),
        "the counselor rejects": (never_both(counselor=Behaviour.REJECTS), by_counselor),
        "the counselor's number is unknown": (
            never_both(counselor=Behaviour.UNKNOWN),
            by_counselor,
        ),
        "the counselor's phone is off": (never_both(counselor=Behaviour.OFF), by_counselor),
        "a voicemail of the counselor": (never_both(counselor=Behaviour.VOICEMAIL), by_counselor),
        "the trunk is overloaded": (never_both(status=503), by_carrier),
        "the trunk is overloaded, the caller being rung": (
            never_both(status=503, program=COUNSELOR_FIRST),
            by_carrier,
        ),
        "the caller is busy": (never_both(Behaviour.BUSY), by_caller),
        "the caller does not answer": (never_both(Behaviour.NO_ANSWER), by_caller),
        "the caller rejects": (never_both(Behaviour.REJECTS), by_caller),
        "the caller's number is unknown": (never_both(Behaviour.UNKNOWN), by_caller),
        "the counselor is rung first and busy": (
            never_both(counselor=Behaviour.BUSY, program=COUNSELOR_FIRST),
            by_counselor,
        ),
        "the counselor is rung first, the caller rejects": (
            never_both(Behaviour.REJECTS, program=COUNSELOR_FIRST),
            by_caller,
        ),
        "the caller gives up while the counselor rings": (
            gives_up_while_the_counselor_rings,
            by_caller,
        ),
    }

    found = await outcomes(phone_house, {name: story for name, (story, _) in expected.items()})

    assert found == {name: outcome for name, (_, outcome) in expected.items()}


# --- talks that end -------------------------------------------------------------------------------


def let_go_by(who: str, reason: str = "", program: ProgramId = LISTENING) -> Story:
    """A BYE of that side, with that `Reason`."""

    async def story(house: PhoneHouse) -> Pair:
        pair = await house.talk(program)
        number = pair.caller if who == "caller" else pair.counselor
        house.rig.town.put_down(house.phone(number), reason)
        house.phone(number).answers = 480  # rung again, it is off
        return pair

    return story


async def both_let_go_at_once(house: PhoneHouse) -> Pair:
    pair = await house.talk()
    for number in (pair.caller, pair.counselor):
        house.rig.town.put_down(house.phone(number))
    return pair


async def talks_on(house: PhoneHouse) -> Pair:
    return await house.talk(CAPPED)


async def test_whoever_ends_a_talk_is_named(phone_house: PhoneHouse) -> None:
    hung_up, network = "hung_up", ("system_drop", "carrier")
    expected: dict[str, tuple[Story, Outcome]] = {
        "BYE of the caller": (let_go_by("caller"), ("party_ended", "caller", hung_up)),
        "BYE of the counselor": (let_go_by("counselor"), ("party_ended", "counselor", hung_up)),
        "BYE of the caller, rung second": (
            let_go_by("caller", program=COUNSELOR_FIRST),
            ("party_ended", "caller", hung_up),
        ),
        "BYE with a normal reason": (
            let_go_by("caller", 'Q.850;cause=16;text="Normal call clearing"'),
            ("party_ended", "caller", hung_up),
        ),
        "BYE of the caller with a fault": (
            let_go_by("caller", "Q.850;cause=41"),
            (*network, "fault_cause_41"),
        ),
        "BYE of the counselor with a fault": (
            let_go_by("counselor", "Q.850;cause=102"),
            (*network, "fault_cause_102"),
        ),
        "the cap": (talks_on, ("cap_reached", "platform", "our_cap")),
    }

    found, both = await asyncio.gather(
        outcomes(phone_house, {name: story for name, (story, _) in expected.items()}),
        outcomes(phone_house, {"both": both_let_go_at_once}),
    )

    assert found == {name: outcome for name, (_, outcome) in expected.items()}
    kind, by, reason = both["both"]
    assert (kind, reason) == ("party_ended", hung_up)
    assert by in ("caller", "counselor")


# --- lines that break -----------------------------------------------------------------------------


BROKE_AT: dict[PhoneNumber, datetime] = {}
"""When a phone broke."""


def breaks(who: str, how: str, program: ProgramId = LISTENING) -> Story:
    """A phone that is killed, or freezes: SIP is still answered and no audio comes."""

    async def story(house: PhoneHouse) -> Pair:
        pair = await house.talk(program)
        number = pair.caller if who == "caller" else pair.counselor
        phone = house.phone(number)
        assert phone.line is not None
        BROKE_AT[number] = house.clock.now()
        if how == "killed":
            phone.line.close()
        else:
            phone.line.silent = True
        phone.answers = 480
        return pair

    return story


async def answers_and_sends_nothing(house: PhoneHouse) -> Pair:
    pair = await house.pair()
    house.phone(pair.caller).mute = True
    await house.press(pair)
    await house.until(pair, State.BRIDGED)
    house.phone(pair.caller).answers = 480
    return pair


async def test_a_line_that_breaks_is_a_fault_of_the_network(phone_house: PhoneHouse) -> None:
    silent, timeout = ("system_drop", "carrier", "media_timeout"), "fault_cause_44"
    expected: dict[str, tuple[Story, Outcome]] = {
        "the caller's phone is killed": (breaks("caller", "killed"), silent),
        "the counselor's phone is killed": (breaks("counselor", "killed"), silent),
        "the caller's phone freezes": (breaks("caller", "frozen"), silent),
        "the counselor's phone freezes": (breaks("counselor", "frozen"), silent),
        "the caller's phone answers without audio": (answers_and_sends_nothing, silent),
        "killed, and Asterisk says so": (
            breaks("caller", "killed", PATIENT),
            ("system_drop", "carrier", timeout),
        ),
        "frozen, and Asterisk says so": (
            breaks("counselor", "frozen", PATIENT),
            ("system_drop", "carrier", timeout),
        ),
    }

    found = await outcomes(phone_house, {name: story for name, (story, _) in expected.items()})

    assert found == {name: outcome for name, (_, outcome) in expected.items()}
    assert len(BROKE_AT) == 6
    noticed = [await noticed_after(phone_house, number) for number in BROKE_AT]
    assert max(noticed) < SHORTEST_RTP_TIMEOUT_SECONDS + 2
    let_go = [report.news for report in phone_house.rig.told if isinstance(report.news, LegEnded)]
    assert [news.code for news in let_go].count("rtp_timeout") == 2


async def noticed_after(house: PhoneHouse, broken: PhoneNumber) -> float:
    """Seconds until Warmline was told, or ended the talk for it, whichever was last."""
    pair = next(one for one in house.pairs if broken in (one.caller, one.counselor))
    role = "caller" if broken == pair.caller else "counselor"
    leg = next(leg for leg in (await house.see_call(pair.order)).legs if leg.role == role)
    assert leg.release is not None
    return (leg.release.at - BROKE_AT[broken]).total_seconds()


# --- an Asterisk that goes away -------------------------------------------------------------------


async def after_a_new_start(house: PhoneHouse, engine: Engine, *, dies: bool) -> Outcome:
    pair = await house.talk()
    lines = house.line(pair.caller), house.line(pair.counselor)
    if dies:
        engine.kill()
    else:
        await asyncio.to_thread(engine.end)
    for line in lines:
        line.close()  # the phones notice, and are put down
        line.phone.answers = 480
    engine.launch_again()
    verdict = await house.verdict(pair)
    await ready(engine)
    return verdict.kind, verdict.by, verdict.reasons[0]


async def test_an_asterisk_that_is_killed_took_the_talk_with_it(
    frail_house: PhoneHouse, engine_to_kill: Engine
) -> None:
    found = await after_a_new_start(frail_house, engine_to_kill, dies=True)

    assert found == ("system_drop", "carrier", "the_carrier_let_go")


async def test_an_asterisk_that_is_restarted_ended_the_talk(
    frail_house: PhoneHouse, engine_to_kill: Engine
) -> None:
    found = await after_a_new_start(frail_house, engine_to_kill, dies=False)

    assert found == ("system_drop", "platform", "ended_uncommanded")
