"""Messages, codes, and what the account has."""

from tests.twilio_standin.conftest import OURS, Client, a_number
from tests.twilio_standin.service import PUBLIC, Service
from tests.twilio_standin.standin import Twilio

ANN = a_number(1)


async def test_a_message_is_sent_delivered_and_told(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F47."""
    given = {"To": ANN, "From": OURS, "Body": "hello", "StatusCallback": f"{PUBLIC}/sms"}
    made = await client.ask("POST", "/Messages.json", given)
    assert (made.status, made.body["status"]) == (201, "queued")
    await twilio.settle()

    told = service.at("/sms")
    assert [heard.params["MessageStatus"] for heard in told] == ["sent", "delivered"]
    assert told[0].params["SmsSid"] == made.body["sid"]
    assert all(heard.is_signed for heard in told)
    assert "SequenceNumber" not in told[0].params
    assert len(told[1].params["RawDlrDoneDate"]) == 10
    assert twilio.phone(ANN).messages == ["hello"]
    found = await client.ask("GET", f"/Messages/{made.body['sid']}.json")
    assert found.body["status"] == "delivered"


async def test_a_message_that_does_not_arrive_says_why(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F47."""
    twilio.office.undeliverable[ANN] = 30003
    given = {"To": ANN, "From": OURS, "Body": "hello", "StatusCallback": f"{PUBLIC}/sms"}
    await client.ask("POST", "/Messages.json", given)
    await twilio.settle()

    last = service.at("/sms")[-1].params
    assert (last["MessageStatus"], last["ErrorCode"]) == ("undelivered", "30003")
    assert twilio.phone(ANN).messages == []


async def test_a_code_is_sent_checked_and_used_up(twilio: Twilio, client: Client) -> None:
    """F48."""
    service = f"/v2/Services/{twilio.office.verify_service}"
    sent = {"To": ANN, "Channel": "sms", "CustomCode": "482913"}
    assert (await client.ask("POST", f"{service}/Verifications", sent)).body["status"] == "pending"
    assert twilio.phone(ANN).messages == ["482913"]

    wrong = await client.ask("POST", f"{service}/VerificationCheck", {"To": ANN, "Code": "1"})
    assert (wrong.status, wrong.body["status"]) == (200, "pending")
    given = {"To": ANN, "Code": "482913"}
    right = await client.ask("POST", f"{service}/VerificationCheck", given)
    assert (right.body["status"], right.body["valid"]) == ("approved", True)
    again = await client.ask("POST", f"{service}/VerificationCheck", given)
    assert (again.status, again.body["code"]) == (404, 20404)


async def test_codes_and_checks_come_to_an_end(twilio: Twilio, client: Client) -> None:
    """F48: 429 here is no matter of too many requests at once."""
    service = f"/v2/Services/{twilio.office.verify_service}"
    sent = {"To": ANN, "Channel": "sms"}
    statuses = [(await client.ask("POST", f"{service}/Verifications", sent)) for _ in range(6)]
    assert [one.status for one in statuses] == [201] * 5 + [429]
    assert statuses[-1].body["code"] == 60203
    check = {"To": ANN, "Code": "x"}
    checks = [(await client.ask("POST", f"{service}/VerificationCheck", check)) for _ in range(6)]
    assert checks[-1].body["code"] == 60202

    await twilio.pass_time(600)
    late = await client.ask("POST", f"{service}/VerificationCheck", check)
    assert late.status == 404


async def test_the_account_tells_what_it_has(twilio: Twilio, client: Client) -> None:
    account = await client.ask("GET", ".json")
    assert (account.body["status"], account.body["type"]) == ("active", "Full")
    numbers = await client.ask("GET", "/IncomingPhoneNumbers.json", {"PhoneNumber": OURS})
    assert [one["phone_number"] for one in numbers.body["incoming_phone_numbers"]] == [OURS]
    none = await client.ask("GET", "/IncomingPhoneNumbers.json", {"PhoneNumber": ANN})
    assert none.body["incoming_phone_numbers"] == []
    profiles = await client.ask("GET", "/v1/CustomerProfiles")
    assert [one["status"] for one in profiles.body["results"]] == ["twilio-approved"]
    twilio.office.profile = None
    assert (await client.ask("GET", "/v1/CustomerProfiles")).body["results"] == []
    assert (await client.ask("GET", "/v1/Alerts")).body["alerts"] == []
