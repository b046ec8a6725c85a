"""Settings: what is wrong is said in one sentence, and no secret is ever repeated."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from terms.phone import PhoneNumber
from warmline.exits import Unusable
from warmline.settings import Settings, SettingsInvalid, default_data_dir

SECRET = "0123456789-0123456789-0123456789"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("WARMLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WARMLINE_DATA_DIR", str(tmp_path / "data"))


def test_without_any_setting_the_simulated_carrier_serves_this_machine() -> None:
    settings = Settings.load()

    assert (settings.carrier, settings.sms, settings.tenant) == ("simulated", "log", "default")
    assert settings.address == "http://127.0.0.1:8080"
    assert settings.database_url is None


def test_the_environment_wins_over_the_file_and_options_over_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "warmline.toml"
    file.write_text('port = 9000\nhost = "0.0.0.0"\ntenant = "hotline"\n')
    monkeypatch.setenv("WARMLINE_CONFIG", str(file))
    monkeypatch.setenv("WARMLINE_PORT", "9001")

    settings = Settings.load(tenant="other")

    assert (settings.port, settings.host, settings.tenant) == (9001, "0.0.0.0", "other")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMLINE_REDIS_URL", "")

    assert Settings.load().redis_url is None


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("WARMLINE_PROT", "1", "WARMLINE_PROT is not a setting: did you mean WARMLINE_PORT?"),
        ("WARMLINE_DATABSE_URL", "x", "did you mean WARMLINE_DATABASE_URL?"),
        ("WARMLINE_PORT", "http", "WARMLINE_PORT cannot be used: "),
        ("WARMLINE_PORT", "70000", "WARMLINE_PORT cannot be used: "),
        ("WARMLINE_CARRIER", "pigeon", "'simulated', 'asterisk' or 'twilio'"),
        ("WARMLINE_DATABASE_URL", "mysql://h/d", "begins with postgresql://"),
        ("WARMLINE_REDIS_URL", "localhost", "begins with redis://"),
        ("WARMLINE_ASTERISK_URL", "localhost:8088", "begins with http://"),
        ("WARMLINE_ASTERISK_APP", "my app", "may hold letters, digits, - and _ alone"),
        ("WARMLINE_SECRET_KEY", "short", "at least 32 characters"),
        ("WARMLINE_CONFIG", "/nowhere/warmline.toml", "cannot be read"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SettingsInvalid) as refused:
        Settings.load()

    assert told in str(refused.value)
    assert str(refused.value).count("\n") == 0


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("prot = 1", "The key prot is not a setting: did you mean port?"),
        ("port = ", "is not TOML"),
        ("port = 'x'", "WARMLINE_PORT cannot be used"),
    ],
)
def test_a_fault_in_the_file_is_named_in_one_sentence(tmp_path: Path, body: str, told: str) -> None:
    file = tmp_path / "warmline.toml"
    file.write_text(body)

    with pytest.raises(SettingsInvalid, match=told.replace("?", r"\?")):
        Settings.load(file)


def test_neither_an_error_nor_the_settings_show_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARMLINE_SECRET_KEY", SECRET)
    assert SECRET not in repr(Settings.load())

    monkeypatch.setenv("WARMLINE_SECRET_KEY", "s3cret")
    with pytest.raises(SettingsInvalid) as refused:
        Settings.load()
    assert "s3cret" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_the_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    number = PhoneNumber("+8613800010001")
    sealed = Settings.load().seal().seal(number)

    assert Settings.load().seal().open(sealed) == number
    assert stat.S_IMODE((tmp_path / "data" / "secret.key").stat().st_mode) == 0o600
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["secret.key"]


def test_processes_that_start_at_once_agree_on_the_secret() -> None:
    settings = Settings.load()
    with ThreadPoolExecutor(8) as threads:
        tokens = set(threads.map(lambda _: settings.handsets_token(), range(16)))

    assert len(tokens) == 1


def test_an_older_secret_behind_the_new_one_still_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    number = PhoneNumber("+8613800010001")
    monkeypatch.setenv("WARMLINE_SECRET_KEY", SECRET)
    before = Settings.load().seal()
    monkeypatch.setenv("WARMLINE_SECRET_KEY", f"{SECRET[::-1]}, {SECRET}")

    after = Settings.load().seal()

    assert after.open(before.seal(number)) == number


def test_a_damaged_secret_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret.key").write_text("")

    with pytest.raises(Unusable, match="is damaged: put the secret back"):
        Settings.load().seal()


def test_a_data_directory_that_cannot_be_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("WARMLINE_DATA_DIR", str(tmp_path / "file" / "data"))

    with pytest.raises(Unusable, match=r"cannot be written .*: make it writable, or name another"):
        Settings.load().prepare_data_dir()


def test_data_goes_where_the_desktop_keeps_it(tmp_path: Path) -> None:
    assert default_data_dir({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "warmline"
    assert default_data_dir({}) == Path.home() / ".local/share/warmline"
