"""A call's life, as its callbacks and its resource tell it."""

from email.utils import parsedate_to_datetime

import pytest

from tests.twilio_standin.conftest import ANSWERS, OURS, Client, a_number, unknown_sid
from tests.twilio_standin.phones import Reply, Script
from tests.twilio_standin.service import PUBLIC, Service
from tests.twilio_standin.standin import NOON, Twilio

ANN, BEN = a_number(1), a_number(2)
WAIT = '<Pause length="600"/>'


async def test_callbacks_are_numbered_from_zero_signed_and_timed_in_whole_seconds(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F01, F02."""
    twilio.phone(ANN, Script(reply=Reply.ANSWERS, after_seconds=3))
    await client.call(ANN, service.twiml("/go", WAIT))
    await twilio.pass_time(5)
    twilio.hang_up(ANN)
    await twilio.settle()

    told = service.at("/status")
    assert [heard.event for heard in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert [heard.params["SequenceNumber"] for heard in told] == ["0", "1", "2", "3"]
    assert {heard.params["CallbackSource"] for heard in told} == {"call-progress-events"}
    assert all(heard.is_signed for heard in service.heard)
    assert parsedate_to_datetime(told[0].params["Timestamp"]) == NOON
    assert told[0].params["Timestamp"].endswith("+0000")
    last = told[-1].params
    assert (last["CallDuration"], last["Duration"], last["SipResponseCode"]) == ("2", "1", "200")


@pytest.mark.parametrize(
    ("reply", "status", "sip"),
    [
        (Reply.BUSY, "busy", "486"),
        (Reply.REJECTS, "busy", "603"),
        (Reply.OFF, "no-answer", "480"),
        (Reply.UNKNOWN, "failed", "404"),
        (Reply.FAILS, "failed", "503"),
    ],
)
async def test_a_call_that_is_not_answered_ends_with_its_sip_code(
    twilio: Twilio, service: Service, client: Client, reply: Reply, status: str, sip: str
) -> None:
    """F03."""
    twilio.phone(ANN, Script(reply=reply))
    sid = await client.call(ANN, f"{PUBLIC}/go")

    last = service.at("/status")[-1].params
    assert (last["CallStatus"], last["SipResponseCode"]) == (status, sip)
    assert (last["CallDuration"], last["Duration"]) == ("0", "0")
    assert service.at("/go") == []
    assert (await client.ask("GET", f"/Calls/{sid}.json")).body["status"] == status


async def test_a_busy_phone_rings_before_it_is_busy(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F03: captured, busy came as number 2."""
    twilio.phone(ANN, Script(reply=Reply.BUSY))
    await client.call(ANN, f"{PUBLIC}/go")

    assert service.at("/status")[-1].params["SequenceNumber"] == "2"


async def test_ringing_ends_with_487_after_the_timeout(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F03."""
    await client.call(ANN, f"{PUBLIC}/go", Timeout="25")
    await twilio.pass_time(24)
    assert service.events("/status")[-1] == "ringing"

    await twilio.pass_time(1)

    last = service.at("/status")[-1].params
    assert (last["CallStatus"], last["SipResponseCode"]) == ("no-answer", "487")


async def test_a_phone_in_a_call_is_busy(twilio: Twilio, service: Service, client: Client) -> None:
    twilio.phone(ANN, ANSWERS)
    await client.call(ANN, service.twiml("/go", WAIT))
    await client.call(ANN, f"{PUBLIC}/go")

    assert twilio.phone(ANN).rung == 1
    assert service.events("/status")[-1] == "busy"


async def test_a_call_cancelled_while_queued_tells_nobody(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F04."""
    twilio.knobs.calls_per_second = 0.1
    await client.call(BEN, f"{PUBLIC}/go")
    service.heard.clear()
    sid = await client.call(ANN, f"{PUBLIC}/go")
    found = await client.ask("GET", f"/Calls/{sid}.json")
    assert (found.body["status"], found.body["queue_time"]) == ("queued", "10000")

    await client.update(sid, Status="canceled")
    await twilio.pass_time(11)

    assert (await client.ask("GET", f"/Calls/{sid}.json")).body["status"] == "canceled"
    assert service.at("/status") == []
    assert twilio.phone(ANN).rung == 0


@pytest.mark.parametrize("status", ["canceled", "completed"])
async def test_a_ringing_call_that_is_ended_is_cancelled_and_told(
    twilio: Twilio, service: Service, client: Client, status: str
) -> None:
    """F05."""
    sid = await client.call(ANN, f"{PUBLIC}/go")
    await client.update(sid, Status=status)

    assert service.events("/status") == ["initiated", "ringing", "canceled"]
    assert twilio.live_calls() == []


async def test_cancelling_leaves_a_call_in_progress_alone(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F05."""
    twilio.phone(ANN, ANSWERS)
    sid = await client.call(ANN, service.twiml("/go", WAIT))
    await client.update(sid, Status="canceled")
    assert len(twilio.live_calls()) == 1

    await client.update(sid, Status="completed")

    assert twilio.live_calls() == []


async def test_a_call_that_has_ended_cannot_be_redirected(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F06."""
    sid = await client.call(ANN, service.twiml("/go", WAIT))
    refused = await client.update(sid, Url=f"{PUBLIC}/go")
    assert (refused.status, refused.body["code"]) == (400, 21220)  # it only rings
    await client.update(sid, Status="canceled")

    for params in ({"Url": f"{PUBLIC}/go"}, {"TimeLimit": "60"}):
        refused = await client.update(sid, **params)
        assert (refused.status, refused.body["code"]) == (400, 21220)
    assert (await client.update(sid, Status="completed")).status == 200
    twilio.knobs.ending_again_is_refused = True
    assert (await client.update(sid, Status="completed")).body["code"] == 21220


@pytest.mark.parametrize(("from_update", "lasts"), [(False, 30), (True, 50)])
async def test_a_limit_can_be_changed_on_a_live_call(
    twilio: Twilio, service: Service, client: Client, from_update: bool, lasts: int
) -> None:
    """F07: since when it counts is not documented, so there is a knob."""
    twilio.knobs.limit_counts_from_update = from_update
    twilio.phone(ANN, ANSWERS)
    sid = await client.call(ANN, service.twiml("/go", WAIT), TimeLimit="600")
    await twilio.pass_time(20)
    await client.update(sid, TimeLimit="30")

    await twilio.pass_time(lasts - 20 - 1)
    assert len(twilio.live_calls()) == 1
    await twilio.pass_time(1)

    assert twilio.live_calls() == []
    assert service.at("/status")[-1].params["CallDuration"] == str(lasts)


async def test_over_the_rate_calls_queue_and_over_the_most_they_are_refused(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F08."""
    twilio.knobs.calls_per_second = 1
    for n in range(3):
        await client.call(a_number(n), f"{PUBLIC}/go")
    assert [twilio.phone(a_number(n)).rung for n in range(3)] == [1, 0, 0]
    await twilio.pass_time(2)
    assert [twilio.phone(a_number(n)).rung for n in range(3)] == [1, 1, 1]

    twilio.knobs.most_calls = 3
    given = {"To": a_number(9), "From": OURS, "Url": f"{PUBLIC}/go"}
    refused = await client.ask("POST", "/Calls.json", given)
    assert refused.body["code"] == 10004


async def test_what_is_told_may_overtake_the_answer(
    twilio: Twilio, service: Service, client: Client
) -> None:
    twilio.knobs.tells_before_answering = True
    twilio.phone(ANN, ANSWERS)
    given = {"To": ANN, "From": OURS, "Url": service.twiml("/go", WAIT)}

    answered = await client.ask("POST", "/Calls.json", given)

    assert answered.status == 201
    assert [heard.params["CallSid"] for heard in service.at("/go")] == [answered.body["sid"]]


async def test_a_list_is_filtered_and_comes_in_pages(
    twilio: Twilio, service: Service, client: Client
) -> None:
    sids = [await client.call(a_number(n), f"{PUBLIC}/go") for n in range(5)]
    await client.update(sids[0], Status="canceled")

    found = await client.ask("GET", "/Calls.json", {"Status": "ringing", "PageSize": "3"})
    assert [one["sid"] for one in found.body["calls"]] == [sids[4], sids[3], sids[2]]
    following = found.body["next_page_uri"].partition(twilio.account.sid)[2]
    rest = await client.ask("GET", following)
    assert [one["sid"] for one in rest.body["calls"]] == [sids[1]]
    assert rest.body["next_page_uri"] is None
    to = await client.ask("GET", "/Calls.json", {"To": a_number(3)})
    assert [one["sid"] for one in to.body["calls"]] == [sids[3]]
    later = {"StartTime>": "2030-01-01T12:00:01+00:00"}
    assert (await client.ask("GET", "/Calls.json", later)).body["calls"] == []


async def test_nobody_is_found_who_is_not_there(client: Client) -> None:
    missing = await client.ask("GET", f"/Calls/{unknown_sid('CA')}.json")
    assert (missing.status, missing.body["code"]) == (404, 20404)


async def test_a_foreign_number_may_not_be_shown(client: Client) -> None:
    """F09."""
    given = {"To": ANN, "From": BEN, "Url": f"{PUBLIC}/go"}
    refused = await client.ask("POST", "/Calls.json", given)
    assert (refused.status, refused.body["code"]) == (400, 21210)


async def test_a_dropped_leg_tells_a_sip_code_and_a_phone_out_of_reach_does_not(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F10: losing radio looks like hanging up."""
    for end in (twilio.drop, twilio.hang_up):
        twilio.phone(ANN, ANSWERS)
        await client.call(ANN, service.twiml("/go", WAIT))
        end(ANN)
        await twilio.settle()

    ends = [heard.params for heard in service.at("/status") if heard.event == "completed"]
    assert [end["SipResponseCode"] for end in ends] == ["503", "200"]


async def test_machine_detection_is_told_with_the_first_document(
    twilio: Twilio, service: Service, client: Client
) -> None:
    twilio.phone(ANN, Script(reply=Reply.ANSWERS, answered_by="machine_start"))
    await client.call(ANN, service.twiml("/go", WAIT), MachineDetection="Enable")

    assert service.at("/go")[0].params["AnsweredBy"] == "machine_start"
