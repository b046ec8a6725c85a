"""`warmline ledger verify`, as a person or a nightly job runs it."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.warmline.ledger.books import keep_books
from warmline import cli
from warmline.seal import AesSeal
from warmline.settings import Settings


@pytest.fixture
def books(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> AesSeal:
    """Kept books, in the database that the settings name."""
    for name in [name for name in os.environ if name.startswith("WARMLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARMLINE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WARMLINE_DATABASE_URL", database_url)
    seal = Settings.load(None).seal()

    async def keep() -> None:
        async with asyncpg.create_pool(database_url, min_size=1, max_size=2) as pool:
            await keep_books(pool, seal)

    asyncio.run(keep())
    return seal


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit status."""
    monkeypatch.setattr(sys, "argv", ["warmline", "ledger", "verify", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


CAME_BACK = """UPDATE ledger_entries SET to_account = 'returned'
               WHERE book = 'voucher/voucher-used' AND number = 4"""


def spoil(url: str, *changes: str) -> None:
    """Somebody who may do anything says, for one, that a used voucher came back."""

    async def change() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute("SET session_replication_role = replica")
        for one in changes or (CAME_BACK,):
            await connection.execute(one)
        await connection.close()

    asyncio.run(change())


@pytest.mark.usefixtures("books")
def test_books_that_nobody_touched_are_told_with_their_newest_seal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run(monkeypatch, "--json")

    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    (house,) = told["tenants"]
    assert (status, told["faults"]) == (0, 0)
    assert (house["tenant"], house["books"], house["faults"]) == ("house", 7, [])
    assert (house["seals"], house["last_seal"]["number"], house["unsealed_entries"]) == (2, 2, 1)
    assert len(bytes.fromhex(house["last_seal"]["digest"])) == 32


@pytest.mark.rule("X56")
@pytest.mark.usefixtures("books")
def test_what_was_changed_is_named_and_the_exit_status_is_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    spoil(database_url)

    assert run(monkeypatch) == 1
    said = capsys.readouterr().out
    assert "voucher/voucher-used entry 4: its hash is not that of its content" in said
    assert "its row is consumed, its unit is in returned" in said
    assert run(monkeypatch, "--json", "--tenant", "house") == 1
    (house,) = json.loads(capsys.readouterr().out)["tenants"]
    assert {fault["book"] for fault in house["faults"]} == {"voucher/voucher-used"}


@pytest.mark.rule("X56")
@pytest.mark.usefixtures("books")
def test_a_seal_that_somebody_noted_has_to_be_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, "--tenant", "house")
    noted = capsys.readouterr().out.partition("; seal ")[2].split()[0]

    assert run(monkeypatch, "--tenant", "house", "--expect", noted) == 0
    assert run(monkeypatch, "--tenant", "house", "--expect", noted[:12]) == 0
    assert run(monkeypatch, "--tenant", "house", "--expect", f"3:{noted[2:]}") == 1
    assert "seals entry 3: is expected, and there is no such seal" in capsys.readouterr().out
    assert run(monkeypatch, "--tenant", "house", "--expect", "2:00000000") == 1
    assert run(monkeypatch, "--expect", "the newest") == 2


@pytest.mark.rule("X56")
@pytest.mark.usefixtures("books")
def test_seals_that_are_all_gone_are_missed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    spoil(
        database_url,
        "DELETE FROM ledger_sealed_heads",
        "DELETE FROM ledger_seals",
        "UPDATE ledger_entries SET at = at + interval '1 day' WHERE book = 'voucher/voucher-new'",
    )

    assert run(monkeypatch) == 1
    assert "that a seal must cover by now are in none: it is gone" in capsys.readouterr().out


@pytest.mark.usefixtures("books")
def test_another_tenant_s_books_are_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_url: str
) -> None:
    spoil(database_url)

    assert run(monkeypatch, "--tenant", "elsewhere") == 0
    assert "elsewhere: 0 books, 0 entries" in capsys.readouterr().out
