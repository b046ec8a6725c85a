"""Between what is said in a call and those who decide insurance claims stands a wall (B11).

It is walked along from end to end: every operation as the insurer's role, with the ids of a real
call and a real claim, and every maker of a report.
"""

import ast
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import warmline.reports
from terms.ids import OrderId, StaffId
from tests.people import CALLER, TENANT
from tests.scenarios.claiming import ask, claimed, decided, talked
from tests.serving import Service
from warmline.api.audience import DeskAudience
from warmline.api.claim_views import AppealView
from warmline.http.api import Operation
from warmline.http.asked import borrowed
from warmline.http.who import Staff
from warmline.people import StaffRole
from warmline.reports.exports import Audience, Export, Withheld, permit
from warmline.serve import OPERATIONS

OPEN_TO_INSURERS = {
    "sign_out",
    "signed_in_as",  # who they are themselves, and their own second factor
    "offer_second_factor",
    "confirm_second_factor",
    "list_appeals_to_decide",
    "decide_appeal",
    "report_settlement",  # sums of its own programs, small ones withheld
}
"""Whoever adds to this opens a door: say in the review what an insurer learns by it."""

SECRET = "I told them of my illness"
INSURER = Staff(tenant=TENANT, id=StaffId("staff_i"), roles=frozenset({StaffRole.INSURER}))


def admits_insurer(operation: Operation) -> bool:
    """Whether somebody who has the insurer's role alone may come in."""
    return any(rule.admits(INSURER) for rule in operation.who)


@pytest.mark.rule("B09", "B11")
def test_only_these_operations_are_open_to_an_insurer() -> None:
    assert {one.name for one in OPERATIONS if admits_insurer(one)} == OPEN_TO_INSURERS


@pytest.mark.rule("B09", "B11")
async def test_no_operation_gives_an_insurer_a_call_a_claim_or_a_person(service: Service) -> None:
    order, claim = await a_rejection(service)
    insurer = await service.sign_in("insurer", sponsor="default")
    hidden = await identities(service, order)
    ids = {"order": order, "claim": claim, "appeal": claim, "call": hidden["call"]}

    refused = 0
    for operation in OPERATIONS:
        if operation.upgrades or operation.name in ("sign_out", "decide_appeal"):
            continue
        path = re.sub(r"\{(\w+)\}", lambda found: ids.get(found[1], "none"), operation.path)
        async with service.client.request(operation.method, path, headers=insurer) as response:
            told = await response.text()
            if operation.who and not admits_insurer(operation):
                assert response.status == 403, operation.name
                refused += 1
        for name, value in hidden.items():
            # Names of counselors are in the public catalogue; that this one talked is not.
            if name != "counselor" or operation.who:
                assert value not in told, (operation.name, name)
    assert refused > 30


async def test_the_live_feed_shows_an_insurer_nothing(service: Service) -> None:
    await a_rejection(service)
    audience = DeskAudience(service.house.programs, service.house.seal)

    assert audience.marks(INSURER) == frozenset()
    async with borrowed(service.house.pool) as connection:
        snapshot = await audience.snapshot(connection, INSURER, datetime(2030, 1, 1, tzinfo=UTC))
    assert not snapshot


@pytest.mark.rule("B11")
def test_what_an_appeal_shows_names_no_order_call_or_person() -> None:
    shown = set(AppealView.model_fields)

    assert not shown & {"order", "call", "caller", "counselor", "phone", "legs", "timeline"}
    assert not shown & {"written", "text", "evidence", "voucher", "earlier_calls"}


@pytest.mark.rule("B09", "B11")
@pytest.mark.parametrize("export", Export)
def test_no_export_of_any_kind_goes_to_an_insurers_claims_department(export: Export) -> None:
    with pytest.raises(Withheld):
        permit(export, Audience.INSURER_CLAIMS)


@pytest.mark.rule("B11")
def test_every_report_passes_the_door_before_it_reads_anything() -> None:
    folder = Path(warmline.reports.__file__).parent
    makers = [
        (file.name, function)
        for file in sorted(folder.glob("*.py"))
        for function in ast.walk(ast.parse(file.read_text()))
        if isinstance(function, ast.AsyncFunctionDef | ast.FunctionDef)
        if function.returns is not None and ast.unparse(function.returns) == "Report"
    ]

    assert len(makers) >= 3
    for file, function in makers:
        first = next(one for one in function.body if not _is_docstring(one))
        assert ast.unparse(first).startswith("permit("), (file, function.name)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


async def a_rejection(service: Service) -> tuple[OrderId, str]:
    """A talk, its claim, support's rejection, and the caller's appeal."""
    order = await talked(service, 300)
    _, claim = await claimed(service, order, reason=SECRET, text=SECRET)
    await decided(service, claim["id"], "reject", await service.sign_in("support"))
    status, _ = await ask(
        service, "POST", f"/v1/claims/{claim['id']}/appeal", service.device(CALLER)
    )
    assert status == 201
    return order, claim["id"]


async def identities(service: Service, order: OrderId) -> dict[str, Any]:
    """By what somebody could be found again."""
    found = await service.people.see_order(order)
    call = await service.people.see_call(order)
    return {
        "order": order,
        "call": call.id,
        "leg": call.legs[0].id,
        "caller": found.caller,
        "counselor": found.counselor,
        "voucher": found.voucher,
        "phone": CALLER[3:],
        "masked": "****0001",
        "words": SECRET,
    }
