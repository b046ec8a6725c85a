"""TwiML at work on one call."""

import pytest

from tests.twilio_standin.calls import Address
from tests.twilio_standin.conftest import ANSWERS, OURS, Client, a_number
from tests.twilio_standin.phones import Reply, Script
from tests.twilio_standin.service import PUBLIC, Service
from tests.twilio_standin.standin import Twilio

ANN = a_number(1)
WAIT = '<Pause length="600"/>'
ASK = '<Gather numDigits="1" timeout="5" action="/key"><Say>press one</Say></Gather>'


@pytest.fixture
def voice(twilio: Twilio) -> str:
    """Our number, answered by `/in`."""
    twilio.number(OURS).voice = Address(url=f"{PUBLIC}/in")
    return OURS


async def test_a_key_answers_the_question(twilio: Twilio, service: Service, client: Client) -> None:
    """F24."""
    twilio.phone(ANN, Script(reply=Reply.ANSWERS, presses="1"))
    service.twiml("/key", WAIT)
    await client.call(ANN, service.twiml("/go", ASK))
    await twilio.pass_time(2)

    asked = service.at("/key")[0].params
    assert (asked["Digits"], asked["FinishedOnKey"]) == ("1", "")
    assert twilio.phone(ANN).heard == ["press one"]


async def test_who_presses_nothing_comes_to_the_next_verb(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F24: voicemail does not press keys."""
    twilio.phone(ANN, ANSWERS)
    await client.call(ANN, service.twiml("/go", f"{ASK}<Say>nobody</Say>"))
    await twilio.pass_time(2 + 4)
    assert twilio.phone(ANN).heard == ["press one"]
    await twilio.pass_time(1)

    assert twilio.phone(ANN).heard == ["press one", "nobody"]
    assert service.at("/key") == []
    await twilio.pass_time(2)
    assert twilio.live_calls() == []  # the document is at its end


async def test_several_keys_end_with_the_finishing_one(
    twilio: Twilio, service: Service, client: Client
) -> None:
    twilio.phone(ANN, ANSWERS)
    service.twiml("/key", WAIT)
    await client.call(ANN, service.twiml("/go", '<Gather action="/key"/>'))
    twilio.press(ANN, "42#")
    await twilio.settle()

    asked = service.at("/key")[0].params
    assert (asked["Digits"], asked["FinishedOnKey"]) == ("42", "#")


async def test_keys_in_a_conference_are_told_to_nobody(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F25."""
    twilio.phone(ANN, ANSWERS)
    await client.call(ANN, service.twiml("/go", "<Dial><Conference>r</Conference></Dial>"))
    told = len(service.heard)
    twilio.press(ANN, "42#")
    await twilio.settle()

    assert twilio.phone(ANN).unheard_keys == "42#"
    assert len(service.heard) == told


async def test_a_document_may_send_to_another(
    twilio: Twilio, service: Service, client: Client
) -> None:
    twilio.phone(ANN, ANSWERS)
    service.twiml("/two", "<Say>here</Say><Hangup/><Say>never</Say>")
    await client.call(ANN, service.twiml("/one", "<Redirect>/two?a=1</Redirect>"))
    await twilio.pass_time(2)

    assert service.at("/two")[0].path == "/two?a=1"
    assert service.at("/two")[0].is_signed
    assert twilio.phone(ANN).heard == ["here"]
    assert twilio.live_calls() == []


async def test_a_document_that_fails_is_asked_of_the_fallback(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F26: an HTTP 5xx is not tried again by itself."""
    twilio.phone(ANN, ANSWERS)
    service.statuses["/go"] = [500]
    fallback = service.twiml("/fallback", f"<Say>sorry</Say>{WAIT}")
    await client.call(ANN, f"{PUBLIC}/go", FallbackUrl=fallback)

    assert len(service.at("/go")) == 1
    asked = service.at("/fallback")[0].params
    assert (asked["ErrorCode"], asked["ErrorUrl"]) == ("11200", f"{PUBLIC}/go")
    assert twilio.phone(ANN).heard == ["sorry"]


async def test_without_a_document_the_call_ends(
    twilio: Twilio, service: Service, client: Client
) -> None:
    twilio.phone(ANN, ANSWERS)
    with twilio.expecting_faults() as found:
        await client.call(ANN, f"{PUBLIC}/nothing")

    assert found == [f"{PUBLIC}/nothing gave no TwiML: the caller hears an error"]
    assert twilio.live_calls() == []


async def test_twiml_that_twilio_would_not_take_is_a_fault(
    twilio: Twilio, service: Service, client: Client
) -> None:
    twilio.phone(ANN, ANSWERS)
    with twilio.expecting_faults() as found:
        await client.call(ANN, service.twiml("/go", '<Say laut="ja">x</Say>'))

    assert found == [f"{PUBLIC}/go: <Say> has no attribute laut"]
    assert twilio.live_calls() == []


async def test_a_caller_is_told_of_with_what_the_network_says_of_the_number(
    twilio: Twilio, service: Service, voice: str
) -> None:
    """F27."""
    service.twiml("/in", WAIT)
    twilio.dial_in(ANN, voice, stir="TN-Validation-Passed-A")
    await twilio.settle()

    asked = service.at("/in")[0]
    assert asked.is_signed
    assert asked.params["CallStatus"] == "ringing"
    assert asked.params["Direction"] == "inbound"
    assert asked.params["From"] == asked.params["Caller"] == ANN
    assert asked.params["StirVerstat"] == "TN-Validation-Passed-A"
    assert asked.params["FromCity"] == ""  # F28: empty fields are sent, and signed
    assert "CallToken" in asked.params


@pytest.mark.parametrize("word", ["anonymous", "Restricted"])
async def test_a_withheld_number_is_a_word(
    twilio: Twilio, service: Service, voice: str, word: str
) -> None:
    """F29."""
    twilio.knobs.withheld_as = word
    service.twiml("/in", WAIT)
    twilio.dial_in(ANN, voice, withhold=True)
    await twilio.settle()

    asked = service.at("/in")[0].params
    assert asked["From"] == word
    assert "StirVerstat" not in asked
    twilio.hang_up(ANN)


async def test_a_pause_that_comes_first_delays_the_answer(
    twilio: Twilio, service: Service, voice: str
) -> None:
    """F30."""
    service.twiml("/in", '<Pause length="3"/><Redirect>/next</Redirect>')
    service.twiml("/next", f"<Say>welcome</Say>{WAIT}")
    call = twilio.dial_in(ANN, voice)
    await twilio.pass_time(2)
    assert call.status == "ringing"

    await twilio.pass_time(1)

    assert call.status == "in-progress"
    assert twilio.phone(ANN).heard == ["welcome"]


@pytest.mark.parametrize(("reason", "status"), [("rejected", "no-answer"), ("busy", "busy")])
async def test_a_call_that_is_rejected_was_never_answered(
    twilio: Twilio, service: Service, voice: str, reason: str, status: str
) -> None:
    """F31."""
    service.twiml("/in", f'<Reject reason="{reason}"/>')
    call = twilio.dial_in(ANN, voice)
    await twilio.settle()

    assert (call.status, call.answered_at) == (status, None)


async def test_a_caller_who_gives_up_untaken_ends_as_no_answer(
    twilio: Twilio, service: Service, voice: str
) -> None:
    """F32."""
    service.twiml("/in", WAIT)
    call = twilio.dial_in(ANN, voice)
    await twilio.settle()
    twilio.hang_up(ANN)

    assert call.status == "no-answer"


@pytest.mark.parametrize("begun", [ASK, '<Pause length="5"/>', "<Say>wait</Say>"])
async def test_another_document_takes_the_place_of_the_one_at_work(
    twilio: Twilio, service: Service, client: Client, begun: str
) -> None:
    twilio.phone(ANN, ANSWERS)
    sid = await client.call(ANN, service.twiml("/go", f"{begun}<Say>late</Say>"))
    service.twiml("/other", f"<Say>other</Say>{WAIT}")
    await client.update(sid, Url=f"{PUBLIC}/other")
    await twilio.pass_time(30)

    assert twilio.phone(ANN).heard[-1] == "other"
    assert len(twilio.live_calls()) == 1


async def test_a_document_may_be_given_with_the_order(
    twilio: Twilio, service: Service, client: Client
) -> None:
    twilio.phone(ANN, ANSWERS)
    sid = await client.call(ANN, service.twiml("/go", WAIT))
    await client.update(sid, Twiml="<Response><Say>bye</Say></Response>")
    await twilio.pass_time(2)

    assert twilio.phone(ANN).heard == ["bye"]
    assert twilio.live_calls() == []
