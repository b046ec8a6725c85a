"""The operator's own affairs: accounts, keys, programs, and how the installation is."""

from typing import Any

import pytest

from tests.serving import Service

Headers = dict[str, str]
NEW = {"email": "Li@example.test", "roles": ["support", "steward"]}


@pytest.fixture
async def operator(service: Service) -> Headers:
    return await service.sign_in("operator")


async def ask(
    service: Service, method: str, path: str, who: Headers, **request: Any
) -> tuple[int, Any]:
    async with service.client.request(method, path, headers=who, **request) as response:
        return response.status, await response.json() if response.status != 204 else None


async def signed_in(service: Service, login: dict[str, str]) -> Headers:
    body = {"email": login["email"], "password": login["password"]}
    async with service.client.post("/v1/sessions", json=body) as response:
        assert response.status == 201, await response.text()
        return {"Authorization": f"Bearer {(await response.json())['token']}"}


async def is_let_in(service: Service, who: Headers) -> bool:
    return (await ask(service, "GET", "/v1/sessions/current", who))[0] == 200


async def test_a_new_member_gets_a_password_once_and_sets_up_a_second_factor(
    service: Service, operator: Headers
) -> None:
    status, login = await ask(service, "POST", "/v1/staff/members", operator, json=NEW)
    assert (status, login["email"]) == (201, "li@example.test")

    member = await signed_in(service, login)

    _, told = await ask(service, "GET", "/v1/sessions/current", member)
    assert (told["roles"], told["second_factor"]) == (["steward", "support"], "due")
    _, listed = await ask(service, "GET", "/v1/staff/members", operator)
    (shown,) = [one for one in listed["items"] if one["id"] == login["id"]]
    assert (shown["has_second_factor"], shown["suspended_at"]) == (False, None)
    assert shown["last_seen_at"] is not None
    assert login["password"] not in str(listed)


async def test_two_accounts_share_neither_an_email_nor_a_counselors_desk(
    service: Service, operator: Headers
) -> None:
    desk = await service.people.counselor()
    first = {"email": "a@example.test", "roles": ["counselor"], "counselor": desk}
    assert (await ask(service, "POST", "/v1/staff/members", operator, json=first))[0] == 201

    for taken in ({"email": "b@example.test"}, {"counselor": None}):
        status, told = await ask(
            service, "POST", "/v1/staff/members", operator, json={**first, **taken}
        )
        assert (status, told["code"]) == (409, "not_now")


async def test_duties_change_at_the_next_request_and_a_suspended_member_is_out_at_once(
    service: Service, operator: Headers
) -> None:
    new = {"email": "li@example.test", "roles": ["steward"]}
    _, login = await ask(service, "POST", "/v1/staff/members", operator, json=new)
    member, path = await signed_in(service, login), f"/v1/staff/members/{login['id']}"
    desk = await service.people.counselor()
    assert (await ask(service, "GET", "/v1/me", member))[0] == 403

    duties = {"roles": ["counselor"], "counselor": desk}
    assert (await ask(service, "PUT", path, operator, json=duties))[1]["roles"] == ["counselor"]
    assert (await ask(service, "GET", "/v1/me", member))[0] == 200

    _, suspended = await ask(service, "POST", f"{path}/suspend", operator)
    assert suspended["suspended_at"] is not None
    assert not await is_let_in(service, member)
    assert (await ask(service, "POST", f"{path}/restore", operator))[1]["suspended_at"] is None
    assert await is_let_in(service, await signed_in(service, login))


async def test_a_renewed_password_ends_the_old_one_and_every_sign_in(
    service: Service, operator: Headers
) -> None:
    new = {"email": "li@example.test", "roles": ["steward"]}
    _, login = await ask(service, "POST", "/v1/staff/members", operator, json=new)
    member = await signed_in(service, login)

    _, renewed = await ask(service, "POST", f"/v1/staff/members/{login['id']}/password", operator)

    assert not await is_let_in(service, member)
    old = {"email": login["email"], "password": login["password"]}
    async with service.client.post("/v1/sessions", json=old) as response:
        assert response.status == 401
    assert await is_let_in(service, await signed_in(service, renewed))


async def test_nobody_takes_away_their_own_means_to_get_back(
    service: Service, operator: Headers
) -> None:
    me = (await ask(service, "GET", "/v1/sessions/current", operator))[1]["id"]

    for method, path, body in (
        ("PUT", f"/v1/staff/members/{me}", {"roles": ["steward"]}),
        ("POST", f"/v1/staff/members/{me}/suspend", None),
    ):
        assert (await ask(service, method, path, operator, json=body))[0] == 409
    assert await is_let_in(service, operator)


async def test_a_lost_authenticator_is_forgotten_and_has_to_be_set_up_anew(
    service: Service, operator: Headers
) -> None:
    support = await service.sign_in("support")
    id_ = (await ask(service, "GET", "/v1/sessions/current", support))[1]["id"]

    _, told = await ask(service, "DELETE", f"/v1/staff/members/{id_}/second-factor", operator)

    assert not told["has_second_factor"]
    assert not await is_let_in(service, support)


async def test_a_key_works_until_it_is_revoked(service: Service, operator: Headers) -> None:
    _, given = await ask(service, "POST", "/v1/staff/keys", operator, json={"name": "shop"})
    key = {"Authorization": f"Bearer {given['api_key']}"}
    assert (await ask(service, "GET", "/v1/orders", key))[0] == 200
    assert given["api_key"] not in str(await ask(service, "GET", "/v1/staff/keys", operator))

    path = f"/v1/staff/keys/{given['id']}"
    assert (await ask(service, "DELETE", path, operator))[0] == 204

    assert (await ask(service, "GET", "/v1/orders", key))[0] == 401
    assert (await ask(service, "DELETE", path, operator))[0] == 404
    (listed,) = (await ask(service, "GET", "/v1/staff/keys", operator))[1]["items"]
    assert listed["revoked_at"] is not None


async def test_everything_an_operator_does_to_accounts_is_on_record(
    service: Service, operator: Headers
) -> None:
    _, login = await ask(service, "POST", "/v1/staff/members", operator, json=NEW)
    for what in ("password", "suspend", "restore"):
        await ask(service, "POST", f"/v1/staff/members/{login['id']}/{what}", operator)

    deeds = await service.house.pool.fetch("SELECT action FROM staff_deeds ORDER BY id")
    assert [deed["action"] for deed in deeds] == [
        "member.added",
        "member.password_renewed",
        "member.suspended",
        "member.restored",
    ]


async def test_a_program_is_shown_with_its_file_and_a_faulty_one_with_its_lines(
    service: Service, operator: Headers
) -> None:
    _, listed = await ask(service, "GET", "/v1/staff/programs", operator)
    good = next(one for one in listed["items"] if one["id"] == "psych-listening")
    path = "/v1/staff/programs/check"
    assert (await ask(service, "POST", path, operator, json={"toml": good["toml"]}))[1] == {
        "usable": True,
        "faults": [],
    }

    bad = good["toml"].replace("cap_seconds = 1500", "cap_seconds = -1")
    _, told = await ask(service, "POST", path, operator, json={"toml": bad})

    assert not told["usable"]
    fault = next(one for one in told["faults"] if one["key"] == "cap_seconds")
    assert fault["section"] == "dialer"
    assert bad.splitlines()[fault["line"] - 1] == "cap_seconds = -1"


async def test_the_health_page_says_what_the_doctor_says(
    service: Service, operator: Headers
) -> None:
    status, told = await ask(service, "GET", "/v1/staff/health", operator)

    assert status == 200
    subjects = {one["subject"] for one in told["findings"]}
    assert {"settings", "carrier", "database"} <= subjects
    assert told["health"] in ("good", "warning")
