"""The published document is the one this code makes, is valid, and keeps the contract's word."""

import json
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from warmline.http.openapi import document
from warmline.serve import OPERATIONS

DOCS = Path(__file__).parents[3] / "docs" / "openapi.json"
PUBLISHED: dict[str, Any] = json.loads(
    json.dumps(document(OPERATIONS, version=version("warmline")))
)

DEVICE, APP, STAFF = "device", "app", "staff"

# What others rely on: method, path, who, fields that may be sent, status, fields of the answer.
ORDER = "id program counselor state remaining_seconds expires_at call version"
CALL = "id state attempt bridged_at ends_at"
CONTRACT = [
    ("POST", "/v1/device-verifications", "", "phone", 202, "id expires_at resend_at"),
    ("POST", "/v1/device-verifications/{}/confirm", "", "code", 201, "device_token phone"),
    ("GET", "/v1/programs", "", "", 200, "items next_cursor"),
    ("GET", "/v1/programs/{}/counselors", "", "", 200, "items next_cursor"),
    ("GET", "/v1/vouchers", "device", "", 200, "items next_cursor"),
    ("GET", "/v1/vouchers/{}", "device", "", 200, "id state valid_until history"),
    ("POST", "/v1/vouchers/redeem", "device", "code", 200, "id state valid_until"),
    ("POST", "/v1/vouchers", "staff", "program count valid_until", 201, "vouchers"),
    ("POST", "/v1/vouchers/{}/void", "staff", "reason", 200, "id state"),
    ("POST", "/v1/vouchers/{}/reissue", "staff", "reason", 201, "replaced replacement"),
    ("POST", "/v1/orders", "device app", "program counselor voucher phone", 201, ORDER),
    ("GET", "/v1/orders", "device app", "", 200, "items next_cursor"),
    ("GET", "/v1/orders/{}", "device app", "", 200, ORDER),
    ("POST", "/v1/orders/{}/calls", "device app", "phone", 202, CALL),
    ("DELETE", "/v1/orders/{}/calls/current", "device", "", 202, CALL),
    ("GET", "/v1/orders/{}/events", "device", "", 200, "items next_cursor"),
    ("DELETE", "/v1/orders/{}", "device", "", 200, ORDER),
    ("POST", "/v1/sessions", "", "email password totp", 201, "token roles"),
    ("DELETE", "/v1/sessions/current", "staff", "", 204, ""),
    ("GET", "/v1/me", "staff", "", 200, "state offer call"),
    ("PUT", "/v1/me/presence", "staff", "state", 200, "state"),
    ("POST", "/v1/calls/{}/accept", "staff", "", 200, "id state"),
    ("POST", "/v1/calls/{}/decline", "staff", "", 200, "id state"),
    ("POST", "/v1/calls/{}/hang-up", "staff", "", 200, "id state"),
    ("POST", "/v1/calls/{}/crisis", "staff", "", 200, "id state"),
    ("POST", "/v1/calls/{}/extend", "staff", "seconds", 200, "id state"),
    ("POST", "/v1/calls/{}/wrap-up", "staff", "summary topics disposition", 200, "state"),
    ("GET", "/v1/transfer-targets", "staff", "", 200, "items next_cursor"),
    ("POST", "/v1/calls/{}/transfer", "staff", "target", 200, "id state"),
    ("POST", "/v1/calls/{}/transfer/confirm", "staff", "", 200, "id state"),
    ("POST", "/v1/calls/{}/transfer/cancel", "staff", "", 200, "id state"),
    ("POST", "/v1/orders/{}/match", "staff", "counselor", 200, ORDER),
    ("GET", "/v1/calls/{}", "staff", "", 200, "legs attempts verdict"),
    ("POST", "/v1/orders/{}/claims", "device", "reason text", 201, "id state due_at"),
    ("GET", "/v1/orders/{}/claims", "device", "", 200, "items next_cursor"),
    ("POST", "/v1/claims/{}/appeal", "device", "", 201, "id state"),
    ("POST", "/v1/orders/{}/rating", "device", "timeliness quality attitude text", 201, "order"),
    ("GET", "/v1/claims", "staff", "", 200, "items next_cursor"),
    ("GET", "/v1/claims/{}", "staff", "", 200, "id state evidence proposal"),
    ("POST", "/v1/claims/{}/decision", "staff", "decision reason", 200, "id state decision"),
    ("GET", "/v1/appeals", "staff", "", 200, "items next_cursor"),
    ("POST", "/v1/appeals/{}/decision", "staff", "decision reason", 200, "id decision"),
    ("GET", "/v1/live", "", "", 101, ""),
]
ROLES = {
    ("GET", "/v1/me"): "counselor",
    ("POST", "/v1/calls/{}/accept"): "counselor",
    ("POST", "/v1/orders/{}/match"): "steward",
    ("POST", "/v1/vouchers"): "operator",
    ("POST", "/v1/claims/{}/decision"): "supervisor, support",
    ("POST", "/v1/appeals/{}/decision"): "insurer",
}
STATES = {
    "CounselorState": {"available", "busy", "offline"},
    "Presence": {"available", "break", "offline"},
    "VerdictKind": {
        *("party_ended", "cap_reached", "system_drop", "suspected_drop", "not_connected"),
        *("operator_ended", "indeterminate"),
    },
}
ORDER_STATES = {"open", "in_call", "interrupted", "completed", "cancelled", "expired", "closed"}
CALL_STATES = {
    *("waiting", "queued", "ringing_first", "ringing_second", "bridged", "parted", "ended"),
}
REFUSALS = {
    *("number_mismatch", "device_not_verified", "outside_hours", "counselor_offline"),
    *("counselor_busy", "voucher_in_use", "voucher_invalid", "call_in_progress"),
    *("order_not_open", "order_expired", "quota_used", "not_entitled", "rate_limited"),
    *("claim_too_late", "not_completed", "code_wrong", "code_expired", "key_reused"),
}


def _paths() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path)): operation
        for path, methods in PUBLISHED["paths"].items()
        for method, operation in methods.items()
    }


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = PUBLISHED["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _sent(operation: dict[str, Any]) -> set[str]:
    content = operation.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return set(_resolved(schema).get("properties", ()))


def _answered(operation: dict[str, Any], status: int) -> set[str]:
    content = operation["responses"][str(status)].get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    return set(_resolved(schema).get("properties", ()))


def test_the_file_in_docs_is_what_this_code_publishes() -> None:
    assert json.loads(DOCS.read_text()) == PUBLISHED, "run `make openapi`"


def test_it_is_a_valid_document_of_openapi_3_1() -> None:
    jsonschema_rs.validator_for(OPENAPI_31).validate(PUBLISHED)
    for schema in PUBLISHED["components"]["schemas"].values():
        jsonschema_rs.meta.validate({**schema, "$schema": _DRAFT})


_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def test_every_reference_leads_somewhere_and_no_schema_is_left_over() -> None:
    references = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(PUBLISHED)))

    assert references == set(PUBLISHED["components"]["schemas"])


def test_operation_ids_are_unique() -> None:
    names = [operation["operationId"] for operation in _paths().values()]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("method", "path", "who", "sent", "status", "answered"),
    CONTRACT,
    ids=[f"{line[0]} {line[1]}" for line in CONTRACT],
)
def test_what_others_rely_on_is_there(
    method: str, path: str, who: str, sent: str, status: int, answered: str
) -> None:
    operation = _paths()[method, path]

    assert {*who.split()} <= {name for rule in operation["security"] for name in rule}
    assert who or not operation["security"]
    assert set(sent.split()) <= _sent(operation)
    assert [code for code in operation["responses"] if code < "400"] == [str(status)]
    assert set(answered.split()) <= _answered(operation, status)


def test_every_list_is_paged() -> None:
    for name, schema in PUBLISHED["components"]["schemas"].items():
        if "items" in schema.get("properties", ()):
            assert "next_cursor" in schema["properties"], name
    paged = [o for o in _paths().values() if "next_cursor" in _answered_any(o)]
    assert len(paged) >= 6
    for operation in paged:
        assert {"limit", "cursor"} <= {p["name"] for p in operation["parameters"]}


def _answered_any(operation: dict[str, Any]) -> set[str]:
    return _answered(operation, 200) if "200" in operation["responses"] else set()


def test_every_post_that_acts_takes_an_idempotency_key() -> None:
    for (method, path), operation in _paths().items():
        names = {parameter["name"] for parameter in operation["parameters"]}
        # To sign in is to prove something anew: an answer kept for a day would be a password.
        # What is signed has a key of its own: `webhook-id`.
        signed = operation["security"] == [{"signature": []}]
        acts = method == "POST" and path != "/v1/sessions" and not signed
        assert ("Idempotency-Key" in names) == acts, (method, path)


@pytest.mark.parametrize(("operation", "role"), ROLES.items(), ids=str)
def test_the_roles_are_told(operation: tuple[str, str], role: str) -> None:
    assert f"Staff roles: {role}." in _paths()[operation]["description"]


def test_the_words_for_states_are_the_contracts() -> None:
    schemas = PUBLISHED["components"]["schemas"]
    for name, words in STATES.items():
        assert set(schemas[name]["enum"]) == words, name
    enums = [set(s["enum"]) for s in schemas.values() if "enum" in s]
    assert ORDER_STATES in enums
    assert CALL_STATES in enums


def test_refusals_bear_the_contracts_codes_and_statuses() -> None:
    assert set(PUBLISHED["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]) >= (
        REFUSALS
    )
    for operation in _paths().values():
        for status, answer in operation["responses"].items():
            if status < "400":
                continue
            schema = answer["content"]["application/problem+json"]["schema"]
            assert schema["properties"]["status"]["const"] == int(status)
            for code in set(schema["properties"]["code"]["enum"]) & REFUSALS:
                assert int(status) == _status(code), code


def _status(code: str) -> int:
    if code == "rate_limited":
        return 429
    of_state = code.endswith(("_busy", "_in_use", "_offline")) or code.startswith("order_")
    return 409 if of_state or code in ("call_in_progress", "not_completed") else 422
