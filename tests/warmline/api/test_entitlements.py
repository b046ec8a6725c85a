"""Proving with an insured person's data what they may use: nothing else can be learnt from it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.policies.waiting import today_in_china
from tests.billing.policies.lists import INSURED_ID, cells
from tests.people import TENANT
from tests.scenarios.insuring import GUARDIAN, HOLDER, INSURED, INSURED_DOCTOR, write_programs
from tests.serving import Service, a_service
from tests.warmline.policies.kit import APPLY, Office, as_csv
from warmline.enrolment import make_key

CHECK = "/v1/entitlements/check"
STRANGER = "+8613600000006"
BY_ID = {"name": "李强", "id_number": INSURED_ID}
BY_BIRTH = {"name": "李强", "birth_date": "1987-03-03"}


@pytest.fixture
async def service(database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """With a doctor for the insured alone."""
    folder = tmp_path / "programs"
    folder.mkdir()
    async with a_service(database_url, tmp_path, programs=write_programs(folder)) as one:
        yield one


async def listed(service: Service, *rows: dict[str, str | None], days_ago: int = 400) -> None:
    today = today_in_china(service.house.clock.now())
    begun = (today - timedelta(days=days_ago)).isoformat()
    told = {"purchased_on": begun, "effective_on": begun, "ends_on": None, "term_years": "10"}
    office = Office(service.house.pool, service.house.seal, service.house.clock.now())
    _, applied = await office.take(as_csv([cells(**told | row) for row in rows or ({},)]), APPLY)
    assert applied


async def check(service: Service, number: str, body: dict[str, str]) -> tuple[int, dict[str, Any]]:
    async with service.client.post(CHECK, json=body, headers=service.device(number)) as response:
        return response.status, await response.json()


async def ask(service: Service, number: str) -> tuple[int, dict[str, Any]]:
    async with service.client.post(
        "/v1/orders", json={"program": INSURED_DOCTOR}, headers=service.device(number)
    ) as response:
        return response.status, await response.json()


@pytest.mark.rule("A06", "X14")
async def test_the_insured_persons_data_show_the_benefits_and_let_the_account_order(
    service: Service,
) -> None:
    await listed(service)
    await service.people.caller(STRANGER)
    before, _ = await ask(service, STRANGER)

    status, answer = await check(service, STRANGER, BY_ID)

    after, _ = await ask(service, STRANGER)
    assert (before, status, after) == (422, 200, 201)
    items = {item["program"]: item for item in answer["entitlements"]}
    assert items[INSURED_DOCTOR]["state"] == "active"
    assert items["psych-listening"]["needs_voucher"] is True


@pytest.mark.rule("A06")
async def test_a_benefit_that_is_still_waiting_says_from_when_on(service: Service) -> None:
    await listed(service, days_ago=10)
    await service.people.caller(STRANGER)

    _, answer = await check(service, STRANGER, BY_ID)

    since = today_in_china(service.house.clock.now()) + timedelta(days=6)
    doctor = next(item for item in answer["entitlements"] if item["program"] == INSURED_DOCTOR)
    assert (doctor["state"], doctor["since"]) == ("waiting", since.isoformat())


@pytest.mark.rule("A06")
async def test_whatever_does_not_fit_is_answered_with_the_same_words(service: Service) -> None:
    child = {
        "insured_name": "李小",
        "insured_id_number": None,
        "insured_birth_date": "2020-05-05",
        "relation": "child",
        "contact_name": "陈静",
        "contact_phone": GUARDIAN.removeprefix("+86"),
    }
    await listed(service, {}, {**child, "policy_number": "P-2"})
    attempts = [
        (STRANGER, {"name": "无名", "id_number": INSURED_ID}),  # no such name
        (STRANGER, {"name": "李强", "id_number": "E12345678"}),  # no such number
        (STRANGER, BY_BIRTH),  # all true, from a phone the policy does not know
        (INSURED, {"name": "李强", "birth_date": "1987-03-04"}),  # a known phone, a wrong day
        (INSURED, {"name": "李小", "birth_date": "2020-05-05"}),  # a child, not the guardian
        (STRANGER, {"name": "王芳", "id_number": "110101198506150019"}),  # the policyholder
    ]
    for number in {number for number, _ in attempts}:
        await service.people.caller(number)

    answers = [await check(service, number, body) for number, body in attempts]

    assert len({(status, str(sorted(answer.items()))) for status, answer in answers}) == 1
    assert answers[0][0] == 422
    assert answers[0][1]["code"] == "not_entitled"


@pytest.mark.rule("A06")
async def test_name_and_birthday_are_enough_from_a_phone_the_policy_names(
    service: Service,
) -> None:
    await listed(service)
    for number in (HOLDER, INSURED):
        await service.people.caller(number)

        status, _ = await check(service, number, BY_BIRTH)

        assert status == 200


@pytest.mark.rule("A06")
async def test_tries_are_counted_right_or_wrong_and_end_after_five(service: Service) -> None:
    await listed(service)
    await service.people.caller(STRANGER)
    wrong = {"name": "李强", "id_number": "E12345678"}
    for number in range(5):
        status, _ = await check(service, STRANGER, BY_ID if number == 2 else wrong)
        assert status == (200 if number == 2 else 422)

    status, answer = await check(service, STRANGER, BY_ID)

    assert (status, answer["code"]) == (429, "rate_limited")


async def test_data_that_cannot_be_anybodys_are_bad_input_and_not_counted(
    service: Service,
) -> None:
    await service.people.caller(STRANGER)
    for body in (
        {"name": "李强"},
        BY_ID | BY_BIRTH,
        {"name": "李强", "id_number": "110101198703030025"},
        {"name": "李强", "birth_date": "1987-02-30"},
        {"name": "=1", "id_number": INSURED_ID},
        {"name": " ", "id_number": INSURED_ID},
    ):
        status, answer = await check(service, STRANGER, body)
        assert (status, answer["code"]) == (422, "bad_input"), body

    assert await service.house.pool.fetchval("SELECT count(*) FROM rate_marks") == 0


@pytest.mark.rule("B09")
async def test_what_was_typed_is_neither_kept_nor_answered(service: Service) -> None:
    await listed(service)
    await service.people.caller(STRANGER)

    _, answer = await check(service, STRANGER, BY_ID)

    assert "李强" not in str(answer)
    assert INSURED_ID not in str(answer)
    told = await service.house.pool.fetch("SELECT p::text FROM proven_insured p")
    assert INSURED_ID not in str(told)


@pytest.mark.rule("C36", "C39")
async def test_an_app_hears_why_its_customer_may_not_order(service: Service) -> None:
    async with service.house.pool.acquire() as connection:
        key = await make_key(connection, TENANT, "app", service.house.clock.now())
    app = {"Authorization": f"Bearer {key}"}
    body = {"program": INSURED_DOCTOR, "phone": INSURED}

    answers = []
    for days_ago in (None, 10, 400):
        if days_ago is not None:
            await listed(service, days_ago=days_ago)
        async with service.client.post("/v1/orders", json=body, headers=app) as response:
            answers.append((response.status, await response.json()))

    unknown, waiting, opened = answers
    assert (unknown[0], unknown[1]["code"]) == (422, "not_entitled")
    assert "nobody who is insured" in unknown[1]["detail"]
    assert (waiting[0], waiting[1]["code"]) == (422, "not_entitled")
    assert "waiting period" in waiting[1]["detail"]
    assert opened[0] == 201
