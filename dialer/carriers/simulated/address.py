"""Where the handsets process is found, and the secret it shares with us: two files."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

_ADDRESS_FILE = "handsets.json"
_TOKEN_FILE = "handsets.token"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A handsets process: where it listens, and which process it is."""

    host: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        """The base of every request, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def address_of(url: str) -> Address:
    """A handsets process somebody else looks after, by its URL. Raises ValueError."""
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is None:
        raise ValueError("the handsets' address needs a host and a port")
    return Address(host=parts.hostname, port=parts.port, pid=0)


def read_address(data_dir: Path) -> Address | None:
    """The address left by the last handsets process; None if there is none that makes sense."""
    try:
        found = json.loads((data_dir / _ADDRESS_FILE).read_text(encoding="utf-8"))
        return Address(host=str(found["host"]), port=int(found["port"]), pid=int(found["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_address(data_dir: Path, address: Address) -> None:
    """Leave word where the process listens; a reader sees the old word or the new, never half."""
    draft = data_dir / f"{_ADDRESS_FILE}.{address.pid}"
    draft.write_text(json.dumps(asdict(address)), encoding="utf-8")
    draft.replace(data_dir / _ADDRESS_FILE)


def remove_address(data_dir: Path, address: Address) -> None:
    """Take the word back, unless another process has left its own since."""
    if read_address(data_dir) == address:
        (data_dir / _ADDRESS_FILE).unlink(missing_ok=True)


def shared_token(data_dir: Path) -> str:
    """The secret both sides show each other; made at the first call, readable by its owner only."""
    path = data_dir / _TOKEN_FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        draft = data_dir / f"{_TOKEN_FILE}.{secrets.token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        try:
            os.link(draft, path)  # fails if another process was first: its token then holds
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()
