"""Vouchers over HTTP, for those who hold them: redeemed, listed, told about. And for guessers."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.code import ALPHABET, spaced
from billing.voucher import State
from tests.people import CALLER, LISTENING
from tests.serving import Service, a_service
from tests.warmline.api.everybody import new_code
from warmline.vouchers import new_codes

OTHER = "+8613800000002"
HOUR, DAY = 3600, 24 * 3600

Answer = tuple[int, dict[str, Any]]


async def redeem(service: Service, code: str, number: str = CALLER) -> Answer:
    return await ask(service, "POST", "/v1/vouchers/redeem", {"code": code}, number)


async def open_order(service: Service, voucher: str, number: str = CALLER) -> Answer:
    body = {"program": LISTENING, "voucher": voucher}
    return await ask(service, "POST", "/v1/orders", body, number)


async def ask(
    service: Service,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    number: str = CALLER,
) -> Answer:
    async with service.client.request(
        method, path, json=body, headers=service.device(number)
    ) as response:
        answer: dict[str, Any] = await response.json()
        if "Retry-After" in response.headers:
            answer["retry_after"] = int(response.headers["Retry-After"])
        return response.status, answer


def mistyped(code: str) -> str:
    """One wrong character."""
    return ALPHABET[(ALPHABET.index(code[0]) + 1) % 32] + code[1:]


def guessed() -> str:
    """A code that could be one, and is none."""
    return new_codes(1)[0]


@pytest.mark.rule("A14", "X14")
async def test_a_code_brings_its_voucher_into_the_account_without_an_order(
    service: Service,
) -> None:
    await service.people.caller()
    code = await new_code(service)

    status, mine = await redeem(service, f" {spaced(code).lower()} ")

    assert (status, mine["state"], mine["order"]) == (200, "issued", None)
    assert mine["redeemed_at"] is not None
    assert mine["code_ending"] == code[-4:]
    _, listed = await ask(service, "GET", "/v1/vouchers")
    assert [one["id"] for one in listed["items"]] == [mine["id"]]
    assert await service.house.pool.fetchval("SELECT count(*) FROM orders") == 0
    assert await redeem(service, code) == (200, mine)


@pytest.mark.rule("X14")
async def test_whoever_redeems_first_owns_the_voucher_and_nobody_else_can_use_its_code(
    service: Service,
) -> None:
    await service.people.caller()
    await service.people.caller(OTHER)
    code = await new_code(service)
    _, mine = await redeem(service, code)

    for refused in (
        await redeem(service, code, OTHER),
        await open_order(service, code, OTHER),
        await open_order(service, mine["id"], OTHER),
    ):
        assert (refused[0], refused[1]["code"]) == (422, "voucher_invalid")
    assert (await ask(service, "GET", "/v1/vouchers", number=OTHER))[1]["items"] == []
    status, order = await open_order(service, mine["id"])
    assert (status, order["state"]) == (201, "open")


@pytest.mark.rule("A14")
async def test_the_id_of_a_voucher_that_nobody_redeemed_is_no_code(service: Service) -> None:
    await service.people.caller()
    await new_code(service)
    id_ = await service.house.pool.fetchval("SELECT id FROM vouchers")

    status, answer = await open_order(service, id_)

    assert (status, answer["code"]) == (422, "voucher_invalid")
    assert await service.house.pool.fetchval("SELECT holder FROM vouchers") is None


@pytest.mark.rule("A14", "A18", "A23", "A31")
async def test_a_code_opens_one_order_and_is_in_use_until_that_ends(service: Service) -> None:
    await service.people.caller()
    await service.people.caller(OTHER)
    code = await new_code(service)

    status, order = await open_order(service, code)

    assert (status, order["state"]) == (201, "open")
    for again in (
        await open_order(service, code),
        await redeem(service, code),
        await open_order(service, code, OTHER),
        await redeem(service, code, OTHER),
    ):
        assert (again[0], again[1]["code"]) == (409, "voucher_in_use")


@pytest.mark.rule("A33", "A34", "X13")
async def test_what_comes_back_to_the_account_can_be_used_with_another_counselor(
    service: Service,
) -> None:
    await service.people.caller()
    one = await service.people.counselor()
    another = await service.people.counselor("+8613900000002")
    code = await new_code(service)
    body = {"program": LISTENING, "voucher": code, "counselor": one}
    _, first = await ask(service, "POST", "/v1/orders", body)
    _, held = await ask(service, "GET", "/v1/vouchers")
    (before,) = held["items"]
    assert (before["state"], before["order"]) == ("held", first["id"])
    assert before["held_until"] == first["expires_at"]

    await service.let_pass(DAY + 1)

    _, listed = await ask(service, "GET", "/v1/vouchers")
    (back,) = listed["items"]
    assert (back["state"], back["order"], back["held_until"]) == ("returned", None, None)
    assert back["returned_at"] is not None
    assert back["valid_until"] == before["valid_until"]
    body = {"program": LISTENING, "voucher": back["id"], "counselor": another}
    status, second = await ask(service, "POST", "/v1/orders", body)
    assert (status, second["counselor"]) == (201, another)


@pytest.mark.rule("A20", "X13")
async def test_the_holder_sees_that_a_voucher_ran_out_and_its_whole_story_in_words(
    service: Service,
) -> None:
    await service.people.caller()
    await service.people.caller(OTHER)
    code = await new_code(service, good_for=timedelta(hours=2))
    _, order = await open_order(service, code)
    await ask(service, "DELETE", f"/v1/orders/{order['id']}")
    await service.let_pass(2 * HOUR + 1)

    _, listed = await ask(service, "GET", "/v1/vouchers")
    (mine,) = listed["items"]
    status, story = await ask(service, "GET", f"/v1/vouchers/{mine['id']}")

    assert (mine["state"], mine["expired_at"] is not None) == ("expired", True)
    assert status == 200
    assert {key: story[key] for key in mine} == mine
    assert [one["what"] for one in story["history"]] == [
        *("issued", "redeemed", "held", "back_cancelled", "expired")
    ]
    assert [one["order"] for one in story["history"]] == [
        None,
        None,
        order["id"],
        order["id"],
        None,
    ]
    assert all(one["text"]["zh"] and one["text"]["en"] for one in story["history"])
    assert (await open_order(service, mine["id"]))[1]["code"] == "voucher_invalid"
    assert (await ask(service, "GET", f"/v1/vouchers/{mine['id']}", number=OTHER))[0] == 404


async def test_five_guesses_lock_redeeming_and_opening_alike_and_an_hour_opens_them(
    service: Service,
) -> None:
    await service.people.caller()
    code = await new_code(service)
    mine = (await redeem(service, await new_code(service)))[1]["id"]
    for number in range(5):
        answer = await (redeem if number % 2 else open_order)(service, guessed())
        assert (answer[0], answer[1]["code"]) == (422, "voucher_invalid")

    for locked in (await redeem(service, code), await open_order(service, code)):
        assert (locked[0], locked[1]["code"]) == (429, "rate_limited")
        assert HOUR - 60 < locked[1]["retry_after"] <= HOUR
        assert "min" in locked[1]["detail"]
    assert (await open_order(service, mine))[0] == 201  # what is in the account is no guess
    async with service.client.get("/metrics") as response:
        counted = await response.text()
    assert 'warmline_voucher_code_misses_total{miss="guess"} 5.0' in counted
    assert 'warmline_voucher_code_misses_total{miss="locked"} 2.0' in counted
    await service.let_pass(HOUR + 1)

    assert (await redeem(service, code))[0] == 200


async def test_honest_slips_are_told_as_such_and_cost_less_than_guesses(service: Service) -> None:
    await service.people.caller()
    code = await new_code(service)

    slips = [await redeem(service, mistyped(code)) for _ in range(19)]

    assert {(status, answer["code"]) for status, answer in slips} == {(422, "voucher_invalid")}
    assert all("typing mistake" in answer["detail"] for _, answer in slips)
    assert (await redeem(service, code))[0] == 200


async def test_a_lock_outlives_a_restart_and_a_new_device_of_the_same_number(
    database_url: str, tmp_path: Path
) -> None:
    async with a_service(database_url, tmp_path) as service:
        await service.people.caller()
        code = await new_code(service)
        for _ in range(7):
            await redeem(service, guessed())

    async with a_service(database_url, tmp_path) as service:
        assert (await redeem(service, code))[0] == 429
        await service.house.pool.execute("UPDATE devices SET token_digest = sha256(token_digest)")
        await service.people.caller()  # on another phone
        answers = [await redeem(service, guessed()) for _ in range(4)]
        assert [status for status, _ in answers] == [422, 422, 422, 429]


async def test_whoever_shares_the_address_of_a_guesser_is_not_locked_out(service: Service) -> None:
    await service.people.caller()
    await service.people.caller(OTHER)
    for _ in range(6):
        await redeem(service, guessed())

    assert (await redeem(service, await new_code(service), OTHER))[0] == 200


async def test_an_app_that_redeems_for_its_customers_counts_for_the_customer(
    service: Service,
) -> None:
    from tests.warmline.api.everybody import everybody

    all_ = await everybody(service, talking=False)

    async def for_customer(phone: str, voucher: str) -> Answer:
        body = {"program": LISTENING, "voucher": voucher, "phone": phone}
        return await all_.ask("app", "POST", "/v1/orders", json=body)

    tries = [await for_customer(OTHER, guessed()) for _ in range(9)]

    assert [status for status, _ in tries] == [422] * 8 + [429]
    assert (await for_customer("+8613800000009", all_.code))[0] == 201


@pytest.mark.rule("A20")
async def test_a_voucher_past_its_time_cannot_be_redeemed(service: Service) -> None:
    await service.people.caller()
    code = await new_code(service, good_for=timedelta(hours=2))
    await service.let_pass(2 * HOUR + 1)

    status, answer = await redeem(service, code)

    assert (status, answer["code"]) == (422, "voucher_invalid")
    assert "expired" in answer["detail"]
    assert await service.house.pool.fetchval("SELECT state FROM vouchers") == State.EXPIRED
