"""Posting what is signed to one address, and reading how it was taken."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp

from warmline.logs import mask_text
from warmline.notices.sending import NotSent
from warmline.notices.signing import Signing

REASON_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,39}$"
"""A reason is a word of somebody else's: short, and no sentence in which a message could stand."""

_TIMEOUT_SECONDS = 10.0
_ANSWER_READ_BYTES = 4096
_MAY_BE_A_CODE = re.compile(r"[0-9]{6,}")


def masked_reason(reason: str) -> str:
    """A reason that may be stored and logged: whatever could be a number or a code is hidden."""
    return _MAY_BE_A_CODE.sub("***", mask_text(reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How a post was taken. `reason` is the receiver's own word for a refusal."""

    status: int
    wait_seconds: int = 0
    reason: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver has it now."""
        return 200 <= self.status < 300

    def not_sent(self, *, final: bool) -> NotSent:
        """The fault of a try that was not accepted."""
        said = "" if self.reason is None else f": {self.reason}"
        return NotSent(f"HTTP {self.status}{said}", final=final, wait_seconds=self.wait_seconds)


class SignedPoster:
    """Posts JSON to one address: signed, never redirected, given up on after ten seconds."""

    def __init__(
        self,
        url: str,
        signing: Signing,
        machine: Callable[[], datetime] = lambda: datetime.now(UTC),
        timeout_seconds: float = _TIMEOUT_SECONDS,
    ) -> None:
        """`machine` tells the time that receivers compare with theirs: no simulated clock."""
        self._url = url
        self._signing = signing
        self._machine = machine
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, connect=timeout_seconds / 2)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, id_: str, body: str) -> Answered:
        """Post `body` under an id that stays the same over retries. Raises NotSent for silence."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
        try:
            async with self._session.post(
                self._url,
                data=body.encode(),
                headers=self._signing.headers(id_, self._machine(), body),
                allow_redirects=False,
            ) as answer:
                return Answered(
                    status=answer.status,
                    wait_seconds=_wait_seconds(answer.headers.get("Retry-After"), self._machine()),
                    reason=await _reason(answer) if answer.status >= 400 else None,
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as failed:
            raise NotSent(type(failed).__name__) from failed

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None


async def _reason(answer: aiohttp.ClientResponse) -> str | None:
    """The member `reason` of a refusal, where it is a word; nothing longer is read or kept."""
    try:
        raw = await answer.content.readexactly(_ANSWER_READ_BYTES)
    except asyncio.IncompleteReadError as whole:
        raw = whole.partial
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None  # the status came, and that is what counts
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    reason = told.get("reason") if isinstance(told, dict) else None
    if not isinstance(reason, str) or not re.fullmatch(REASON_PATTERN, reason):
        return None
    return masked_reason(reason)


def _wait_seconds(header: str | None, now: datetime) -> int:
    """What Retry-After asks for, in seconds or as a date; 0 where it cannot be read."""
    if header is None:
        return 0
    if header.isascii() and header.isdigit():
        return int(header[:9])
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return 0
    return max(int((at.replace(tzinfo=at.tzinfo or UTC) - now).total_seconds()), 0)
