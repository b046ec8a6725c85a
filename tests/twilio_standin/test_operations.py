"""Every request is held to Twilio's document, and to what it says in prose."""

from urllib.parse import urlencode

import pytest

from tests.twilio_standin.operations import Asked, Operations, answer_faults

ACCOUNT = "/2010-04-01/Accounts/AC" + "a" * 32
CALL = "CA" + "2" * 32
GOOD = {"To": "+14005550201", "From": "+14005550100", "Url": "https://warmline.example/go"}


def asked(operations: Operations, method: str, path: str, **params: object) -> Asked:
    text = urlencode(params, doseq=True)
    return operations.ask(
        method, path, text if method == "GET" else "", text if method != "GET" else ""
    )


def test_a_request_as_documented_has_no_faults(operations: Operations) -> None:
    """F33: a list is a parameter repeated."""
    more = {"StatusCallbackEvent": ["initiated", "completed"], "TimeLimit": 1500, "Timeout": 25}
    found = asked(operations, "POST", f"{ACCOUNT}/Calls.json", **GOOD, **more)

    assert found.faults == []
    assert found.operation is not None
    assert found.operation.id == "CreateCall"
    assert found.params["StatusCallbackEvent"] == ["initiated", "completed"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"Bogus": "1"}, "Bogus: unknown parameter"),
        ({"Url": None}, "one of Url, Twiml and ApplicationSid"),
        ({"To": None}, "To: required"),
        ({"To": "banana"}, "To: 'banana' is not E.164"),
        ({"Url": "/relative"}, "is not an absolute URI"),
        ({"Url": "https://a.example/a b"}, "is not an absolute URI"),
        ({"TimeLimit": "abc"}, "not a whole number"),
        ({"TimeLimit": "-5"}, "TimeLimit: -5 is not within"),
        ({"Timeout": "601"}, "Timeout: 601 is not within"),
        ({"Method": "PUT"}, "Method: 'PUT' is not one of"),
        ({"StatusCallbackEvent": ["bogus"]}, "'bogus' is not known"),
        ({"StatusCallbackEvent": "initiated completed"}, "is not known"),
        ({"Record": "True"}, "neither true nor false"),
        ({"Timeout": ["25", "26"]}, "Timeout: repeated"),
        ({"Twiml": "<Response/>"}, "all but the first are ignored"),
        ({"ApplicationSid": "APxx", "Url": None}, "does not match ^AP"),
    ],
)
def test_what_is_not_as_documented_is_a_fault(
    operations: Operations, change: dict[str, object], fault: str
) -> None:
    """F34: much of it passes Twilio's own schemas."""
    given = {**GOOD, **change}
    found = asked(
        operations,
        "POST",
        f"{ACCOUNT}/Calls.json",
        **{name: value for name, value in given.items() if value is not None},
    )

    assert fault in "; ".join(found.faults)


@pytest.mark.parametrize(
    ("method", "path", "params", "fault"),
    [
        ("POST", f"{ACCOUNT}/Calls/CAxyz.json", {"Status": "completed"}, "path Sid"),
        ("POST", f"{ACCOUNT}/Calls/{CALL}.json", {"Status": "bogus"}, "'bogus' is not one of"),
        ("POST", f"{ACCOUNT}/Calls/{CALL}.json", {}, "nothing to update"),
        (
            "POST",
            f"{ACCOUNT}/Calls/{CALL}.json",
            {"Twiml": "x" * 4001},
            "more than 4000 characters",
        ),
        ("PUT", f"{ACCOUNT}/Calls.json", {}, "no operation PUT"),
        ("POST", "/2010-04-01/Nothing.json", {}, "no operation POST"),
        ("GET", f"{ACCOUNT}/Calls.json", {"Stat": "queued"}, "Stat: unknown parameter"),
        ("GET", f"{ACCOUNT}/Calls.json", {"PageSize": "1001"}, "1001 is above 1000"),
        ("GET", f"{ACCOUNT}/Calls.json", {"StartTime>": "yesterday"}, "not a date and time"),
        ("POST", f"{ACCOUNT}/Messages.json", {"To": "+14005550201"}, "From and MessagingService"),
    ],
)
def test_so_it_is_everywhere(
    operations: Operations, method: str, path: str, params: dict[str, object], fault: str
) -> None:
    assert fault in "; ".join(asked(operations, method, path, **params).faults)


def test_an_answer_of_ours_is_held_to_the_document_too(operations: Operations) -> None:
    operation = asked(operations, "GET", f"{ACCOUNT}/Calls/{CALL}.json").operation
    assert operation is not None

    assert answer_faults(operation, 200, {"sid": CALL, "status": "ringing"}) == []
    assert answer_faults(operation, 200, {"sid": "CA1"}) != []
    assert answer_faults(operation, 200, {"status": "initiated"}) != []
    assert answer_faults(operation, 200, {"queue_time": 5}) != []
    assert answer_faults(operation, 200, {"made_up": None}) != []
    assert answer_faults(operation, 201, {}) != []


def test_it_speaks_of_as_many_parameters_as_the_sdk_has(operations: Operations) -> None:
    """F35: the document's release and the SDK's belong together."""
    sizes = {
        operation.id: len(operation.form)
        for operation in operations.all()
        if operation.template.startswith("/2010-04-01/")
    }

    assert (sizes["CreateCall"], sizes["CreateParticipant"], sizes["CreateMessage"]) == (38, 60, 26)
