"""Who is in a conference, what starts and ends it, and what is told of it."""

import pytest

from tests.twilio_standin.conftest import ANSWERS, OURS, Client, a_number
from tests.twilio_standin.phones import Reply, Script
from tests.twilio_standin.service import PUBLIC, Service
from tests.twilio_standin.standin import Twilio

ANN, BEN, CHO = a_number(1), a_number(2), a_number(3)
ALL = "start end join leave mute hold announcement"


def seat(
    service: Service, who: str, attributes: str = "", *, dial: str = "", after: str = ""
) -> str:
    """A document that puts its call into the conference; gives its address."""
    conference = (
        f'<Conference statusCallback="/room" statusCallbackEvent="{ALL}" waitUrl="" beep="false" '
        f'participantLabel="{who}" {attributes}>room-1</Conference>'
    )
    return service.twiml(f"/{who}", f"<Dial {dial}>{conference}</Dial>{after}")


async def both(twilio: Twilio, service: Service, client: Client, attributes: str = "") -> list[str]:
    """Ann and Ben in one conference."""
    sids = []
    for number, who in ((ANN, "ann"), (BEN, "ben")):
        twilio.phone(number, ANSWERS)
        sids.append(await client.call(number, seat(service, who, attributes)))
    return sids


async def test_a_conference_starts_with_the_second_and_ends_with_the_last(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F11, F12."""
    sids = await both(twilio, service, client)
    assert service.events("/room") == [
        "participant-join",
        "participant-join",
        "conference-start",
    ]
    assert (twilio.hears(ANN), twilio.hears(BEN)) == ({BEN}, {ANN})
    twilio.hang_up(ANN)
    await twilio.settle()
    assert twilio.hears(BEN) == set()
    twilio.hang_up(BEN)
    await twilio.settle()

    left, ended = service.at("/room")[-2:]
    assert left.params["ReasonParticipantLeft"] == "participant_hung_up"
    assert left.params["ParticipantCallStatus"] == "completed"
    assert ended.params["ReasonConferenceEnded"] == "last-participant-left"
    assert ended.params["CallSidEndingConference"] == sids[1]
    assert ended.params["ParticipantLabelEndingConference"] == "ben"
    numbers = [int(heard.params["SequenceNumber"]) for heard in service.at("/room")]
    assert numbers == list(range(1, 7))
    assert "CallStatus" not in left.params
    assert "From" not in left.params


async def test_who_may_not_start_it_waits_for_one_who_may(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F11."""
    for number, who in ((ANN, "ann"), (BEN, "ben"), (CHO, "cho")):
        twilio.phone(number, ANSWERS)
        starts = "true" if who == "cho" else "false"
        await client.call(number, seat(service, who, f'startConferenceOnEnter="{starts}"'))
        assert ("conference-start" in service.events("/room")) is (who == "cho")
    assert twilio.hears(ANN) == {BEN, CHO}


async def test_who_ends_it_on_exit_takes_it_along_and_the_others_go_on(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F13."""
    twilio.phone(ANN, ANSWERS)
    twilio.phone(BEN, ANSWERS)
    await client.call(ANN, seat(service, "ann", 'endConferenceOnExit="true"'))
    service.twiml("/after", '<Say>goodbye</Say><Pause length="60"/>')
    await client.call(BEN, seat(service, "ben", dial='action="/after"'))
    twilio.hang_up(ANN)
    await twilio.settle()

    first, second, ended = (heard.params for heard in service.at("/room")[-3:])
    assert (first["ParticipantLabel"], second["ParticipantLabel"]) == ("ann", "ben")
    assert second["ReasonParticipantLeft"] == "moderator_ended_conference"
    assert second["ParticipantCallStatus"] == "in-progress"
    assert ended["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"
    asked = service.at("/after")[0].params
    assert (asked["DialCallStatus"], asked["DialBridged"]) == ("answered", "true")
    assert not {"DialCallSid", "DialCallDuration"} & asked.keys()  # F14
    assert twilio.phone(BEN).heard == ["goodbye"]


async def test_a_name_is_free_again_once_its_conference_has_ended(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F15: a straggler opens another conference of the same name."""
    await both(twilio, service, client)
    found = await client.ask("GET", "/Conferences.json", {"FriendlyName": "room-1"})
    sid = found.body["conferences"][0]["sid"]
    ended = await client.ask("POST", f"/Conferences/{sid}.json", {"Status": "completed"})
    assert ended.body["reason_conference_ended"] == "conference-ended-via-api"
    assert ended.body["call_sid_ending_conference"] is None
    await twilio.settle()
    twilio.phone(CHO, ANSWERS)
    await client.call(CHO, seat(service, "cho"))

    found = await client.ask(
        "GET", "/Conferences.json", {"FriendlyName": "room-1", "Status": "init"}
    )
    assert [one["sid"] for one in found.body["conferences"]] != [sid]
    assert len(twilio.exchange.rooms) == 2
    leaves = [heard.params for heard in service.at("/room") if heard.event == "participant-leave"]
    assert {one["ReasonParticipantLeft"] for one in leaves} == {"conference_ended_via_api"}


async def test_a_label_is_admitted_once_and_the_other_falls_through(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F16."""
    await both(twilio, service, client)
    twilio.phone(CHO, ANSWERS)
    await client.call(CHO, seat(service, "ann", after="<Say>taken</Say>"))

    assert twilio.phone(CHO).heard == ["taken"]
    assert twilio.hears(BEN) == {ANN}


async def test_a_full_conference_admits_nobody(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F17."""
    await both(twilio, service, client, 'maxParticipants="2"')
    twilio.phone(CHO, ANSWERS)
    await client.call(CHO, seat(service, "cho", 'maxParticipants="2"', after="<Say>full</Say>"))

    assert twilio.phone(CHO).heard == ["full"]


async def test_whoever_opens_it_says_who_is_told(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F18."""
    for number, path in ((ANN, "/first"), (BEN, "/second")):
        twilio.phone(number, ANSWERS)
        noun = f'<Conference statusCallback="{path}" statusCallbackEvent="join">r</Conference>'
        await client.call(number, service.twiml(f"{path}-go", f"<Dial>{noun}</Dial>"))

    assert len(service.at("/first")) == 2
    assert service.at("/second") == []


async def test_a_redirected_call_leaves_and_does_as_it_is_told(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F19."""
    ann, _ = await both(twilio, service, client)
    service.twiml("/hold", '<Say>hold the line</Say><Pause length="60"/>')
    await client.update(ann, Url=f"{PUBLIC}/hold")

    left = service.at("/room")[-1].params
    assert left["ReasonParticipantLeft"] == "participant_updated_via_api"
    assert left["ParticipantCallStatus"] == "in-progress"
    assert twilio.phone(ANN).heard == ["hold the line"]
    assert twilio.hears(BEN) == set()
    await client.update(ann, Url=f"{PUBLIC}/ann")
    assert twilio.hears(BEN) == {ANN}
    assert service.events("/room").count("conference-start") == 1


async def test_a_kicked_participant_goes_on_after_its_dial(
    twilio: Twilio, service: Service, client: Client
) -> None:
    ann, _ = await both(twilio, service, client)
    room = next(iter(twilio.exchange.rooms))
    gone = await client.ask("DELETE", f"/Conferences/{room}/Participants/{ann}.json")
    await twilio.settle()

    assert gone.status == 204
    assert [call.to for call in twilio.live_calls()] == [BEN]  # Ann's document had no more to say


@pytest.mark.parametrize("by", ["sid", "label"])
async def test_an_announcement_reaches_whom_it_is_for(
    twilio: Twilio, service: Service, client: Client, by: str
) -> None:
    """F20."""
    ann, _ = await both(twilio, service, client)
    room = next(iter(twilio.exchange.rooms))
    url = service.twiml("/say", "<Say>five minutes</Say>")
    who = ann if by == "sid" else "ann"

    await client.ask("POST", f"/Conferences/{room}/Participants/{who}.json", {"AnnounceUrl": url})
    await twilio.pass_time(3)

    assert (twilio.phone(ANN).heard, twilio.phone(BEN).heard) == (["five minutes"], [])
    told = service.at("/room")[-1].params
    assert told["StatusCallbackEvent"] == "announcement-end"
    assert (told["AnnounceUrl"], told["ParticipantLabel"]) == (url, "ann")

    await client.ask("POST", f"/Conferences/{room}.json", {"AnnounceUrl": url})
    await twilio.pass_time(3)
    assert twilio.phone(BEN).heard == ["five minutes"]


async def test_an_announcement_asks_nobody_anything(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F21."""
    ann, _ = await both(twilio, service, client)
    room = next(iter(twilio.exchange.rooms))
    url = service.twiml("/say", "<Gather><Say>press one</Say></Gather>")
    with twilio.expecting_faults() as found:
        path = f"/Conferences/{room}/Participants/{ann}.json"
        await client.ask("POST", path, {"AnnounceUrl": url})
        await twilio.settle()

    assert found == [f"{url}: <Gather> not allowed here"]
    assert service.events("/room")[-1] == "announcement-fail"


async def test_hold_and_mute_are_heard_and_told(
    twilio: Twilio, service: Service, client: Client
) -> None:
    ann, _ = await both(twilio, service, client)
    path = f"/Conferences/{next(iter(twilio.exchange.rooms))}/Participants/{ann}.json"
    await client.ask("POST", path, {"Muted": "true"})
    assert (twilio.hears(BEN), twilio.hears(ANN)) == (set(), {BEN})
    await client.ask("POST", path, {"Muted": "false", "Hold": "true"})
    assert (twilio.hears(BEN), twilio.hears(ANN)) == (set(), set())
    await client.ask("POST", path, {"Hold": "false"})
    assert twilio.hears(BEN) == {ANN}
    await twilio.settle()

    assert service.events("/room")[-4:] == [
        "participant-mute",
        "participant-unmute",
        "participant-hold",
        "participant-unhold",
    ]


async def test_the_dials_own_limit_takes_one_out_and_lets_it_go_on(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F22."""
    twilio.phone(ANN, ANSWERS)
    twilio.phone(BEN, ANSWERS)
    await client.call(ANN, seat(service, "ann", dial='timeLimit="9"', after="<Say>time</Say>"))
    await client.call(BEN, seat(service, "ben"))

    await twilio.pass_time(9)

    assert twilio.phone(ANN).heard == ["time"]
    assert twilio.hears(BEN) == set()


@pytest.mark.parametrize("limit", ["participant_hung_up", "participant_updated_via_api"])
async def test_why_somebody_left_at_the_limit_nobody_knows(
    twilio: Twilio, service: Service, client: Client, limit: str
) -> None:
    """F07."""
    twilio.knobs.limit_leaves_as = limit
    ann, _ = await both(twilio, service, client)
    await client.update(ann, TimeLimit="9")

    await twilio.pass_time(9)

    left = service.at("/room")[-1].params
    assert (left["ReasonParticipantLeft"], left["ParticipantCallStatus"]) == (limit, "completed")


async def test_music_that_cannot_be_fetched_costs_the_seat(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F23."""
    twilio.phone(ANN, ANSWERS)
    noun = '<Conference waitUrl="/music">r</Conference>'
    service.statuses["/music"] = [500, 500]
    with twilio.expecting_faults() as found:
        await client.call(ANN, service.twiml("/go", f"<Dial>{noun}</Dial>"))

    assert found == [f"{PUBLIC}/music gave nothing to say"]
    assert twilio.live_calls() == []


PARTICIPANT = {
    "From": OURS,
    "Label": "cho",
    "ConferenceStatusCallback": f"{PUBLIC}/room",
    "ConferenceStatusCallbackEvent": ("join", "leave", "end"),
}


async def test_a_participant_added_over_the_api_joins_when_it_answers(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F49: it has no document, so its call ends with its seat."""
    await both(twilio, service, client)
    twilio.phone(CHO, ANSWERS)
    given = {**PARTICIPANT, "To": CHO}
    made = await client.ask("POST", "/Conferences/room-1/Participants.json", given)
    await twilio.settle()

    room = next(iter(twilio.exchange.rooms))
    assert (made.status, made.body["conference_sid"]) == (201, room)
    assert twilio.hears(CHO) == {ANN, BEN}
    await client.ask("DELETE", f"/Conferences/{room}/Participants/cho.json")
    await twilio.settle()
    assert [call.to for call in twilio.live_calls()] == [ANN, BEN]


async def test_a_participant_who_never_answers_leaves_without_having_come(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F49."""
    await both(twilio, service, client)
    twilio.phone(CHO, Script(reply=Reply.BUSY))
    given = {**PARTICIPANT, "To": CHO}
    await client.ask("POST", "/Conferences/room-1/Participants.json", given)
    await twilio.settle()

    left = service.at("/room")[-1].params
    assert left["ReasonParticipantLeft"] == "participant_add_failed"
    assert (left["ParticipantCallStatus"], left["ParticipantLabel"]) == ("busy", "cho")


async def test_a_participant_may_open_the_conference_it_joins(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F49."""
    twilio.phone(CHO, ANSWERS)
    given = {**PARTICIPANT, "To": CHO}
    made = await client.ask("POST", "/Conferences/new/Participants.json", given)
    await twilio.settle()
    twilio.hang_up(CHO)
    await twilio.settle()

    assert service.events("/room") == ["participant-join", "participant-leave", "conference-end"]
    assert service.at("/room")[0].params["CallSid"] == made.body["call_sid"]
