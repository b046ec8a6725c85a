"""Asterisk's configuration as it is rendered."""

from dataclasses import replace
from pathlib import Path

import pytest

from dialer.carriers.asterisk.configuration import (
    FILES,
    INCLUDED,
    ConfigurationInvalid,
    Installation,
    read_installation,
    render,
    write,
)

BY_ADDRESS = Installation(
    ari_password="of-the-tests",
    provider="sip.example.com:5070",
    provider_addresses=("192.0.2.10", "192.0.2.0/28"),
)
BY_REGISTRATION = replace(BY_ADDRESS, username="4008001111", password="pa;ss", registers=True)
OVER_TLS = replace(
    BY_ADDRESS, transport="tls", tls_cert_file="/etc/c.pem", tls_key_file="/etc/k.pem"
)


def lines(installation: Installation, file: str = "pjsip.conf") -> list[str]:
    return render(installation)[file].splitlines()


def test_a_trunk_by_address_takes_calls_from_its_provider_alone() -> None:
    found = lines(BY_ADDRESS)

    assert "contact = sip:sip.example.com:5070" in found
    assert [line for line in found if line.startswith("match")] == [
        "match = 192.0.2.10",
        "match = 192.0.2.0/28",
    ]
    assert "type = registration" not in found
    assert "type = auth" not in found


def test_a_trunk_by_registration_logs_on_and_answers_challenges() -> None:
    found = lines(BY_REGISTRATION)

    assert "client_uri = sip:4008001111@sip.example.com:5070" in found
    assert "outbound_auth = warmline-trunk" in found
    assert "password = pa\\;ss" in found  # a bare semicolon would begin a comment


def test_tls_brings_srtp_and_verifies_the_provider() -> None:
    found = lines(OVER_TLS)

    assert "verify_server = yes" in found
    assert "media_encryption = sdes" in found
    assert "media_encryption_optimistic = no" in found
    assert "contact = sip:sip.example.com:5070\\;transport=tls" in found


def test_no_number_crosses_by_itself() -> None:
    found = lines(BY_ADDRESS)

    for leak in ("send_pai", "send_rpid", "send_connected_line", "trust_id_outbound"):
        assert f"{leak} = no" in found


def test_an_address_behind_nat_is_told() -> None:
    behind = replace(BY_ADDRESS, public_address="203.0.113.5", local_networks=("10.0.0.0/8",))

    assert "external_media_address = 203.0.113.5" in lines(behind)
    assert "local_net = 10.0.0.0/8" in lines(behind)
    assert not any(line.startswith("external_") for line in lines(BY_ADDRESS))


def test_there_is_one_user_and_only_loopback_reaches_it() -> None:
    ari = [line for line in lines(BY_ADDRESS, "warmline-ari.conf") if line.startswith("[")]

    assert ari == ["[warmline]"]
    assert "#include warmline-ari.conf" in lines(BY_ADDRESS, "ari.conf")
    assert "bindaddr = 127.0.0.1" in lines(BY_ADDRESS, "http.conf")


def test_the_files_are_written_for_their_owner_and_group_alone(tmp_path: Path) -> None:
    (tmp_path / "ari.conf").touch(mode=0o666)

    written = write(BY_REGISTRATION, tmp_path)

    assert sorted(path.name for path in written) == sorted(FILES)
    assert {path.stat().st_mode & 0o777 for path in written} == {0o640}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"ari_pasword": "x"}, "ari_pasword is not known"),
        ({"ari_password": ""}, "ari_password is empty"),
        ({"ari_password": "x\ny"}, "ari_password holds a line break"),
        ({"provider": "sip.example.com\nhost=x"}, "provider holds a line break"),
        ({"provider": "sip:example"}, "provider is not a host"),
        ({"provider_addresses": []}, "nobody could dial in"),
        ({"provider_addresses": "192.0.2.1"}, "not a list of texts"),
        ({"sip_port": "5060"}, "sip_port is not a whole number"),
        ({"sip_port": 0}, "sip_port is not a port"),
        ({"registers": True}, "registers needs a username"),
        ({"username": "x"}, "go together"),
        ({"transport": "tls"}, "tls_cert_file is missing"),
        ({"transport": "sctp"}, "not one of udp, tcp, tls"),
        ({"codecs": ["mp3"]}, "codecs are some of"),
        ({"rtp_timeout_seconds": 5}, "below 15"),
        ({"qualify_seconds": -1}, "below 0"),
        ({"rtp_first_port": 20000}, "rtp_last_port is not above"),
        ({"app": "warm line"}, "app holds something else"),
        ({"softphones": ["+8613800000001"]}, "softphones is not a table of texts"),
        ({"softphones": {"+8613800000001": 1}}, "softphones is not a table of texts"),
        ({"softphones": {"13800000001": "secret"}}, "with its country code"),
        ({"softphones": {"+8613800000001": ""}}, "one has no password"),
        ({"softphones": {"+8613800000001": "a\nb"}}, "softphones holds a line break"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(table: dict[str, object], told: str) -> None:
    good = {
        "ari_password": "of-the-tests",
        "provider": "sip.example.com",
        "provider_addresses": ["192.0.2.10"],
    }

    with pytest.raises(ConfigurationInvalid, match=told):
        read_installation({**good, **table})


def test_a_softphone_is_known_by_its_number_and_password() -> None:
    alone = Installation(ari_password="x", softphones={"+8613800000001": "pa;ss"})

    found = lines(alone)

    assert "[+8613800000001](warmline-endpoint)" in found
    assert "callerid = <+8613800000001>" in found
    assert "password = pa\\;ss" in found
    assert not any("warmline-trunk" in line for line in found)


def test_an_asterisk_with_a_configuration_takes_over_two_files(tmp_path: Path) -> None:
    written = write(Installation(ari_password="x"), tmp_path, INCLUDED)

    assert {path.name for path in written} == {"warmline-ari.conf", "warmline-extensions.conf"}
    assert lines(BY_ADDRESS, "extensions.conf") == ["#include warmline-extensions.conf"]


def test_a_password_is_asked_for() -> None:
    with pytest.raises(ConfigurationInvalid, match="ari_password is missing"):
        read_installation({"provider": "sip.example.com", "provider_addresses": ["192.0.2.10"]})


def test_an_asterisk_that_could_ring_nobody_is_not_rendered(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="nobody could be rung"):
        write(Installation(ari_password="x"), tmp_path / "etc")

    assert not (tmp_path / "etc").exists()
