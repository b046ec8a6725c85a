"""How webhooks are signed, tried again, lost and mixed up."""

import pytest
from twilio.request_validator import RequestValidator

from tests.twilio_standin.conftest import ANSWERS, Client, a_number
from tests.twilio_standin.hooks import Answer, Post, Tries, signature, tries_of
from tests.twilio_standin.service import PUBLIC, Service
from tests.twilio_standin.standin import Twilio

ANN = a_number(1)
WAIT = '<Pause length="600"/>'


@pytest.mark.parametrize(
    ("caller", "signed"),
    [
        ("+12349013030", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="),
        ("+14158675309", "RSOYDt4T1cUTdK1PDd93/VVr8B8="),
    ],
)
def test_a_signature_is_the_documented_one(caller: str, signed: str) -> None:
    """F39: the vectors that Twilio publishes."""
    params = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": caller,
        "Digits": "1234",
        "From": caller,
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"

    assert signature("12345", url, params) == signed


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/x",
        "https://a.example/x?b=%2F%20+%C3%A4",
        "https://a.example/x#rc=3&rp=5xx",
    ],
)
def test_the_sdk_takes_our_signatures_without_the_fragment(url: str) -> None:
    """F39, F40: an empty field counts, a fragment does not."""
    params = {"b": "", "a": "\N{CJK UNIFIED IDEOGRAPH-4F60}"}
    good = signature("t", url, params)

    assert RequestValidator("t").validate(url.partition("#")[0], params, good)
    assert not RequestValidator("t").validate(url.partition("#")[0], {"a": params["a"]}, good)
    assert not RequestValidator("u").validate(url.partition("#")[0], params, good)


@pytest.mark.parametrize(
    ("fragment", "answer", "connected", "again"),
    [
        ("", None, False, True),  # no connection: once more
        ("", None, True, False),
        ("", 503, True, False),
        ("#rc=3&rp=ct,rt,5xx", 503, True, True),
        ("#rc=3&rp=ct,rt,5xx", None, True, True),
        ("#rc=3&rp=ct,rt,5xx", 404, True, False),
        ("#rp=4xx", 404, True, True),
        ("#rp=all", 500, True, True),
        ("#rp=all", 204, True, False),
    ],
)
def test_what_is_tried_again_is_what_the_fragment_says(
    fragment: str, answer: int | None, connected: bool, again: bool
) -> None:
    """F26, F41: by default never after an HTTP 5xx."""
    tries = tries_of(f"https://a.example/x{fragment}")
    given = None if answer is None else Answer(status=answer, content_type="", text="")

    assert tries.covers(given, connected) is again


def test_overrides_that_twilio_does_not_know_are_refused() -> None:
    """F41."""
    assert tries_of("https://a.example/").retries == 1
    assert tries_of("https://a.example/#rc=0") == Tries(retries=0)
    for fragment in ("rc=6", "rp=6xx", "tt=99", "ct=10001", "retry=1", "rc"):
        with pytest.raises(ValueError):  # noqa: PT011 - whichever of its parts
            tries_of(f"https://a.example/#{fragment}")


async def test_a_retry_bears_the_same_token_and_another_webhook_does_not(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F42."""
    twilio.phone(ANN, ANSWERS)
    service.statuses["/go"] = [500, 500]
    service.twiml("/go", WAIT)
    await client.call(ANN, f"{PUBLIC}/go#rc=2&rp=5xx")

    tokens = [heard.headers["I-Twilio-Idempotency-Token"] for heard in service.at("/go")]
    assert len(tokens) == 3
    assert len(set(tokens)) == 1
    others = {heard.headers["I-Twilio-Idempotency-Token"] for heard in service.at("/status")}
    assert len(others) == 3
    assert not others & set(tokens)
    twilio.knobs.sends_idempotency_token = False
    twilio.hang_up(ANN)
    await twilio.settle()
    assert "I-Twilio-Idempotency-Token" not in service.heard[-1].headers


async def test_a_redirect_loses_the_parameters_so_it_is_a_fault(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F43."""
    moved = Post(url=f"{PUBLIC}/moved", method="POST", params={}, stream="s", what="call")
    service.redirects.add("/moved")
    with twilio.expecting_faults() as found:
        twilio.mouth.tell(moved)
        await twilio.settle()

    assert found == [f"{PUBLIC}/moved answers 302: the parameters are lost (16010)"]


async def test_callbacks_are_lost_doubled_late_and_out_of_order_as_ordered(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F44."""
    twilio.phone(ANN, ANSWERS)
    url = service.twiml("/go", WAIT)
    lost = twilio.misdelivery

    lost.duplicate = 1.0
    await client.call(ANN, url)
    assert service.events("/status") == [
        event for event in ("initiated", "ringing", "in-progress") for _ in range(2)
    ]
    lost.duplicate, lost.drop = 0.0, 1.0
    twilio.hang_up(ANN)
    await twilio.settle()
    assert "completed" not in service.events("/status")

    service.heard.clear()
    lost.drop, lost.reorder = 0.0, 1.0
    await client.call(ANN, url)
    await twilio.pass_time(6)
    assert service.events("/status") == ["ringing", "initiated", "in-progress"]
    twilio.hang_up(ANN)

    service.heard.clear()
    lost.reorder, lost.delay = 0.0, 1.0
    await client.call(ANN, url)
    assert service.events("/status") == []
    await twilio.pass_time(5)
    assert service.events("/status")[-3:] == ["initiated", "ringing", "in-progress"]


async def test_documents_are_never_lost_on_the_way(
    twilio: Twilio, service: Service, client: Client
) -> None:
    """F44: somebody is waiting for them."""
    twilio.phone(ANN, ANSWERS)
    twilio.misdelivery.drop = 1.0
    await client.call(ANN, service.twiml("/go", WAIT))

    assert len(service.at("/go")) == 1


async def test_an_address_of_nobody_is_a_fault(
    twilio: Twilio, service: Service, client: Client
) -> None:
    twilio.phone(ANN, ANSWERS)
    with twilio.expecting_faults() as found:
        await client.call(ANN, "https://elsewhere.example/go")

    assert found[0] == "https://elsewhere.example/go is nowhere that anybody listens"
