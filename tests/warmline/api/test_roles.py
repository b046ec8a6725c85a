"""Who may do what: every operation asked by every kind of person, over real HTTP.

The table is written by hand, apart from the code: whoever opens an operation to somebody says so
here as well.
"""

from tests.serving import Service
from tests.warmline.api.everybody import Everybody, everybody, staff_token
from warmline.http.api import Operation
from warmline.serve import OPERATIONS

ANYONE = "anyone"
STAFF = "counselor steward support supervisor operator insurer"

MAY = {
    "POST /v1/device-verifications": ANYONE,
    "POST /v1/device-verifications/{verification}/confirm": ANYONE,
    "GET /v1/devices/current": "caller",
    "DELETE /v1/devices/current": "caller",
    "GET /v1/programs": ANYONE,
    "GET /v1/programs/{program}/counselors": ANYONE,
    "GET /v1/programs/{program}/changes": "support supervisor operator",
    "POST /v1/orders": "caller app",
    "GET /v1/orders": "caller app",
    "GET /v1/orders/{order}": "caller app",
    "DELETE /v1/orders/{order}": "caller app",
    "PUT /v1/orders/{order}/counselor": "caller",
    "POST /v1/orders/{order}/calls": "caller app",
    "DELETE /v1/orders/{order}/calls/current": "caller",
    "GET /v1/orders/{order}/events": "caller app",
    "GET /v1/orders/{order}/summary": "caller",
    "POST /v1/orders/{order}/claims": "caller",
    "GET /v1/orders/{order}/claims": "caller app",
    "POST /v1/orders/{order}/rating": "caller",
    "POST /v1/orders/{order}/match": "steward",
    "POST /v1/orders/{order}/cancel": "support",
    "POST /v1/orders/{order}/release": "caller support",
    "GET /v1/vouchers": "caller",
    "GET /v1/vouchers/{voucher}": "caller",
    "POST /v1/vouchers/redeem": "caller",
    "POST /v1/vouchers": "operator",
    "POST /v1/vouchers/{voucher}/void": "operator",
    "POST /v1/vouchers/{voucher}/reissue": "support supervisor",
    "POST /v1/staff/vouchers/search": "support supervisor operator",
    "GET /v1/staff/vouchers/{voucher}": "support supervisor operator",
    "POST /v1/sessions": ANYONE,
    "DELETE /v1/sessions/current": STAFF,
    "GET /v1/sessions/current": STAFF,
    "POST /v1/sessions/current/second-factor": STAFF,
    "POST /v1/sessions/current/second-factor/confirm": STAFF,
    "GET /v1/me": "counselor",
    "GET /v1/me/day": "counselor",
    "PUT /v1/me/presence": "counselor",
    "POST /v1/me/phone-check": "counselor",
    "POST /v1/calls/{call}/seen": "counselor",
    "POST /v1/calls/{call}/accept": "counselor",
    "POST /v1/calls/{call}/decline": "counselor",
    "POST /v1/calls/{call}/hang-up": "counselor",
    "POST /v1/calls/{call}/crisis": "counselor",
    "POST /v1/calls/{call}/extend": "counselor",
    "GET /v1/transfer-targets": "counselor",
    "POST /v1/calls/{call}/transfer": "counselor",
    "POST /v1/calls/{call}/transfer/confirm": "counselor",
    "POST /v1/calls/{call}/transfer/cancel": "counselor",
    "POST /v1/calls/{call}/wrap-up": "counselor",
    "GET /v1/calls/{call}/notes": "counselor",
    "PUT /v1/calls/{call}/notes": "counselor",
    "GET /v1/calls/{call}": "counselor support supervisor operator",
    "POST /v1/calls/{call}/end": "support supervisor",
    "POST /v1/claims/{claim}/appeal": "caller",
    "GET /v1/claims": "support supervisor",
    "GET /v1/claims/{claim}": "support supervisor",
    "POST /v1/claims/{claim}/decision": "support supervisor",
    "GET /v1/appeals": "insurer",
    "POST /v1/appeals/{appeal}/decision": "insurer",
    "POST /v1/policies/import": "operator",
    "POST /v1/entitlements/check": "caller",
    "GET /v1/reports/settlement": "operator insurer",
    "GET /v1/reports/calls": "operator",
    "GET /v1/wallboard": "supervisor",
    "GET /v1/wallboard/heat": "supervisor",
    "GET /v1/staff/counselors": "supervisor",
    "POST /v1/staff/counselors/{counselor}/end-wrap-up": "supervisor",
    "POST /v1/staff/orders/search": "support supervisor",
    "GET /v1/staff/orders/{order}": "support supervisor",
    "POST /v1/staff/callers/{caller}/reveal": "support supervisor",
    "GET /v1/staff/members": "operator",
    "POST /v1/staff/members": "operator",
    "PUT /v1/staff/members/{member}": "operator",
    "POST /v1/staff/members/{member}/password": "operator",
    "DELETE /v1/staff/members/{member}/second-factor": "operator",
    "POST /v1/staff/members/{member}/suspend": "operator",
    "POST /v1/staff/members/{member}/restore": "operator",
    "GET /v1/staff/keys": "operator",
    "POST /v1/staff/keys": "operator",
    "DELETE /v1/staff/keys/{key}": "operator",
    "GET /v1/staff/programs": "operator",
    "POST /v1/staff/programs/check": "operator",
    "GET /v1/staff/health": "operator",
    "GET /v1/follow-ups": "support supervisor",
    "POST /v1/follow-ups/{follow_up}/close": "support supervisor",
    "GET /v1/notices": "support operator",
    "POST /v1/sms-receipts": ANYONE,  # a signature stands for a token
    "GET /v1/live": ANYONE,  # the first message brings the token
}

_EVERY_KIND = ("anyone", "caller", "app", *STAFF.split())


def _name(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def test_the_table_knows_every_operation_and_no_other() -> None:
    assert {_name(operation) for operation in OPERATIONS} == set(MAY)


async def test_every_operation_is_open_to_those_of_the_table_and_to_nobody_else(
    service: Service,
) -> None:
    there = await everybody(service, talking=False)
    wrong: list[str] = []
    for operation in OPERATIONS:
        may = MAY[_name(operation)].split()
        if may == [ANYONE]:
            continue
        for kind in _EVERY_KIND:
            status = await _asked_by(there, kind, operation)
            let_in = status not in (401, 403)
            if let_in != (kind in may) or (kind == ANYONE and status != 401):
                wrong.append(f"{_name(operation)} by {kind}: {status}")

    assert not wrong


async def test_a_devices_cookie_opens_what_its_token_opens_and_nothing_else(
    service: Service,
) -> None:
    there = await everybody(service, talking=False)
    token = there.tokens["caller"]
    cookie = {"Cookie": f"warmline-device={token}", "Origin": service.house.url}
    ours, other = {"Warmline-Cookie": "device"}, {"Origin": "https://evil.test"}
    wrong: list[str] = []
    for operation in OPERATIONS:
        may = MAY[_name(operation)].split()
        if may == [ANYONE] or _name(operation) == "DELETE /v1/devices/current":
            continue
        spoken = await _status(there, operation, cookie | ours)
        let_in = spoken not in (401, 403)
        unsaid = await _status(there, operation, cookie)
        elsewhere = await _status(there, operation, cookie | ours | other)
        refused = 403 if operation.method != "GET" or "caller" not in may else spoken
        if (let_in, unsaid, elsewhere) != ("caller" in may, 401, refused):
            wrong.append(f"{_name(operation)}: {spoken}, {unsaid}, {elsewhere}")

    assert not wrong


async def _status(there: Everybody, operation: Operation, headers: dict[str, str]) -> int:
    elsewhere = {**there.ids, "order": "order_none", "call": "call_none", "claim": "claim_none"}
    path = operation.path.format_map(elsewhere)
    status, _ = await there.ask("anyone", operation.method, path, json={}, headers=headers)
    return status


async def _asked_by(there: Everybody, kind: str, operation: Operation) -> int:
    """An empty body: whoever may come in is told what is missing, which is all we want to see."""
    elsewhere = {**there.ids, "order": "order_none", "call": "call_none", "claim": "claim_none"}
    path = operation.path.format_map(elsewhere)
    if path == "/v1/sessions/current" and kind in STAFF.split():
        there.tokens["leaving"] = await staff_token(there.service, kind)
        kind = "leaving"
    if (operation.method, path, kind) == ("DELETE", "/v1/devices/current", "caller"):
        kind = "stranger"
    status, _ = await there.ask(kind, operation.method, path, json={})
    return status
