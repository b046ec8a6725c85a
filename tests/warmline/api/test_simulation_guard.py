"""The simulated handsets answer to this machine alone, whatever name or proxy points to it."""

from pathlib import Path

from tests.people import CALLER
from tests.serving import Service, a_service

ELSEWHERE = [
    {"Host": "rebound.example"},
    {"X-Forwarded-For": "203.0.113.7"},
    {"Forwarded": "for=203.0.113.7"},
    {"Origin": "https://elsewhere.example"},
]


async def test_what_comes_from_elsewhere_by_name_proxy_or_page_is_forbidden(
    service: Service,
) -> None:
    for headers in ELSEWHERE:
        async with service.client.get("/sim/handsets", headers=headers) as response:
            assert response.status == 403, headers
        async with service.client.post(
            f"/sim/handsets/{CALLER}/answer", headers=headers
        ) as response:
            assert response.status == 403, headers
    async with service.client.get("/sim/handsets") as response:
        assert response.status == 200


async def test_a_body_has_to_say_that_it_is_json(service: Service) -> None:
    async with service.client.post(
        "/sim/clock", data='{"advance_seconds": 60}', headers={"Content-Type": "text/plain"}
    ) as response:
        assert response.status == 415
        assert (await response.json())["code"] == "unsupported_media_type"


async def test_an_operator_may_open_it_to_all(database_url: str, tmp_path: Path) -> None:
    async with a_service(database_url, tmp_path, sim_open=True) as service:
        for headers in ELSEWHERE:
            async with service.client.get("/sim/handsets", headers=headers) as response:
                assert response.status == 200, headers
