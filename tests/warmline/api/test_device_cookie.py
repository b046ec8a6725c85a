"""A caller's page holds its token in a cookie that no script can read."""

from http.cookies import SimpleCookie

import aiohttp
import pytest
from aiohttp import web

from routing.verification import DEVICE_LIFE
from tests.people import CALLER
from tests.serving import Service
from tests.warmline.api.everybody import STRANGER, everybody
from tests.warmline.api.test_devices import ask_for_code, last_code
from warmline.http.cookies import Cookie, Whose, cookie_removal, set_cookie

NAME = "warmline-device"
DEVICE = {"Warmline-Cookie": "device"}
EVIL = {"Origin": "https://evil.test"}


def ours(service: Service) -> dict[str, str]:
    """What a page of ours sends that wants its device's cookie to count."""
    return {"Origin": service.house.url, **DEVICE}


async def confirmed(service: Service, headers: dict[str, str]) -> aiohttp.ClientResponse:
    """The answer to the right code."""
    verification = await ask_for_code(service)
    body = {"code": await last_code(service)}
    path = f"/v1/device-verifications/{verification}/confirm"
    async with service.client.post(path, json=body, headers=headers) as response:
        assert response.status == 201, await response.text()
        await response.read()
        return response


async def asked(
    service: Service, method: str, path: str, headers: dict[str, str]
) -> aiohttp.ClientResponse:
    async with service.client.request(method, path, headers=headers) as response:
        await response.read()
        return response


async def test_a_page_that_asks_for_a_cookie_gets_one_no_script_can_read(service: Service) -> None:
    answer = await confirmed(service, ours(service))

    (header,) = answer.headers.getall("Set-Cookie")
    cookie = SimpleCookie(header)[NAME]
    assert cookie.value.startswith("wd_")
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")
    assert int(cookie["max-age"]) == DEVICE_LIFE.total_seconds()
    held = {"Cookie": f"{NAME}={cookie.value}"}
    assert (await asked(service, "GET", "/v1/devices/current", held | ours(service))).status == 200


@pytest.mark.parametrize(
    "headers", [{}, DEVICE, {**DEVICE, **EVIL}, {**DEVICE, "Origin": "null"}, {"Origin": "here"}]
)
async def test_whoever_does_not_ask_for_it_or_is_no_page_of_ours_gets_no_cookie(
    service: Service, headers: dict[str, str]
) -> None:
    if headers.get("Origin") == "here":
        headers = {"Origin": service.house.url}
    answer = await confirmed(service, headers)

    assert "Set-Cookie" not in answer.headers
    assert (await answer.json())["device_token"].startswith("wd_")


async def test_of_two_cookies_in_a_browser_the_one_counts_that_the_page_names(
    service: Service,
) -> None:
    all_ = await everybody(service, talking=False)
    both = {
        "Origin": service.house.url,
        "Cookie": f"warmline={all_.tokens['support']}; {NAME}={all_.tokens['caller']}",
    }
    released = f"/v1/orders/{all_.order}/release"

    assert (await asked(service, "GET", "/v1/orders", both | DEVICE)).status == 200
    assert (await asked(service, "GET", "/v1/orders", both)).status == 403
    assert (await asked(service, "GET", "/v1/claims", both)).status == 200
    async with service.client.post(
        released, json={"reason": "x"}, headers=both | DEVICE
    ) as as_caller:
        assert as_caller.status == 409  # for support it would have been done, and noted
    assert await service.house.pool.fetchval("SELECT count(*) FROM staff_deeds") == 0


async def test_the_live_feed_opens_to_the_cookie_it_was_asked_to_heed(service: Service) -> None:
    all_ = await everybody(service, talking=False)
    both = {
        "Origin": service.house.url,
        "Cookie": f"warmline={all_.tokens['counselor']}; {NAME}={all_.tokens['caller']}",
    }
    told = {}
    for whose in ("staff", "device"):
        feed = await service.client.ws_connect(f"/v1/live?cookie={whose}", headers=both)
        told[whose] = await feed.receive_json()
        await feed.close()
    feed = await service.client.ws_connect("/v1/live?cookie=none", headers=both)
    await feed.send_json({"type": "hello", "token": all_.tokens["stranger"]})
    told["none"] = await feed.receive_json()
    await feed.close()

    assert told["staff"]["counselor"] == all_.counselor
    assert [order["id"] for order in told["device"]["orders"]] == [all_.order]
    assert told["none"]["orders"] == []
    evil = both | EVIL
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await service.client.ws_connect("/v1/live?cookie=device", headers=evil)
    assert refused.value.status == 403


@pytest.mark.parametrize("whose", Whose)
def test_over_https_a_cookie_is_bound_to_the_host_and_to_tls(whose: Whose) -> None:
    response, site = web.Response(), "https://warmline.test"
    set_cookie(response, site, Cookie(whose=whose, token="wd_x", seconds=60))

    (given,) = response.cookies.values()
    (removed,) = SimpleCookie(cookie_removal(site, whose)).values()
    assert given.key == removed.key
    assert given.key.startswith("__Host-warmline")
    assert given["secure"]
    assert removed["secure"]
    assert (given["path"], given["domain"]) == ("/", "")


async def test_a_forgotten_device_leaves_no_cookie_behind(service: Service) -> None:
    await service.people.caller()
    await service.people.caller(STRANGER)
    token = service.device(CALLER)["Authorization"].removeprefix("Bearer ")
    held = ours(service) | {"Cookie": f"{NAME}={token}"}

    forgotten = await asked(service, "DELETE", "/v1/devices/current", held)

    removal = SimpleCookie(forgotten.headers["Set-Cookie"])[NAME]
    assert (forgotten.status, removal.value, removal["max-age"]) == (204, "", "0")
    assert (await asked(service, "GET", "/v1/devices/current", held)).status == 401
