"""Asterisk's own configuration, rendered from the few things that differ between two installations.

`asterisk.conf` (directories, user) is left as the operator's package brings it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints

from jinja2 import Environment, PackageLoader, StrictUndefined

Transport = Literal["udp", "tcp", "tls"]
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PROVIDER = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:[0-9]+)?")
_NUMBER = re.compile(r"\+[0-9]{3,15}")
_CODECS = frozenset({"alaw", "ulaw", "g722", "gsm"})
INCLUDED = ("warmline-ari.conf", "warmline-extensions.conf")
"""What an Asterisk with a configuration of its own needs: each for one `#include`."""

FILES = (
    *INCLUDED,
    "ari.conf",
    "extensions.conf",
    "http.conf",
    "logger.conf",
    "modules.conf",
    "pjsip.conf",
    "rtp.conf",
)


class ConfigurationInvalid(Exception):
    """What is wrong with the installation's description, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One Asterisk with a trunk, with softphones that register at it, or with both.

    `provider` is the trunk's host, with a port if it is not the usual one; calls are taken from
    `provider_addresses` alone. With a `username` we answer its challenges, and with `registers` we
    log on. `transport = "tls"` brings SRTP with it, and the provider's certificate is verified.
    Behind NAT, `public_address` is ours as others see it. The trunk is asked every
    `qualify_seconds` whether it is there (0: never); while it is not, nothing is dialled.
    `softphones` have a number and a password each; such a number is rung there, not over the trunk.
    """

    ari_password: str
    provider: str = ""
    provider_addresses: tuple[str, ...] = ()
    softphones: Mapping[str, str] = field(default_factory=dict)
    ari_user: str = "warmline"
    app: str = "warmline"
    http_host: str = "127.0.0.1"
    http_port: int = 8088
    transport: Transport = "udp"
    sip_host: str = "0.0.0.0"
    sip_port: int = 5060
    tls_cert_file: str = ""
    tls_key_file: str = ""
    tls_ca_file: str = "/etc/ssl/certs/ca-certificates.crt"
    public_address: str = ""
    local_networks: tuple[str, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
    username: str = ""
    password: str = ""
    registers: bool = False
    codecs: tuple[str, ...] = ("alaw", "ulaw")
    rtp_first_port: int = 10000
    rtp_last_port: int = 20000
    rtp_timeout_seconds: int = 30
    rtp_timeout_hold_seconds: int = 300
    qualify_seconds: int = 30

    def __post_init__(self) -> None:
        for fault in _faults(self):
            raise ConfigurationInvalid(fault)


def read_installation(table: dict[str, object]) -> Installation:
    """The installation a TOML table describes. Raises ConfigurationInvalid."""
    hints = get_type_hints(Installation)
    known = {one.name for one in fields(Installation)}
    for name in table:
        if name not in known:
            raise ConfigurationInvalid(f"{name} is not known.")
    values: dict[str, Any] = {name: _typed(name, found, hints) for name, found in table.items()}
    if "ari_password" not in values:
        raise ConfigurationInvalid("ari_password is missing.")
    return Installation(**values)


def render(installation: Installation, files: tuple[str, ...] = FILES) -> dict[str, str]:
    """The files of the configuration by their names. Raises ConfigurationInvalid."""
    if "pjsip.conf" in files and not (installation.provider or installation.softphones):
        raise ConfigurationInvalid("provider is missing, and softphones: nobody could be rung.")
    environment = Environment(
        loader=PackageLoader("dialer.carriers.asterisk"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # not HTML: `value` escapes what means something to Asterisk
    )
    environment.filters["value"] = _escaped
    fields_ = asdict(installation)
    return {name: environment.get_template(name).render(fields_) for name in files}


def write(
    installation: Installation, directory: Path, files: tuple[str, ...] = FILES
) -> list[Path]:
    """Render into the directory, which is made; only its owner and group can read the files.

    Raises ConfigurationInvalid.
    """
    rendered = render(installation, files)
    directory.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in rendered.items():
        path = directory / name
        path.touch(mode=0o640)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o640)  # it may have been there; passwords are in it
        written.append(path)
    return written


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace(";", "\\;")


def _typed(name: str, found: object, hints: dict[str, Any]) -> object:
    hint = hints[name]
    if hint == tuple[str, ...]:
        if isinstance(found, list) and all(isinstance(one, str) for one in found):
            return tuple(found)
        raise ConfigurationInvalid(f"{name} is not a list of texts.")
    if hint == Mapping[str, str]:
        if isinstance(found, dict) and all(isinstance(one, str) for one in found.values()):
            return found
        raise ConfigurationInvalid(f"{name} is not a table of texts.")
    if hint == Transport:
        if found in get_args(Transport):
            return found
        raise ConfigurationInvalid(f"{name} is not one of {', '.join(get_args(Transport))}.")
    if type(found) is not hint:
        raise ConfigurationInvalid(f"{name} is not a {_WORDS[hint]}.")
    return found


_WORDS = {str: "text", int: "whole number", bool: "true or false"}


def _texts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, tuple) else (value,)


def _faults(installation: Installation) -> Iterator[str]:
    for name, value in asdict(installation).items():
        for text in _texts(value):
            if isinstance(text, str) and (not text.isprintable() or text != text.strip()):
                yield f"{name} holds a line break or a space at its end."
        if name.endswith("_port") and not 1 <= value <= 65535:
            yield f"{name} is not a port."
    for name in ("ari_user", "app"):
        if not _NAME.fullmatch(getattr(installation, name)):
            yield f"{name} holds something else than letters, digits, - and _."
    if not installation.ari_password:
        yield "ari_password is empty."
    if installation.provider:
        yield from _faults_of_trunk(installation)
    yield from _faults_of_softphones(installation)
    yield from _faults_of_media(installation)


def _faults_of_trunk(installation: Installation) -> Iterator[str]:
    if not _PROVIDER.fullmatch(installation.provider):
        yield "provider is not a host, or a host and a port."
    if not installation.provider_addresses:
        yield "provider_addresses is empty: nobody could dial in."
    if bool(installation.username) != bool(installation.password):
        yield "username and password go together."
    if installation.registers and not installation.username:
        yield "registers needs a username and a password."


def _faults_of_softphones(installation: Installation) -> Iterator[str]:
    for number, password in installation.softphones.items():
        if not _NUMBER.fullmatch(number):
            yield "softphones: each is a number with its country code, as +8613800000001."
        if not password:
            yield "softphones: one has no password."


def _faults_of_media(installation: Installation) -> Iterator[str]:
    if installation.transport == "tls":
        for name in ("tls_cert_file", "tls_key_file", "tls_ca_file"):
            if not getattr(installation, name):
                yield f"{name} is missing: transport is tls."
    if not installation.codecs or not _CODECS.issuperset(installation.codecs):
        yield f"codecs are some of {', '.join(sorted(_CODECS))}."
    if installation.rtp_first_port >= installation.rtp_last_port:
        yield "rtp_last_port is not above rtp_first_port."
    for name in ("rtp_timeout_seconds", "rtp_timeout_hold_seconds"):
        if getattr(installation, name) < 15:
            yield f"{name} is below 15: a phone that mutes would be cut off."
    if installation.qualify_seconds < 0:
        yield "qualify_seconds is below 0."
