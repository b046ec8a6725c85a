"""What goes wrong at Twilio, on the way there and on the way back: no second phone rings for it."""

import asyncio

import pytest

from dialer.carriers import (
    CallIn,
    CarrierRefused,
    CarrierUnknown,
    CarrierUnreachable,
    LegAnswered,
    LegBridged,
    LegEnded,
    LegRinging,
    ReleaseSide,
)
from dialer.carriers.twilio.book import MemoryBook
from terms.ids import LegId
from terms.phone import PhoneNumber
from tests.dialer.carriers.joined import live, talk
from tests.dialer.carriers.rig import Behaviour
from tests.dialer.carriers.twilio.rig import OURS, TwilioRig
from tests.twilio_standin.faults import Failure

DONE_AND_UNKNOWN = (Failure.DISCONNECT_AFTER, Failure.BAD_GATEWAY_AFTER, Failure.EMPTY)
NOT_DONE_AND_UNKNOWN = (Failure.DISCONNECT_BEFORE, Failure.BAD_GATEWAY, Failure.SERVER_ERROR)


async def ring(rig: TwilioRig, leg: LegId, phone: PhoneNumber) -> None:
    await rig.carrier.ring(leg, phone, shows=OURS, ring_seconds=20)


def created(rig: TwilioRig) -> int:
    """How many calls Twilio was asked for and made."""
    return len(rig.twilio.exchange.calls)


@pytest.mark.parametrize("failure", DONE_AND_UNKNOWN)
@pytest.mark.parametrize("behaviour", [Behaviour.BY_HAND, Behaviour.ANSWERS])
@pytest.mark.parametrize("is_told", [True, False])
async def test_a_ring_that_was_done_and_not_confirmed_never_makes_a_second_phone_ring(
    rig: TwilioRig, failure: Failure, behaviour: Behaviour, is_told: bool
) -> None:
    """`is_told`: whether Twilio's callbacks reach us, or nothing but its list of calls can tell."""
    rig.twilio.misdelivery.drop = 0.0 if is_told else 1.0
    rig.twilio.failures.plan("CreateCall", failure)
    phone, leg = await rig.phone(behaviour), LegId("call1/caller/1")

    with pytest.raises(CarrierUnknown) as unknown:
        await ring(rig, leg, phone)
    assert not isinstance(unknown.value, CarrierUnreachable)
    await rig.settle()
    for _ in range(3):  # what the dialer does about it, more often than it does
        await ring(rig, leg, phone)
        await rig.pass_time(5)

    assert rig.twilio.phone(phone.digits).rung == created(rig) == 1
    assert set(await live(rig, rig.call())) == {leg}
    await rig.carrier.hang_up(leg)
    await rig.settle()
    assert rig.twilio.live_calls() == []


@pytest.mark.parametrize("failure", NOT_DONE_AND_UNKNOWN)
async def test_a_ring_that_came_to_nothing_rings_once_when_that_is_certain(
    rig: TwilioRig, failure: Failure
) -> None:
    rig.twilio.failures.plan("CreateCall", failure)
    phone, leg = await rig.phone(Behaviour.BY_HAND), LegId("call1/caller/1")
    with pytest.raises(CarrierUnknown):
        await ring(rig, leg, phone)

    with pytest.raises(CarrierUnknown):  # a call that was accepted might yet appear
        await ring(rig, leg, phone)
    assert rig.twilio.phone(phone.digits).rung == 0
    await rig.pass_time(10)
    await ring(rig, leg, phone)
    await rig.settle()

    assert rig.twilio.phone(phone.digits).rung == 1


async def test_too_many_requests_are_known_to_have_had_no_effect(rig: TwilioRig) -> None:
    rig.twilio.failures.plan("CreateCall", Failure.TOO_MANY)
    phone, leg = await rig.phone(Behaviour.BY_HAND), LegId("call1/caller/1")

    with pytest.raises(CarrierUnreachable):
        await ring(rig, leg, phone)
    assert created(rig) == 0
    await ring(rig, leg, phone)
    await rig.settle()

    assert rig.twilio.phone(phone.digits).rung == 1


@pytest.mark.parametrize(
    "failure", [*DONE_AND_UNKNOWN[:2], *NOT_DONE_AND_UNKNOWN, Failure.TOO_MANY]
)
async def test_a_hang_up_that_failed_is_told_and_can_be_ordered_again(
    rig: TwilioRig, failure: Failure
) -> None:
    call = await talk(rig)
    rig.twilio.failures.plan("UpdateCall", failure)

    with pytest.raises(CarrierUnknown):
        await rig.carrier.hang_up(call.caller_leg)
    await rig.carrier.hang_up(call.caller_leg)

    assert (await rig.news(LegEnded, call.caller_leg)).by is ReleaseSide.PLATFORM
    assert set(await live(rig, call.call)) == {call.counselor_leg}


@pytest.mark.parametrize("failure", [*DONE_AND_UNKNOWN[:2], *NOT_DONE_AND_UNKNOWN])
async def test_a_bridge_that_failed_can_be_ordered_again(rig: TwilioRig, failure: Failure) -> None:
    call, phones = rig.call(), [await rig.phone(Behaviour.ANSWERS) for _ in range(2)]
    legs = tuple(
        [await rig.ring(phone, call, role) for phone, role in zip(phones, "ab", strict=True)]
    )
    for leg in legs:
        await rig.news(LegAnswered, leg)
    rig.twilio.failures.plan("UpdateCall", failure)

    with pytest.raises(CarrierUnknown):
        await rig.carrier.bridge(call, legs, limit_seconds=600)
    await rig.carrier.bridge(call, legs, limit_seconds=600)
    for leg in legs:
        await rig.news(LegBridged, leg)

    assert await rig.hears(phones[0]) == {phones[1]}


async def test_a_call_that_queues_too_long_is_cancelled_before_it_rings(rig: TwilioRig) -> None:
    rig.twilio.knobs.calls_per_second = 0.05
    await ring(rig, LegId("call1/caller/1"), await rig.phone(Behaviour.BY_HAND))
    late = await rig.phone(Behaviour.BY_HAND)

    with pytest.raises(CarrierRefused):
        await ring(rig, LegId("call2/caller/1"), late)
    await rig.pass_time(30)

    assert rig.twilio.phone(late.digits).rung == 0


async def test_a_leg_let_go_while_it_queues_is_told_although_twilio_tells_nothing(
    rig: TwilioRig,
) -> None:
    rig.twilio.knobs.calls_per_second = 0.2
    await ring(rig, LegId("call1/caller/1"), await rig.phone(Behaviour.BY_HAND))
    leg, queued = LegId("call2/caller/1"), await rig.phone(Behaviour.BY_HAND)
    await ring(rig, leg, queued)

    await rig.carrier.hang_up(leg)

    assert (await rig.news(LegEnded, leg)).by is ReleaseSide.PLATFORM
    await rig.pass_time(10)
    assert rig.twilio.phone(queued.digits).rung == 0
    assert await rig.all_news(LegRinging, leg) == []


async def test_an_account_without_a_free_line_is_a_fault_of_the_network(rig: TwilioRig) -> None:
    rig.twilio.knobs.most_calls = 0
    with pytest.raises(CarrierRefused) as refused:
        await ring(rig, LegId("call1/caller/1"), await rig.phone(Behaviour.BY_HAND))

    assert (refused.value.code, refused.value.q850) == ("10004", 34)


async def test_callbacks_may_overtake_the_answer_to_the_order(rig: TwilioRig) -> None:
    rig.twilio.knobs.tells_before_answering = True

    call = await talk(rig)
    await rig.put_down(call.caller)

    assert (await rig.news(LegEnded, call.caller_leg)).by is ReleaseSide.PARTY
    assert len(await rig.all_news(LegAnswered, call.caller_leg)) == 1


@pytest.mark.parametrize("seed", range(8))
async def test_callbacks_doubled_delayed_and_out_of_order_tell_the_same_in_the_end(
    rig: TwilioRig, seed: int
) -> None:
    misdelivery = rig.twilio.misdelivery
    misdelivery.rng.seed(seed)
    misdelivery.duplicate = misdelivery.reorder = misdelivery.delay = 0.4
    call, phones = rig.call(), [await rig.phone(Behaviour.ANSWERS) for _ in range(2)]
    legs = tuple(
        [await rig.ring(phone, call, role) for phone, role in zip(phones, "ab", strict=True)]
    )
    await rig.pass_time(20)
    await rig.carrier.bridge(call, legs, limit_seconds=600)
    await rig.pass_time(20)
    await rig.put_down(phones[0])
    await rig.pass_time(20)
    await rig.carrier.hang_up(legs[1])
    await rig.pass_time(20)

    for leg, by in zip(legs, (ReleaseSide.PARTY, ReleaseSide.PLATFORM), strict=True):
        news = {report.id: report.news for report in rig.told if report.news.leg == leg}
        kinds = [type(one) for one in news.values()]
        assert {LegRinging, LegAnswered, LegBridged, LegEnded} == set(kinds)
        assert kinds.index(LegRinging) < kinds.index(LegAnswered)
        assert [one.by for one in news.values() if isinstance(one, LegEnded)][-1] is by
    assert await live(rig, call) == {}


async def test_what_no_callback_told_is_found_by_asking(rig: TwilioRig) -> None:
    call = await talk(rig)
    rig.twilio.misdelivery.drop = 1.0
    await rig.put_down(call.caller)
    await rig.pass_time(60)
    assert await rig.all_news(LegEnded, call.caller_leg) == []

    assert set(await live(rig, call.call)) == {call.counselor_leg}

    ended = await rig.news(LegEnded, call.caller_leg)
    assert ended.by is not ReleaseSide.PLATFORM


async def test_a_webhook_that_finds_us_in_trouble_comes_again(rig: TwilioRig) -> None:
    rig.door.to_fail = 2
    leg = await rig.ring(await rig.phone(Behaviour.ANSWERS), rig.call(), "caller")

    await rig.news(LegAnswered, leg)

    assert rig.door.to_fail == 0
    assert len(rig.twilio.live_calls()) == 1


async def test_parameters_nobody_heard_of_and_a_missing_header_change_nothing(
    rig: TwilioRig,
) -> None:
    rig.twilio.knobs.sends_idempotency_token = False
    rig.twilio.knobs.extra_parameters = {"Novelty": "2027", "zz": "\N{GREEK SMALL LETTER PI}"}

    call = await talk(rig)
    await rig.put_down(call.caller)

    assert (await rig.news(LegEnded, call.caller_leg)).by is ReleaseSide.PARTY


async def test_a_second_call_for_a_leg_that_has_one_is_let_go(rig: TwilioRig) -> None:
    """As if somebody on the way had sent the order twice."""
    phone, other = await rig.phone(Behaviour.ANSWERS), await rig.phone(Behaviour.ANSWERS)
    leg = await rig.ring(phone, rig.call(), "caller")
    await rig.news(LegAnswered, leg)
    _, first, _ = next(one for one in rig.twilio.rest.asked if one[0] == "CreateCall")

    await rig.ask_again(first, To=other.digits)
    await rig.settle()

    assert [call.to for call in rig.twilio.live_calls()] == [phone.digits]
    assert await rig.all_news(LegEnded, leg) == []


@pytest.mark.parametrize("counts_from_update", [False, True])
async def test_the_limit_never_cuts_short_whichever_way_twilio_counts(
    rig: TwilioRig, counts_from_update: bool
) -> None:
    rig.twilio.knobs.limit_counts_from_update = counts_from_update
    call, phones = rig.call(), [await rig.phone(Behaviour.ANSWERS) for _ in range(2)]
    legs = tuple(
        [await rig.ring(phone, call, role) for phone, role in zip(phones, "ab", strict=True)]
    )
    for leg in legs:
        await rig.news(LegAnswered, leg)
    await rig.pass_time(30)  # they wait before they talk
    await rig.carrier.bridge(call, legs, limit_seconds=60)
    await rig.pass_time(59)
    assert len(await live(rig, call)) == 2

    await rig.pass_time(31 if counts_from_update else 1)

    for leg in legs:
        ended = await rig.news(LegEnded, leg)
        assert (ended.by, ended.code) == (ReleaseSide.CARRIER, "limit")


@pytest.mark.parametrize(
    "left_as",
    ["participant_hung_up", "participant_updated_via_api", "moderator_ended_conference", ""],
)
async def test_the_limit_is_known_whatever_twilio_calls_it(rig: TwilioRig, left_as: str) -> None:
    rig.twilio.knobs.limit_leaves_as = left_as
    call = await talk(rig, limit_seconds=4)

    await rig.pass_time(5)

    assert (await rig.news(LegEnded, call.caller_leg)).code == "limit"


async def test_ending_what_has_ended_is_done_even_if_twilio_refuses(rig: TwilioRig) -> None:
    rig.twilio.knobs.ending_again_is_refused = True
    call = await talk(rig)
    rig.twilio.misdelivery.drop = 1.0  # so that we do not know that it has ended
    await rig.put_down(call.caller)
    assert await rig.all_news(LegEnded, call.caller_leg) == []

    await rig.carrier.hang_up(call.caller_leg)

    rig.twilio.misdelivery.drop = 0.0
    await rig.pass_time(120)
    assert call.caller_leg not in await live(rig, call.call)
    (ended,) = {report.by for report in await rig.all_news(LegEnded, call.caller_leg)}
    assert ended is ReleaseSide.PARTY  # we were late: it was not our doing


@pytest.mark.parametrize(
    "word", ["anonymous", "Anonymous", "RESTRICTED", "unavailable", "+266696687", ""]
)
async def test_a_withheld_number_is_nobodys(rig: TwilioRig, word: str) -> None:
    rig.twilio.knobs.withheld_as = word
    await rig.dial_in(await rig.phone(Behaviour.BY_HAND), withhold=True)

    assert (await rig.news(CallIn)).caller is None


async def test_what_the_network_says_of_a_callers_number_is_kept(rig: TwilioRig) -> None:
    await rig.dial_in(await rig.phone(Behaviour.BY_HAND))
    await rig.news(CallIn)

    assert isinstance(rig.book, MemoryBook)
    kept = [event.fields for event in rig.book.events.values()]
    assert [fields["StirVerstat"] for fields in kept if "StirVerstat" in fields] == [
        "No-TN-Validation"
    ]


async def test_calls_begun_at_once_are_kept_apart(rig: TwilioRig) -> None:
    rig.twilio.failures.plan("CreateCall", *[Failure.DISCONNECT_AFTER] * 5)
    phones = [await rig.phone(Behaviour.ANSWERS) for _ in range(10)]
    legs = [LegId(f"call{n}/caller/1") for n in range(10)]

    outcomes = await asyncio.gather(
        *(ring(rig, leg, phone) for leg, phone in zip(legs, phones, strict=True)),
        return_exceptions=True,
    )

    assert sum(isinstance(outcome, CarrierUnknown) for outcome in outcomes) == 5
    for leg in legs:
        await rig.news(LegAnswered, leg)
    assert [rig.twilio.phone(phone.digits).rung for phone in phones] == [1] * 10
