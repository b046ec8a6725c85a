"""Settings: from the environment, or from one TOML file; the environment wins.

A variable is `WARMLINE_` and the name in capitals (`WARMLINE_PORT`); in the file it is the name
alone (`port = 8080`).
"""

import difflib
import os
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from dialer.service_level import ServiceLevel
from terms.ids import TenantId
from warmline.carriers.twilio_settings import TwilioSettings
from warmline.exits import Unusable
from warmline.seal import AesSeal

PREFIX = "WARMLINE_"
CONFIG_VARIABLE = "WARMLINE_CONFIG"
_FOR_TESTS = "WARMLINE_TEST_"
_SECRET_FILE = "secret.key"
_LEAST_SECRET_CHARACTERS = 32


class SettingsInvalid(Unusable):
    """A setting that cannot be used; the text names it and says what it may be."""


def default_data_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """`$XDG_DATA_HOME/warmline`, or `~/.local/share/warmline`."""
    home = environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "warmline"


class Settings(TwilioSettings):
    """Everything that may differ between two installations."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, env_ignore_empty=True
    )

    database_url: str | None = Field(None, pattern=r"^postgres(ql)?://")
    """A PostgreSQL server, 15 or later. Unset: one of our own in the data directory."""

    redis_url: str | None = Field(None, pattern=r"^(rediss?|unix)://")
    """Shares the live feed and rate limits between several processes. Unset: one process."""

    carrier: Literal["simulated", "asterisk", "twilio"] = "simulated"
    sms: Literal["log", "http", "twilio"] = "log"
    sms_url: str | None = Field(None, pattern=r"^https?://")
    """The operator's SMS gateway, where `sms` is `http`."""

    sms_secret: SecretStr | None = None
    """Signs what goes to the gateway and what comes back. While it is changed: the new one and the
    old one, separated by a comma."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    data_dir: Path = Field(default_factory=default_data_dir)
    public_url: str | None = Field(None, pattern=r"^https?://")
    """Where carriers and browsers reach us. Unset: `http://host:port`."""

    secret_key: SecretStr | None = None
    """Seals phone numbers. Unset: made once in the data directory. When it is changed, the older
    ones follow it, separated by commas, so that what they sealed can still be read."""

    programs: Path | None = None
    tenant: TenantId = TenantId("default")
    status_url: str | None = Field(None, pattern=r"^https?://")
    status_secret: SecretStr | None = None
    handsets_url: str | None = Field(None, pattern=r"^http://")
    """The simulated carrier's handsets. Unset: a process of our own."""

    asterisk_url: str = Field("http://127.0.0.1:8088", pattern=r"^https?://")
    """Where Asterisk's REST interface is, without `/ari`."""

    asterisk_user: str = "warmline"
    asterisk_password: SecretStr | None = None
    """The user in its `ari.conf`, and that user's password."""

    asterisk_app: str = "warmline"
    """The application that its dialplan gives calls to."""

    asterisk_trunk: str = "warmline-trunk"
    """The endpoint in its `pjsip.conf` that phones are rung over."""

    asterisk_prompts: Path | None = None
    """The folder with our recordings as Asterisk's machine sees it. Unset: where ours is here."""

    service_level_seconds: Annotated[int, Field(ge=1, le=3600)] = 20
    """Within how many seconds a call should be answered."""

    short_abandon_seconds: Annotated[int, Field(ge=0, le=3600)] = 5
    """Who gives up sooner is left out of the service level."""

    sim_open: bool = False
    """Let other machines work the simulated handsets too."""

    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = ()
    """Networks (CIDR) whose X-Forwarded-For and -Proto are believed, separated by commas."""

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _separated(cls, value: object) -> object:
        if isinstance(value, str):
            return [one.strip() for one in value.split(",") if one.strip()]
        return value

    @field_validator("asterisk_app", "asterisk_trunk")
    @classmethod
    def _one_word(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", value):
            raise ValueError("may hold letters, digits, - and _ alone")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        for key in _keys(value):
            if len(key) < _LEAST_SECRET_CHARACTERS:
                raise ValueError(f"needs at least {_LEAST_SECRET_CHARACTERS} characters")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file; the file's values come in by the constructor."""
        return env_settings, init_settings

    @classmethod
    def load(cls, config: Path | None = None, **given: Any) -> Self:
        """Read the environment and the file `config`, or the one `WARMLINE_CONFIG` names.

        `given` (options of the command line) wins over both. Raises SettingsInvalid.
        """
        named = config or os.environ.get(CONFIG_VARIABLE)
        _refuse_unknown(
            (name.removeprefix(PREFIX).lower() for name in _our_variables()), cls, variable=True
        )
        table = _read(Path(named)) if named else {}
        _refuse_unknown(table, cls, variable=False)
        try:
            settings = cls(**table)
            return cls.model_validate({**dict(settings), **given}) if given else settings
        except ValidationError as invalid:
            raise SettingsInvalid(_sentence(invalid)) from None

    @property
    def address(self) -> str:
        """Where others reach us, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def service_level(self) -> ServiceLevel:
        """What wallboard and reports go by."""
        return ServiceLevel(
            within_seconds=self.service_level_seconds,
            short_abandon_seconds=self.short_abandon_seconds,
        )

    @property
    def secret_file(self) -> Path:
        """Where the secret is kept when no setting gives it."""
        return self.data_dir / _SECRET_FILE

    def prepare_data_dir(self) -> Path:
        """Make the data directory. Raises Unusable.

        Others may pass through it, not list it: as root, the embedded PostgreSQL's own account
        has to get in.
        """
        try:
            self.data_dir.mkdir(mode=0o711, parents=True, exist_ok=True)
            probe = self.data_dir / f".writable-{secrets.token_hex(8)}"
            probe.touch()
            probe.unlink()
        except OSError as refused:
            raise Unusable(
                f"The data directory {self.data_dir} cannot be written ({refused.strerror}): "
                f"make it writable, or name another in {PREFIX}DATA_DIR."
            ) from refused
        return self.data_dir

    def seal(self) -> AesSeal:
        """The seal of this installation; makes its secret at the first use. Raises Unusable."""
        keys = _keys(self.secret_key) or [self._kept_secret()]
        return AesSeal(*(key.encode() for key in keys))

    def handsets_token(self) -> str:
        """What `warmline handsets` and those who use it by its address show each other."""
        return self.seal().sign(b"handsets", "process token").hex()

    def _kept_secret(self) -> str:
        self.prepare_data_dir()
        if not self.secret_file.exists():
            self._make_secret()
        secret = self.secret_file.read_text().strip()
        if len(secret) < _LEAST_SECRET_CHARACTERS:
            raise Unusable(
                f"{self.secret_file} is damaged: put the secret back from a backup; without it the "
                "stored phone numbers cannot be read."
            )
        return secret

    def _make_secret(self) -> None:
        """Written beside, then linked: of several processes one wins, none reads half a secret."""
        draft = self.secret_file.with_name(f"{_SECRET_FILE}.{secrets.token_hex(8)}")
        with open(draft, "w", opener=_only_for_us) as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(draft, self.secret_file)
        except FileExistsError:
            pass
        finally:
            draft.unlink()


def _only_for_us(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keys(value: SecretStr | None) -> list[str]:
    return [key.strip() for key in value.get_secret_value().split(",")] if value else []


def _our_variables() -> list[str]:
    return [
        name
        for name in os.environ
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and not name.startswith(_FOR_TESTS)
    ]


def _refuse_unknown(names: Iterable[str], settings: type[Settings], *, variable: bool) -> None:
    known = list(settings.model_fields)
    for name in names:
        if name in known:
            continue
        nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
        shown, meant = (
            (f"{PREFIX}{name.upper()}", f"{PREFIX}{nearest.upper()}")
            if variable
            else (f"The key {name}", nearest)
        )
        raise SettingsInvalid(f"{shown} is not a setting: did you mean {meant}?")


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError as refused:
        raise SettingsInvalid(
            f"The settings file {file} cannot be read ({refused.strerror}): mend the path given "
            f"in {CONFIG_VARIABLE} or --config."
        ) from refused
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise SettingsInvalid(f"The settings file {file} is not TOML: {broken}.") from broken


def _sentence(invalid: ValidationError) -> str:
    """The first fault in our words; a value is never repeated, for it may be a secret."""
    fault = invalid.errors(include_url=False, include_input=False)[0]
    name = f"{PREFIX}{str(fault['loc'][0]).upper()}"
    if fault["type"] == "string_pattern_mismatch":
        schemes = {
            "database_url": "postgresql://",
            "redis_url": "redis://",
            "sms_url": "https://",
        }
        start = schemes.get(str(fault["loc"][0]), "http://")
        return f"{name} cannot be used: it must be an address that begins with {start}."
    message = fault["msg"].removeprefix("Value error, ")
    return f"{name} cannot be used: {message[0].lower()}{message[1:].rstrip('.')}."
