"""What callers think of a talk, and that nobody overlooks a bad word."""

import asyncio

import pytest

from billing.store.claims import Words
from billing.store.ratings import load_rating
from terms.ids import OrderId
from tests.people import CALLER, TENANT
from tests.scenarios.claiming import Told, ask, claimed, decided, one_claim, queue, talked
from tests.serving import Service
from warmline.desk.claim_writing import opened_words

GOOD = {"timeliness": 5, "quality": 4, "attitude": 3}
BAD = {"timeliness": 5, "quality": 4, "attitude": 2}


async def rate(service: Service, order: str, **scores: object) -> tuple[int, Told]:
    """The caller rates."""
    path = f"/v1/orders/{order}/rating"
    return await ask(service, "POST", path, service.device(CALLER), scores)


@pytest.mark.rule("B14", "B15", "C09", "C32")
async def test_a_talk_is_rated_by_three_scores_once_it_is_completed(service: Service) -> None:
    people = service.people
    order = await people.order(await people.caller(), await people.counselor())
    status, problem = await rate(service, order, **GOOD)
    assert (status, problem["code"]) == (409, "not_completed")
    done = await talked(service, 300, counselor="+8613900000002", again=True)

    status, rating = await rate(service, done, **GOOD)

    assert status == 201
    assert {name: rating[name] for name in GOOD} == GOOD
    assert await queue(service, await service.sign_in("support")) == []


@pytest.mark.rule("C32")
async def test_a_talk_whose_rest_can_be_used_is_not_rated_yet(service: Service) -> None:
    order = await talked(service, 300, ends_by="drop")

    status, problem = await rate(service, order, **GOOD)

    assert (status, problem["code"]) == (409, "not_completed")


async def test_a_rating_may_be_changed_for_a_day(service: Service) -> None:
    order = await talked(service, 300)
    await rate(service, order, **GOOD)

    status, rating = await rate(service, order, **{**GOOD, "quality": 5})
    assert (status, rating["quality"]) == (201, 5)
    await service.let_pass(86_400)
    status, problem = await rate(service, order, **GOOD)

    assert (status, problem["code"]) == (409, "not_now")
    assert await service.house.pool.fetchval("SELECT quality FROM ratings") == 5


async def test_a_change_without_words_keeps_those_of_before_and_new_words_replace_them(
    service: Service,
) -> None:
    order = await talked(service, 300)
    seal = service.house.seal

    async def kept() -> str | None:
        async with service.house.pool.acquire() as connection:
            found = await load_rating(connection, TENANT, OrderId(order))
        assert found is not None
        assert found[1] is not None
        words = Words(kind="rated", at=found[0].rated_at, sealed=found[1])
        return opened_words(seal, words).get("text")

    await rate(service, order, **GOOD, text="a calm voice")
    await rate(service, order, **{**GOOD, "quality": 5})
    assert await kept() == "a calm voice"
    await rate(service, order, **GOOD, text="a calm and a kind one")

    assert await kept() == "a calm and a kind one"


async def test_words_that_stay_when_a_good_rating_becomes_a_bad_one_are_read_with_it(
    service: Service,
) -> None:
    order = await talked(service, 300)
    support = await service.sign_in("support")
    await rate(service, order, **GOOD, text="a calm voice, at first")

    await rate(service, order, **BAD)

    claim = await one_claim(service, support)
    _, case = await ask(service, "GET", f"/v1/claims/{claim['id']}", support)
    assert [(one["kind"], one["text"]) for one in case["written"]] == [
        ("rated", "a calm voice, at first")
    ]


async def test_ten_ratings_at_once_are_one(service: Service) -> None:
    order = await talked(service, 300)

    answers = await asyncio.gather(*(rate(service, order, **BAD) for _ in range(10)))

    assert {status for status, _ in answers} == {201}
    assert await service.house.pool.fetchval("SELECT count(*) FROM ratings") == 1
    assert await service.house.pool.fetchval("SELECT count(*) FROM claims") == 1


@pytest.mark.rule("B21", "B22")
async def test_a_bad_rating_opens_a_case_with_its_sealed_words_that_somebody_must_decide(
    service: Service,
) -> None:
    secret = "he laughed at me"
    order = await talked(service, 300)
    support = await service.sign_in("support")

    status, _ = await rate(service, order, **BAD, text=secret)

    assert status == 201
    claim = await one_claim(service, support)
    assert (claim["grounds"], claim["order"]) == (["low_rating"], order)
    _, case = await ask(service, "GET", f"/v1/claims/{claim['id']}", support)
    assert [(one["kind"], one["text"]) for one in case["written"]] == [("rated", secret)]
    sealed = await service.house.pool.fetchval("SELECT words_sealed FROM ratings")
    assert secret.encode() not in sealed
    assert "claim.opened" in await service.people.timeline(order)
    await rate(service, order, **BAD)
    _, case = await ask(service, "GET", f"/v1/claims/{claim['id']}", support)
    assert [one["text"] for one in case["written"]] == [secret]  # said once
    status, _ = await decided(service, claim["id"], "reject", support, reason="we spoke with him")
    assert status == 200
    _, page = await ask(service, "GET", f"/v1/orders/{order}/claims", service.device(CALLER))
    assert page["items"][0]["decision"]["reason"] == "we spoke with him"


@pytest.mark.rule("B21")
async def test_a_bad_rating_joins_the_claim_that_is_open_and_a_better_one_does_not_close_it(
    service: Service,
) -> None:
    order = await talked(service, 300)
    support = await service.sign_in("support")
    _, claim = await claimed(service, order)

    await rate(service, order, **BAD)
    await rate(service, order, **GOOD)

    joined = await one_claim(service, support)
    assert (joined["id"], joined["grounds"]) == (claim["id"], ["filed", "low_rating"])


@pytest.mark.parametrize("score", [0, 6, "5", None, 4.5])
async def test_a_score_goes_from_one_to_five(service: Service, score: object) -> None:
    people = service.people
    order = await people.order(await people.caller(), await people.counselor())

    status, problem = await rate(service, order, **{**GOOD, "attitude": score})

    assert (status, problem["code"]) == (422, "bad_input")
