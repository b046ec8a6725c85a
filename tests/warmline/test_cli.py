"""The command as a person runs it: a process, its output, its exit status."""

import asyncio
import csv
import errno
import json
import os
import re
import socket
import stat
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import asyncpg
import pytest

from terms.ids import ProgramId
from warmline import cli
from warmline.exits import Unusable, port_taken, sentence
from warmline.people.passwords import Passwords
from warmline.people.tokens import token_hash
from warmline.programs import load_shipped

LONGEST_HELP_SECONDS = 3.0  # of the processor; it takes a tenth


class Done(NamedTuple):
    """What a command left behind."""

    status: int
    output: str
    errors: str


class Command(Protocol):
    """Run `warmline` with these arguments and this input."""

    def __call__(self, *arguments: str, given: str = "") -> Done: ...


@pytest.fixture
def environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> pytest.MonkeyPatch:
    for name in [name for name in os.environ if name.startswith("WARMLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARMLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WARMLINE_DATABASE_URL", database_url)
    return monkeypatch


@pytest.fixture
def warmline(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """In this process, which is quicker than one of its own."""

    def run(*arguments: str, given: str = "") -> Done:
        environment.setattr(sys, "argv", ["warmline", *arguments])
        environment.setattr(sys, "stdin", StringIO(given))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        written = capsys.readouterr()
        return Done(int(ended.value.code or 0), written.out, written.err)

    return run


def process(*arguments: str, given: str = "") -> Done:
    """In a process of its own, for tests that have a loop running."""
    done = subprocess.run(
        [sys.executable, "-c", "from warmline.cli import main; main()", *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def told(done: Done) -> dict[str, Any]:
    assert done.status == 0, done.errors
    said: dict[str, Any] = json.loads(done.output)
    return said


def one_sentence(done: Done) -> str:
    assert done.status == 2
    assert done.output == ""
    assert re.fullmatch(r"[^\n]+[.?]\n", done.errors)
    return done.errors


def test_help_is_quick_and_names_every_command(warmline: Command) -> None:
    began = time.process_time()
    helped = warmline("--help")

    assert time.process_time() - began < LONGEST_HELP_SECONDS
    for command in (
        "serve", "demo", "handsets", "migrate", "doctor", "simulate", "bench", "openapi",
        "program", "staff", "keys", "db",
    ):  # fmt: skip
        assert re.search(rf"^  {command} ", helped.output, re.MULTILINE)


def test_help_imports_neither_the_server_nor_the_database_driver() -> None:
    asked = subprocess.run(
        [sys.executable, "-c", "import sys, warmline.cli; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert {"aiohttp", "asyncpg", "pydantic"}.isdisjoint(asked.stdout.split())


def test_migrate_says_what_it_applied(
    warmline: Command, environment: pytest.MonkeyPatch, empty_database: str
) -> None:
    environment.setenv("WARMLINE_DATABASE_URL", empty_database)

    first, second = told(warmline("migrate", "--json")), told(warmline("migrate", "--json"))

    assert first["applied"][0] == "0001_house"
    assert second == {"applied": [], "version": first["version"]}


async def test_a_member_of_staff_gets_a_password_once(
    environment: pytest.MonkeyPatch, database: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    roles = ("--role", "support", "--role", "operator")
    shown = told(process("staff", "add", "--email", "Li@Example.com", *roles, "--json"))

    row = await database.fetchrow("SELECT * FROM staff")
    assert row is not None
    assert (row["email"], row["roles"]) == ("li@example.com", ["operator", "support"])
    assert await Passwords().fits(row["password_hash"], shown["password"])
    assert shown["totp_secret"] in shown["totp_address"]
    assert shown["totp_secret"].encode() not in row["totp_secret"]


async def test_a_lost_authenticator_is_renewed_and_ends_every_sign_in(
    environment: pytest.MonkeyPatch, database: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    account = ("--email", "li@example.com", "--role", "support")
    before = told(process("staff", "add", *account, "--json"))
    await database.execute(
        """INSERT INTO staff_tokens
               (tenant, token_hash, staff, created_at, last_used_at, expires_at)
           SELECT tenant, sha256('token'), id, now(), now(), now() + interval '1 day' FROM staff"""
    )

    renewed = told(process("staff", "second-factor", "Li@example.com", "--json"))

    assert renewed["totp_secret"] != before["totp_secret"]
    assert renewed["totp_secret"] in renewed["totp_address"]
    assert await database.fetchval("SELECT expires_at <= now() FROM staff_tokens")
    unknown = process("staff", "second-factor", "nobody@example.com")
    assert (unknown.status, "No account" in unknown.errors) == (2, True)


async def test_a_password_that_was_given_is_not_repeated(
    environment: pytest.MonkeyPatch, database: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    add = ("staff", "add", "--email", "li@example.com", "--role", "support", "--password-stdin")
    shown = told(process(*add, "--json", given="correct horse battery\n"))

    assert "password" not in shown
    kept = await database.fetchval("SELECT password_hash FROM staff")
    assert await Passwords().fits(kept, "correct horse battery")


@pytest.mark.parametrize(
    ("arguments", "given", "sentence_part"),
    [
        (("--email", "li@example.com", "--role", "support"), "", "email has an account already"),
        (("--email", "x@example.com", "--role", "support", "--password-stdin"), "short\n", "12"),
    ],
)
def test_an_account_that_cannot_be_is_one_sentence(
    warmline: Command, arguments: tuple[str, ...], given: str, sentence_part: str
) -> None:
    told(warmline("staff", "add", "--email", "LI@example.com", "--role", "support", "--json"))

    refused = warmline("staff", "add", *arguments, given=given)

    assert sentence_part in one_sentence(refused)


async def test_only_the_hash_of_an_api_key_is_kept(
    environment: pytest.MonkeyPatch, database: "asyncpg.Pool[asyncpg.Record]"
) -> None:
    key = told(process("keys", "add", "the app", "--json"))["api_key"]

    row = await database.fetchrow("SELECT name, key_hash FROM api_keys")
    assert row is not None
    assert tuple(row) == ("the app", token_hash(key))


def test_the_doctor_prints_its_findings(warmline: Command) -> None:
    findings = told(warmline("doctor", "--json"))

    assert findings["health"] == "warning"  # no holidays yet
    assert {
        "code": "migrations_good",
        "subject": "migrations",
        "health": "good",
        "text": "all are applied",
    } in findings["findings"]


def test_the_doctor_fails_when_something_is_wrong(
    warmline: Command, environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("WARMLINE_DATABASE_URL", "postgresql://warmline@127.0.0.1:1/warmline")

    done = warmline("doctor")

    assert done.status == 2
    assert re.search("^wrong +database ", done.output, re.MULTILINE)


@pytest.mark.parametrize(
    ("variable", "value", "part"),
    [
        ("WARMLINE_PROT", "1", "did you mean WARMLINE_PORT?"),
        ("WARMLINE_PORT", "x", "WARMLINE_PORT cannot be used"),
        ("WARMLINE_DATABASE_URL", "postgresql://w:s3cret@127.0.0.1:1/x", "connection refused"),
    ],
)
def test_a_setting_that_cannot_work_is_one_sentence(
    warmline: Command, environment: pytest.MonkeyPatch, variable: str, value: str, part: str
) -> None:
    environment.setenv(variable, value)

    refused = one_sentence(warmline("migrate"))

    assert part in refused
    assert "s3cret" not in refused


def test_a_data_directory_that_cannot_be_written_is_one_sentence(
    warmline: Command, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    environment.setenv("WARMLINE_DATA_DIR", str(tmp_path / "file" / "data"))
    environment.delenv("WARMLINE_DATABASE_URL")

    assert "cannot be written" in one_sentence(warmline("migrate"))


def test_the_configuration_file_is_an_option_too(warmline: Command, tmp_path: Path) -> None:
    file = tmp_path / "warmline.toml"
    file.write_text("colour = 'red'")

    refused = warmline("--config", str(file), "migrate")

    assert "The key colour is not a setting" in one_sentence(refused)


def test_handsets_are_not_offered_to_other_machines(warmline: Command) -> None:
    refused = warmline("handsets", "--host", "0.0.0.0", "--port", "0")

    assert "WARMLINE_SIM_OPEN=1" in one_sentence(refused)


def test_a_taken_port_is_one_sentence(warmline: Command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = one_sentence(warmline("handsets", "--port", port))

    assert "port is taken" in refused


@pytest.mark.parametrize("host", ["300.1.1.1", "192.0.2.1"])
def test_a_host_that_is_no_address_of_this_machine_is_one_sentence(
    warmline: Command, environment: pytest.MonkeyPatch, host: str
) -> None:
    environment.setenv("WARMLINE_SIM_OPEN", "1")

    refused = one_sentence(warmline("handsets", "--host", host, "--port", "0"))

    assert "WARMLINE_HOST" in refused


def test_a_program_file_s_faults_are_printed_with_their_lines(
    warmline: Command, tmp_path: Path
) -> None:
    file = tmp_path / "program.toml"
    file.write_text("[dialer\n")

    done = warmline("program", "check", str(file))

    assert done.status == 1
    assert "line 1" in done.output
    missing = warmline("program", "check", str(tmp_path / "none.toml"))
    assert "none.toml cannot be read" in one_sentence(missing)


@pytest.mark.rule("B04")
def test_what_programs_announce_is_listed_with_how_many_were_told(
    warmline: Command, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert warmline("program", "changes").output == "No program announces a change.\n"
    body = load_shipped()[ProgramId("psych-listening")].body
    end = 'offered_until = "2027-02-28"\nend_announced_on = "2027-01-30"\n'
    (tmp_path / "ends.toml").write_text(f"{body}\n{end}", encoding="utf-8")
    environment.setenv("WARMLINE_PROGRAMS", str(tmp_path))

    assert warmline("program", "changes").output == (
        "psych-listening, end from 2027-03-01, announced on 2027-01-30: "
        "0 told, 0 waiting, 0 failed, 0 withheld.\n"
    )
    (change,) = json.loads(warmline("program", "changes", "--json").output)["changes"]
    assert (change["kind"], change["effective_on"], change["told"]) == ("end", "2027-03-01", 0)


def test_stopping_a_database_that_was_never_started_says_so(warmline: Command) -> None:
    assert told(warmline("db", "stop", "--json")) == {"stopped": False}


def test_expected_failures_have_a_sentence_and_our_own_faults_have_none() -> None:
    assert sentence(port_taken("127.0.0.1", 8080)) == (
        "Port 8080 on 127.0.0.1 is taken: stop the program that uses it, or choose another port "
        "with WARMLINE_PORT."
    )
    assert sentence(Unusable("Do this.")) == "Do this."
    assert sentence(OSError(errno.EACCES, "Permission denied", "/x")) == (
        "/x cannot be used (Permission denied): make it accessible to this account."
    )
    assert sentence(KeyError("x")) is None
    assert sentence(OSError(errno.EPIPE, "Broken pipe")) is None


def test_vouchers_are_issued_and_only_their_codes_hashes_are_kept(
    warmline: Command, database_url: str
) -> None:
    issue = ("vouchers", "issue", "--program", "psych-listening", "--valid-until", "2999-01-31")

    shown = told(warmline(*issue, "--count", "3", "--json"))

    assert shown["program"] == "psych-listening"
    assert shown["valid_until"] == "2999-01-31T00:00:00+00:00"
    assert len({*shown["codes"]}) == 3
    assert all(re.fullmatch(r"([0-9A-Z]{4}-){3}[0-9A-Z]{4}", code) for code in shown["codes"])
    kept = asyncio.run(_rows(database_url, "SELECT v::text AS line, state FROM vouchers v"))
    assert [row["state"] for row in kept] == ["issued"] * 3
    assert not any(code.replace("-", "") in row["line"] for row in kept for code in shown["codes"])


@pytest.mark.parametrize(
    ("program", "until", "words"),
    [
        ("family-doctor", "2999-01-31", "choose one of psych-listening"),
        ("psych-listening", "2001-01-31", "is over"),
        ("psych-listening", "soon", "is not a date"),
        ("psych-listening", "9999-12-31", "is too far ahead"),
        ("psych-listening", "9999-12-31T23:59:59-05:00", "is too far ahead"),
        ("psych-listening", "0001-01-01T00:00:00+05:00", "is over"),
    ],
)
def test_vouchers_that_nobody_could_use_are_not_issued(
    warmline: Command, program: str, until: str, words: str
) -> None:
    refused = warmline("vouchers", "issue", "--program", program, "--valid-until", until)

    assert words in one_sentence(refused)


def test_codes_are_written_to_a_file_of_their_owner_alone(
    warmline: Command, database_url: str, tmp_path: Path
) -> None:
    issue = ("vouchers", "issue", "--program", "psych-listening", "--valid-until", "2999-01-31")
    file = tmp_path / "codes.csv"

    shown = told(warmline(*issue, "--count", "2", "--file", str(file), "--json"))

    assert (shown["count"], shown["file"]) == (2, str(file))
    assert "codes" not in shown
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    heading, *rows = csv.reader(file.read_text("ascii").splitlines())
    assert heading == ["code", "program", "valid_until"]
    assert {tuple(row[1:]) for row in rows} == {("psych-listening", "2999-01-31T00:00:00+00:00")}
    kept = asyncio.run(_rows(database_url, "SELECT code_ending FROM vouchers"))
    assert sorted(row[0][-4:] for row in rows) == sorted(row["code_ending"] for row in kept)


def test_no_voucher_is_issued_whose_code_cannot_be_written_down(
    warmline: Command, database_url: str, tmp_path: Path
) -> None:
    issue = ("vouchers", "issue", "--program", "psych-listening", "--valid-until", "2999-01-31")
    there = tmp_path / "codes.csv"
    there.write_text("somebody's")

    assert "exists already" in one_sentence(warmline(*issue, "--file", str(there)))
    nowhere = tmp_path / "no folder" / "codes.csv"
    assert "cannot be written" in one_sentence(warmline(*issue, "--file", str(nowhere)))

    assert there.read_text() == "somebody's"
    assert asyncio.run(_rows(database_url, "SELECT id FROM vouchers")) == []


async def _rows(database_url: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()
