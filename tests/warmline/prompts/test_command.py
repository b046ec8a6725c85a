"""`warmline prompts`, as a person runs it."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.warmline.prompts.test_building import own
from warmline import cli
from warmline.programs import load_shipped


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The data directory; a program of the operator's own warns 75 seconds before the end
    and greets in its own words."""
    for name in [name for name in os.environ if name.startswith("WARMLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARMLINE_DATA_DIR", str(tmp_path / "data"))
    (shipped, *_) = load_shipped().values()
    programs = tmp_path / "programs"
    programs.mkdir()
    body = re.sub(r"warn_seconds = \[.*\]", "warn_seconds = [75]", shipped.body)
    body = body.replace(
        "[dialer]", '[dialer]\ngreeting_zh = "您好，心声热线。"\ngreeting_en = "Hi."'
    )
    (programs / "own.toml").write_text(body.replace(f'id = "{shipped.id}"', 'id = "own"'))
    monkeypatch.setenv("WARMLINE_PROGRAMS", str(programs))
    return tmp_path / "data"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit status."""
    monkeypatch.setattr(sys, "argv", ["warmline", "prompts", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


@pytest.mark.usefixtures("voice")
def test_what_is_built_is_listed_and_what_an_operator_replaces_stays(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = data / "prompts"
    (folder / "zh-CN").mkdir(parents=True)
    (folder / "zh-CN/press_1.wav").write_bytes(own())

    assert run(monkeypatch, "build", "--language", "zh-CN", "--json") == 0
    built: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert built["folder"] == str(folder)
    assert (built["own"], built["renewed"], built["unplayable"]) == (["zh-CN/press_1"], [], [])
    assert {"zh-CN/left_75", "zh-CN/left_120", "zh-CN/position_20"} < set(built["made"])

    assert run(monkeypatch, "build", "--language", "zh-CN") == 0
    assert f"0 made, 0 renewed, {len(built['made'])} unchanged" in capsys.readouterr().out

    assert run(monkeypatch, "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["prompts"]
    by_file = {one["file"]: one for one in listed}
    assert by_file["zh-CN/press_1.wav"]["state"] == "own"
    assert by_file["zh-CN/left_75.wav"]["state"] == "made"
    assert by_file["zh-CN/left_75.wav"]["text"] == "通话时间剩余一分十五秒。"
    assert by_file["en/left_75.wav"]["state"] == "missing"
    assert by_file["zh-CN/greeting.wav"]["text"] == "您好。"
    assert by_file["zh-CN/greeting_own.wav"]["text"] == "您好，心声热线。"
    assert by_file["zh-CN/greeting_own.wav"]["state"] == "made"


@pytest.mark.usefixtures("data")
def test_without_espeak_ng_it_is_one_sentence_and_exit_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert run(monkeypatch, "build", "--json") == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(r"espeak-ng is not installed[^\n]+zh-CN/greeting[^\n]+\.\n", told.err)


@pytest.mark.usefixtures("voice")
def test_an_own_recording_that_cannot_be_played_is_exit_status_1(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    place = tmp_path / "elsewhere"
    (place / "en").mkdir(parents=True)
    (place / "en/press_1.wav").write_bytes(own(44100))

    assert run(monkeypatch, "build", "--language", "en", "--out", str(place)) == 1
    assert "unplayable en/press_1: press_1.wav has 44100 Hz" in capsys.readouterr().out
    assert run(monkeypatch, "list", "--language", "en", "--out", str(place)) == 0
    assert re.search(r"^unplayable en/press_1 .*44100 Hz", capsys.readouterr().out, re.MULTILINE)
    assert not (data / "prompts").exists()


@pytest.mark.usefixtures("data")
def test_a_language_we_do_not_speak_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "list", "--language", "fr") == 2
    assert capsys.readouterr().err == "There are no prompts in fr: choose zh-CN or en.\n"
