"""Where a request came from, and what is limited by it."""

from ipaddress import ip_network
from pathlib import Path

import pytest

from tests.serving import Service, a_service
from warmline.http.address import address_of, came_over_tls
from warmline.settings import Settings, SettingsInvalid

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),  # anybody can write the header
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.9, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["192.0.2.9", "198.51.100.1"], "198.51.100.1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::5"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        (None, ["198.51.100.1"], "unknown"),
    ],
)
def test_a_forwarded_address_counts_only_as_far_as_its_proxies_are_trusted(
    peer: str | None, forwarded: list[str], found: str
) -> None:
    assert address_of(peer, forwarded, PROXIES) == found
    assert address_of(peer, forwarded, ()) == (peer or "unknown")


@pytest.mark.parametrize(
    ("secure", "peer", "said", "found"),
    [
        (True, "203.0.113.7", "", True),
        (False, "203.0.113.7", "https", False),  # anybody can write the header
        (False, "10.0.0.1", "https", True),
        (False, "10.0.0.1", "http, HTTPS", True),
        (False, "10.0.0.1", "https, http", False),
        (False, "10.0.0.1", "", False),
        (False, None, "https", False),
    ],
)
def test_only_a_trusted_proxy_is_believed_that_the_connection_was_encrypted(
    secure: bool, peer: str | None, said: str, found: bool
) -> None:
    assert came_over_tls(secure, peer, said, PROXIES) is found
    assert came_over_tls(secure, peer, said, ()) is secure


def test_trusted_proxies_are_networks_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMLINE_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8")
    assert Settings.load().trusted_proxies == PROXIES
    assert Settings.load(tenant="other").trusted_proxies == PROXIES

    monkeypatch.setenv("WARMLINE_TRUSTED_PROXIES", "my-proxy")
    with pytest.raises(SettingsInvalid, match="WARMLINE_TRUSTED_PROXIES cannot be used"):
        Settings.load()


async def sign_in_from(service: Service, address: str, email: str) -> int:
    body = {"email": email, "password": "wrong"}
    headers = {"X-Forwarded-For": address}
    async with service.client.post("/v1/sessions", json=body, headers=headers) as response:
        return response.status


async def test_many_addresses_do_not_help_to_guess_one_accounts_password(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warmline.http.sessions._TRIES", 2)
    monkeypatch.setattr("warmline.http.sessions._TRIES_PER_ACCOUNT", 3)
    async with a_service(database_url, tmp_path, trusted_proxies="127.0.0.0/8") as service:
        tries = [
            await sign_in_from(service, f"198.51.100.{number // 2}", "chen@example.test")
            for number in range(4)
        ]
        other = await sign_in_from(service, "198.51.100.1", "xin@example.test")

    assert tries == [401, 401, 401, 429]
    assert other == 401


async def test_without_trusted_proxies_the_header_gives_nobody_a_new_address(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warmline.http.sessions._TRIES", 1)
    assert await sign_in_from(service, "198.51.100.1", "chen@example.test") == 401
    assert await sign_in_from(service, "198.51.100.2", "chen@example.test") == 429


async def says_use_tls(service: Service) -> bool:
    headers = {"X-Forwarded-Proto": "https"}
    async with service.client.get("/livez", headers=headers) as response:
        return "Strict-Transport-Security" in response.headers


async def test_whoever_says_that_they_are_a_proxy_tells_no_browser_to_keep_to_tls(
    service: Service,
) -> None:
    assert not await says_use_tls(service)


async def test_behind_a_trusted_proxy_a_browser_is_told_to_keep_to_tls(
    database_url: str, tmp_path: Path
) -> None:
    async with a_service(database_url, tmp_path, trusted_proxies="127.0.0.0/8") as service:
        assert await says_use_tls(service)
