"""`warmline carrier asterisk render`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from warmline.cli import app
from warmline.exits import Unusable
from warmline.serve import running
from warmline.settings import Settings

TRUNK = """
ari_password = "of-the-tests"
provider = "sip.example.com"
provider_addresses = ["192.0.2.10"]
"""


def render(trunk: Path, directory: Path, *options: str) -> str:
    command = ["carrier", "asterisk", "render", str(directory), "--trunk", str(trunk), *options]
    return CliRunner().invoke(app, command, catch_exceptions=False).stdout


def test_the_configuration_is_written_and_named(tmp_path: Path) -> None:
    (tmp_path / "trunk.toml").write_text(TRUNK)

    told = render(tmp_path / "trunk.toml", tmp_path / "etc", "--json")

    files = json.loads(told)["files"]
    assert str(tmp_path / "etc" / "pjsip.conf") in files
    assert "match = 192.0.2.10" in (tmp_path / "etc" / "pjsip.conf").read_text()


def test_an_asterisk_of_ones_own_gets_the_files_to_include_alone(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('ari_password = "of-the-tests"')

    told = render(tmp_path / "own.toml", tmp_path / "etc", "--included", "--json")

    files = {Path(file).name for file in json.loads(told)["files"]}
    assert files == {"warmline-ari.conf", "warmline-extensions.conf"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("provider = ", "is no TOML"),
        (TRUNK + "colour = 1", "cannot be used: colour is not known."),
        ('ari_password = "x"', "nobody could be rung"),
        (None, "cannot be read"),
    ],
)
def test_a_description_that_cannot_be_used_writes_nothing(
    tmp_path: Path, text: str | None, told: str
) -> None:
    trunk = tmp_path / "trunk.toml"
    if text is not None:
        trunk.write_text(text)

    with pytest.raises(Unusable, match=told):
        render(trunk, tmp_path / "etc")

    assert not (tmp_path / "etc").exists()


@pytest.mark.parametrize(
    ("carrier", "why"),
    [("asterisk", "needs WARMLINE_ASTERISK_PASSWORD"), ("twilio", "Twilio needs")],
)
async def test_serve_says_why_it_cannot_run_over_a_carrier(
    tmp_path: Path, carrier: str, why: str
) -> None:
    settings = Settings.load(carrier=carrier, data_dir=tmp_path / "data")

    with pytest.raises(Unusable, match=why):
        async with running(settings):
            pass

    assert not (tmp_path / "data").exists()
