"""docker-compose.yml and the Dockerfile, checked as data: no test here runs a container."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from warmline.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
HEADER = [line for line in COMPOSE.partition("name:")[0].splitlines() if line.startswith("#")]
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]

ASTERISK = (ROOT / "docker/asterisk/Dockerfile").read_text()
LASTING = [name for name, service in SERVICES.items() if service["restart"] != "no"]
REAL_PHONES = {"asterisk", "asterisk-configuration"}

OPTIONAL = re.compile(r"\$\{[A-Z_]+:-\}")
REQUIRED = re.compile(r"\$\{[A-Z_]+:\?[^}]+\}")
PINNED = re.compile(r"[a-z-]+:(\d+\.\d+(\.\d+)?(-[a-z-]+)?|[a-z]+-\d{8}-slim)")


def environment(service: dict[str, Any]) -> dict[str, str]:
    return dict(service.get("environment", {}))


def test_two_processes_share_a_database_a_redis_and_the_handsets() -> None:
    serving = [service for service in SERVICES.values() if "command" not in service]
    ours = [service for service in serving if service.get("image", "").startswith("warmline:")]

    assert set(SERVICES) - REAL_PHONES == {
        "warmline-1",
        "warmline-2",
        "handsets",
        "postgres",
        "redis",
    }
    assert len(ours) == 2
    assert {environment(service)["WARMLINE_HANDSETS_URL"] for service in ours} == {
        "http://handsets:8090"
    }
    assert {environment(service)["WARMLINE_DATABASE_URL"] for service in ours} == {
        "postgresql://warmline:${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}@postgres:5432/warmline"
    }


@pytest.mark.parametrize("name", ["warmline-1", "warmline-2"])
def test_the_handsets_can_reach_each_process_by_its_own_name(name: str) -> None:
    assert environment(SERVICES[name])["WARMLINE_PUBLIC_URL"] == f"http://{name}:8080"


@pytest.mark.parametrize("name", LASTING)
def test_every_service_says_whether_it_is_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned(name: str) -> None:
    assert PINNED.fullmatch(SERVICES[name]["image"])


def test_the_images_are_built_from_pinned_ones() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)

    assert bases
    assert [base for base in bases if not PINNED.fullmatch(base)] == []
    assert "--require-hashes" in DOCKERFILE
    assert re.search(r"^USER warmline$", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_in_the_file(name: str) -> None:
    for setting, value in environment(SERVICES[name]).items():
        if re.search("PASSWORD|SECRET|TOKEN|KEY", setting):
            assert REQUIRED.fullmatch(value) or OPTIONAL.fullmatch(value), f"{setting} of {name}"
        assert not re.search(r"://[^@/:]+:(?!\$\{)[^@/]*@", str(value))


@pytest.mark.parametrize("name", SERVICES)
def test_every_setting_is_one_we_know(name: str) -> None:
    ours = [s for s in environment(SERVICES[name]) if s.startswith(PREFIX)]

    assert {s.removeprefix(PREFIX).lower() for s in ours} <= set(Settings.model_fields)


def test_what_the_file_asks_one_to_set_reaches_the_processes() -> None:
    asked = {name for line in HEADER for name in re.findall(r"[A-Z]+_[A-Z_]+", line)}

    assert {"WARMLINE_SECRET_KEY", "POSTGRES_PASSWORD", "WARMLINE_SMS_SECRET"} < asked
    assert {name for name in asked if f"${{{name}:" not in COMPOSE} == set()


@pytest.mark.parametrize("ignored", [".dockerignore", ".gitignore"])
def test_secrets_beside_the_file_come_into_no_image_and_no_commit(ignored: str) -> None:
    left_out = {line.strip("/") for line in (ROOT / ignored).read_text().splitlines()}

    assert "./trunk.toml" in COMPOSE
    assert {".env", "trunk.toml", "data"} <= left_out


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - REAL_PHONES))
def test_nothing_is_reachable_from_outside_this_machine(name: str) -> None:
    for port in SERVICES[name].get("ports", ()):
        assert port.startswith("127.0.0.1:")


def test_the_phones_can_be_worked_from_the_page_and_from_this_machine_alone() -> None:
    opened = {n for n, one in SERVICES.items() if environment(one).get("WARMLINE_SIM_OPEN") == "1"}

    assert opened == {"warmline-1", "warmline-2", "handsets"}
    assert SERVICES["warmline-1"]["ports"] == ["127.0.0.1:8080:8080"]
    assert SERVICES["warmline-2"]["ports"] == ["127.0.0.1:8081:8080"]
    assert "ports" not in SERVICES["handsets"]
    assert "published on 127.0.0.1 alone" in COMPOSE


def test_a_process_starts_once_what_it_needs_is_well() -> None:
    waits = SERVICES["warmline-1"]["depends_on"]

    assert waits["postgres"] == {"condition": "service_healthy"}
    assert waits["handsets"] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", sorted(REAL_PHONES))
def test_real_phones_ring_only_for_those_who_ask_for_them(name: str) -> None:
    assert SERVICES[name]["profiles"] == ["asterisk"]
    assert "${WARMLINE_CARRIER:-simulated}" in COMPOSE


def test_asterisk_is_reached_by_sip_and_audio_alone() -> None:
    ports = SERVICES["asterisk"]["ports"]

    assert ports == ["5060:5060/udp", "10000-10199:10000-10199/udp"]
    assert environment(SERVICES["warmline-1"])["WARMLINE_ASTERISK_URL"] == "http://asterisk:8088"


def test_asterisk_reads_what_our_own_image_rendered_and_nobody_else_may() -> None:
    command = SERVICES["asterisk-configuration"]["command"]
    (rendered,) = SERVICES["asterisk-configuration"]["volumes"]
    read = SERVICES["asterisk"]["volumes"][0]
    here = (ROOT / "docker/asterisk/asterisk.conf").read_text()

    assert command[:3] == ["carrier", "asterisk", "render"]
    assert command[3].removeprefix(rendered.split(":")[1]) == "/asterisk"
    assert f"astetcdir => {read.split(':')[1]}/asterisk" in here
    assert read.endswith(":ro")
    assert "--uid 10001" in DOCKERFILE
    assert re.search(r"^USER 10001:10001$", ASTERISK, re.MULTILINE)


def test_asterisk_is_debians_own_and_no_secret_is_in_its_image() -> None:
    bases = re.findall(r"^FROM (\S+)", ASTERISK, re.MULTILINE)

    assert [base for base in bases if not PINNED.fullmatch(base)] == []
    assert "install -y --no-install-recommends asterisk" in ASTERISK
    assert not re.search("password|secret_key|COPY \\.", ASTERISK.replace("passwords", ""))
    assert "Not built or run" in ASTERISK


def test_the_file_says_that_it_was_not_run() -> None:
    assert "it has not been run" in COMPOSE
