"""Time-based one-time codes (RFC 6238: SHA-1, 30 seconds, 6 digits, what every app shows)."""

import base64
import hmac
from datetime import datetime
from hashlib import sha1
from urllib.parse import quote, urlencode

STEP_SECONDS = 30
DIGITS = 6
_LENIENT_STEPS = (0, -1, 1)


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """The time step `code` belongs to, one step early or late allowed; None when it is wrong.

    `secret` is base 32. Accept a step once only: the caller compares it with the last one.
    """
    current = int(now.timestamp()) // STEP_SECONDS
    matches = [
        step
        for step in (current + lenient for lenient in _LENIENT_STEPS)
        if hmac.compare_digest(code_at(secret, step), code)
    ]
    return matches[0] if matches else None


def code_at(secret: str, step: int) -> str:
    """The code an app shows in that time step (RFC 4226 truncation)."""
    padded = secret.upper() + "=" * (-len(secret) % 8)
    digest = hmac.digest(base64.b32decode(padded), step.to_bytes(8), sha1)
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def secret_from(random_bytes: bytes) -> str:
    """Random bytes as the base 32 text that an app is given."""
    return base64.b32encode(random_bytes).decode().rstrip("=")


def enrolment_address(secret: str, email: str) -> str:
    """What the app's camera reads: otpauth://totp/..."""
    query = urlencode({"secret": secret, "issuer": "Warmline"})
    return f"otpauth://totp/{quote(f'Warmline:{email}')}?{query}"
