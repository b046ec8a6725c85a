"""Reports over HTTP: for whom, in which format, and what is in them."""

import csv
import io
from typing import Any

import openpyxl
import pytest

from tests.people import CALLER, COUNSELOR
from tests.serving import SHANGHAI, Service


async def talked(service: Service) -> None:
    """One talk of a minute and a half, ended by the caller."""
    counselor = await service.people.counselor()
    order = await service.people.order(await service.people.caller(), counselor)
    await service.script(CALLER, answers="yes", after_seconds=1)
    await service.script(COUNSELOR, answers="yes", after_seconds=1, presses="1")
    status, _ = await service.place_call(order, CALLER)
    assert status == 202
    for seconds in (2, 2, 2, 90):
        await service.let_pass(seconds)
    async with service.client.delete(
        f"/v1/orders/{order}/calls/current", headers=service.device(CALLER)
    ) as response:
        assert response.status == 202, await response.text()
    await service.let_pass(5)


def this_month(service: Service) -> str:
    """The month that the service's clock shows in Shanghai."""
    return f"{service.house.clock.now().astimezone(SHANGHAI):%Y-%m}"


async def report(
    service: Service, who: dict[str, str], *, name: str = "settlement", **query: str
) -> tuple[int, str, bytes]:
    """Status, content type and body."""
    query = {"month": this_month(service)} | query
    async with service.client.get(f"/v1/reports/{name}", params=query, headers=who) as response:
        return response.status, response.content_type, await response.read()


async def as_json(service: Service, who: dict[str, str], name: str = "settlement") -> Any:
    path = f"/v1/reports/{name}"
    async with service.client.get(
        path, params={"month": this_month(service)}, headers=who
    ) as response:
        assert response.status == 200, await response.text()
        return await response.json()


@pytest.mark.rule("X09")
async def test_an_operator_reads_the_same_settlement_in_every_format(service: Service) -> None:
    await talked(service)
    operator = await service.sign_in("operator")
    told = await as_json(service, operator)
    (counselor,) = told["counselors"]
    assert (counselor["calls"], counselor["effective_calls"]) == (1, 1)
    (program,) = [row for row in told["programs"] if row["program"] == "psych-listening"]
    assert program["vouchers_used"] == 1
    assert program["talked_seconds"] == counselor["talk_seconds"] >= 60
    assert [row["carrier"] for row in told["carriers"]] == ["simulated"]

    status, kind, body = await report(service, operator, format="csv")
    assert (status, kind) == (200, "text/csv")
    assert body.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))
    (seconds,) = [
        line["units"]
        for line in lines
        if (line["table"], line["figure"]) == ("counselors", "talk_seconds")
    ]
    assert int(seconds) == counselor["talk_seconds"]

    status, kind, body = await report(service, operator, format="xlsx")
    assert status == 200
    assert kind == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    sheet = openpyxl.load_workbook(io.BytesIO(body))["counselors"]
    heading, values = list(sheet.values)
    assert dict(zip(heading, values, strict=True))["talk_seconds"] == counselor["talk_seconds"]


async def test_the_calls_of_a_month_are_counted_per_day_and_program(service: Service) -> None:
    await talked(service)
    told = await as_json(service, await service.sign_in("operator"), "calls")
    (day,) = told["days"]
    assert day["program"] == "psych-listening"
    assert (day["offered"], day["connected"], day["abandoned"]) == (1, 1, 0)
    assert (day["party_ended"], day["counted_attempts"]) == (1, 0)


@pytest.mark.rule("B11")
async def test_an_insurer_gets_sums_of_its_own_programs_and_nothing_else(service: Service) -> None:
    await talked(service)
    theirs = await as_json(service, await service.sign_in("insurer", sponsor="default"))
    assert set(theirs) == {"report", "month", "zone", "notes", "programs"}
    (program,) = [row for row in theirs["programs"] if row["program"] == "psych-listening"]
    assert program["calls"] is None, "one talk is one person"
    others = await as_json(service, await service.sign_in("insurer", sponsor="somebody-else"))
    assert others["programs"] == []
    bound_to_nobody = await as_json(service, await service.sign_in("insurer"))
    assert bound_to_nobody == theirs, "the programs that name no sponsor"
    insurer = await service.sign_in("insurer", sponsor="default")
    assert (await report(service, insurer, name="calls"))[0] == 403


@pytest.mark.parametrize("role", ["counselor", "steward", "support", "supervisor"])
async def test_reports_are_for_operators(service: Service, role: str) -> None:
    who = await service.sign_in(role)
    assert (await report(service, who))[0] == 403
    assert (await report(service, who, name="calls"))[0] == 403


@pytest.mark.parametrize(
    "query",
    [
        {"month": "2026-13"},
        {"month": "0000-01"},
        {"month": "9999-12"},
        {"month": "26-1"},
        {"format": "pdf"},
    ],
)
async def test_a_month_or_format_that_does_not_exist_is_bad_input(
    service: Service, query: dict[str, str]
) -> None:
    status, kind, _ = await report(service, await service.sign_in("operator"), **query)
    assert (status, kind) == (422, "application/problem+json")
