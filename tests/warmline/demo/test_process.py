"""The two promises of the first minute: it starts by itself, and it stops everything it started."""

import re
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.warmline.demo.running import (
    COMMAND,
    DemoProcess,
    a_folder,
    environment,
    free_port,
    processes_of,
    until,
)
from warmline.clock import machine_now
from warmline.people.totp import code_now

ANSWER_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Evening:
    """A demo that was started from nothing and ended by Ctrl-C."""

    data_dir: Path
    port: int
    output: str
    errors: str
    playbill: dict[str, Any]
    mode: int
    status: int


@pytest.fixture(scope="module")
def evening() -> Iterator[Evening]:
    with a_folder() as folder, DemoProcess(folder / "data", free_port()) as demo:
        demo.ready()
        file = demo.data_dir / "demo.json"
        yield Evening(
            data_dir=demo.data_dir,
            port=int(demo.url.rpartition(":")[2]),
            output=demo.output,
            errors=demo.errors,
            playbill=demo.playbill,
            mode=stat.S_IMODE(file.stat().st_mode),
            status=demo.interrupt(),
        )


def test_the_first_start_prints_addresses_logins_and_codes(evening: Evening) -> None:
    told = evening.playbill
    assert f"{told['url']}/" in evening.output
    assert told["api_key"] in evening.output
    for person in told["staff"]:
        assert person["email"] in evening.output
        assert person["password"] in evening.output
    for code in told["vouchers"]["psych-listening"]:
        assert code in evening.output


def test_the_file_has_the_contracts_shape_and_is_its_owners_alone(evening: Evening) -> None:
    told = evening.playbill
    assert set(told) == {
        *("url", "api_key", "staff", "vouchers", "counselors", "service_numbers", "callers")
    }
    assert evening.mode == 0o600
    assert len(told["counselors"]) == 10
    assert all(set(one) == {"id", "name", "number", "program"} for one in told["counselors"])
    assert len(told["staff"]) == 3
    assert {"email", "password", "roles", "counselor"} in [set(one) for one in told["staff"]]
    assert len(told["vouchers"]["psych-listening"]) == 5
    assert set(told["service_numbers"]) == {"psych-listening", "family-doctor"}
    assert all(re.fullmatch(r"\+86138001380\d\d", number) for number in told["callers"])


def test_no_secret_of_the_demo_is_logged(evening: Evening) -> None:
    told = evening.playbill
    secrets = [told["api_key"], *(person["password"] for person in told["staff"])]
    secrets += told["vouchers"]["psych-listening"]
    assert not [secret for secret in secrets if secret in evening.errors]


def test_ctrl_c_ends_it_well_and_leaves_no_process_behind(evening: Evening) -> None:
    assert evening.status == 0
    assert "Traceback" not in evening.errors
    until(lambda: not processes_of(evening.data_dir), 10)


async def test_a_second_start_after_a_kill_finds_everything_as_it_was(evening: Evening) -> None:
    with DemoProcess(evening.data_dir, evening.port) as killed:
        killed.ready()

    with DemoProcess(evening.data_dir, evening.port) as again:
        again.ready()
        assert again.playbill == evening.playbill
        await _is_as_it_was(again)
        assert again.interrupt() == 0
    until(lambda: not processes_of(evening.data_dir), 10)


async def _is_as_it_was(again: DemoProcess) -> None:
    async with aiohttp.ClientSession(base_url=again.url) as client:
        states = [
            one["state"]
            for program in ("psych-listening", "family-doctor")
            for one in await _items(client, f"/v1/programs/{program}/counselors")
        ]
        assert sorted(states) == ["available"] * 8 + ["offline"] * 2
        assert all(one["is_open"] for one in await _items(client, "/v1/programs"))
        for person in again.playbill["staff"]:
            login = {"email": person["email"], "password": person["password"]}
            if "totp_secret" in person:
                login["totp"] = code_now(person["totp_secret"], machine_now())
            async with client.post("/v1/sessions", json=login) as answer:
                assert answer.status == 201
        key = {"Authorization": f"Bearer {again.playbill['api_key']}"}
        open_ones = await _items(client, "/v1/orders", key)
        assert [order["program"] for order in open_ones] == ["family-doctor"]


def test_ctrl_c_while_it_starts_from_nothing_leaves_no_process_behind() -> None:
    with a_folder() as folder, DemoProcess(folder / "data", free_port()) as demo:
        until(lambda: any((demo.data_dir).glob("postgres*/PG_VERSION")), 60)
        assert demo.interrupt() == 0
        assert "Traceback" not in demo.errors
        until(lambda: not processes_of(demo.data_dir), 10)


def test_a_taken_port_is_one_sentence() -> None:
    with a_folder() as folder, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = _refused(environment(folder / "data", port))
        assert f"Port {port} on 127.0.0.1 is taken" in said
        until(lambda: not processes_of(folder), 10)


def test_a_data_directory_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.touch()
    said = _refused(environment(file / "data", free_port()))
    assert said.startswith(f"The data directory {file / 'data'} cannot be written")


def test_a_bad_setting_is_one_sentence(tmp_path: Path) -> None:
    said = _refused(environment(tmp_path, free_port(), sms="pigeon"))
    assert said.startswith("WARMLINE_SMS cannot be used")


def test_an_unreachable_database_is_one_sentence(tmp_path: Path) -> None:
    url = f"postgresql://warmline@127.0.0.1:{free_port()}/warmline"
    said = _refused(environment(tmp_path, free_port(), database_url=url))
    assert "The database warmline at 127.0.0.1 cannot be used" in said


def _refused(environ: dict[str, str]) -> str:
    began = time.monotonic()
    done = subprocess.run(
        [COMMAND, "demo"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=ANSWER_SECONDS,
    )
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert done.stdout == ""
    said = done.stderr.strip()
    assert len(said.splitlines()) == 1, said
    assert time.monotonic() - began < ANSWER_SECONDS
    return said


async def _items(
    client: aiohttp.ClientSession, path: str, headers: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    async with client.get(path, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
        found: dict[str, list[dict[str, Any]]] = await answer.json()
        return found["items"]
