"""A real Asterisk for the tests: every prompt is a tone, and some softphones may register."""

import shutil
from pathlib import Path
from typing import Any

from tests.phones.sound import tone_file
from warmline.bench.phones import engine
from warmline.bench.phones.engine import Engine, Mend

PASSWORD = "of-the-tests"
SHORTEST_RTP_TIMEOUT_SECONDS = 15
SOFTPHONES = {f"+861370000000{n}": f"of-phone-{n}" for n in range(1, 5)}
"""The passwords of phones that may register, by their numbers."""

PROMPTS = {
    ("zh-CN", "welcome"): 2600,
    ("zh-CN", "ending_soon"): 2800,
    ("en", "welcome"): 3000,
    ("en", "ending_soon"): 3200,
    ("zh-CN", "greeting"): 2700,
    ("zh-CN", "press_1"): 3300,
    ("zh-CN", "connecting"): 3400,
    ("zh-CN", "left_5"): 3500,
    ("zh-CN", "time_is_up"): 2900,
    ("zh-CN", "dropped_ringing_again"): 3600,
    ("zh-CN", "nobody_reached"): 3700,
    ("zh-CN", "caller_not_reached"): 3750,
}
_PROMPT_SECONDS = 0.5


def start(
    name: str,
    keys: Path | None = None,
    mend: Mend = lambda directory: None,
    **differing: Any,
) -> Engine:
    """Start one whose installation differs so; it is ready when its ARI answers.

    `keys` is a directory with `cert.pem`, `key.pem` and perhaps `ca.pem` for TLS. `mend` may change
    the files that were rendered.
    """
    tones = {
        f"{language}/{prompt}": tone_file(hertz, _PROMPT_SECONDS)
        for (language, prompt), hertz in PROMPTS.items()
    }
    installation: dict[str, Any] = {"ari_password": PASSWORD, "softphones": SOFTPHONES}
    if keys is not None:
        installation |= _verified(engine.place_of(name), keys)

    def furnish(directory: Path) -> None:
        for key in () if keys is None else keys.glob("*.pem"):
            shutil.copy(key, directory)
        mend(directory)

    return engine.start(name, tones, furnish, yields=True, **(installation | differing))


def _verified(place: str, keys: Path) -> dict[str, Any]:
    """Its certificate and key, and the authority of others, where it finds them."""
    authority = "ca" if (keys / "ca.pem").exists() else "cert"
    files = {"cert": "cert", "key": "key", "ca": authority}
    return {f"tls_{kind}_file": f"{place}/{file}.pem" for kind, file in files.items()}
