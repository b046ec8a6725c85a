"""What Twilio asks of us and tells us over HTTP: how it is signed, and how often it is tried."""

import base64
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from urllib.parse import parse_qsl, urldefrag

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back from us."""

    status: int
    content_type: str
    text: str

    @property
    def is_good(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One request to us. Those of one `stream` are sent one after the other."""

    url: str
    method: str
    params: Params
    stream: str
    what: str
    """What it is about, for the journal."""

    then: Callable[[Answer | None], None] | None = None
    """Told what came back; None when nothing did."""

    is_signed: bool = True


def signature(token: str, url: str, params: Params) -> str:
    """X-Twilio-Signature: over the address without its fragment, then the sorted fields.

    A GET's fields are part of the address already.
    """
    signed = urldefrag(url).url + "".join(f"{name}{params[name]}" for name in sorted(params))
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), sha1)).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """How often and after what a request is repeated: `#rc=3&rp=ct,rt,5xx`.

    By default once, and only when no connection came about: never after an HTTP 5xx.
    """

    retries: int = 1
    after: frozenset[str] = frozenset({"ct"})

    def covers(self, answer: Answer | None, connected: bool) -> bool:
        """Whether it is tried again after this."""
        if "all" in self.after:
            return answer is None or answer.status >= 400
        if answer is None:
            return ("rt" if connected else "ct") in self.after
        return f"{answer.status // 100}xx" in self.after


_KEYS = frozenset({"ct", "rt", "tt", "rc", "rp", "sni", "e"})
_MILLISECONDS = {"ct": (100, 10_000), "rt": (100, 15_000), "tt": (100, 15_000)}
_POLICIES = frozenset({"4xx", "5xx", "ct", "rt", "all"})


def tries_of(url: str) -> Tries:
    """The overrides in the address's fragment. Raises ValueError when Twilio knows no such."""
    return _tries_of(urldefrag(url).fragment)


@cache
def _tries_of(fragment: str) -> Tries:
    if not fragment:
        return Tries()
    given = dict(parse_qsl(fragment, keep_blank_values=True, strict_parsing=True))
    if unknown := given.keys() - _KEYS:
        raise ValueError(f"no overrides {sorted(unknown)} in #{fragment}")
    for name, (least, most) in _MILLISECONDS.items():
        if name in given and not least <= int(given[name]) <= most:
            raise ValueError(f"{name} is not within {least} to {most} in #{fragment}")
    retries = int(given.get("rc", "1"))
    after = frozenset(given.get("rp", "ct").split(","))
    if not 0 <= retries <= 5 or not after <= _POLICIES:
        raise ValueError(f"no such retries: #{fragment}")
    return Tries(retries=retries, after=after)
