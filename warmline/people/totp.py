"""Time-based one-time codes (RFC 6238: SHA-1, 30 seconds, 6 digits, what every app shows)."""

import hmac
from datetime import datetime

import pyotp

STEP_SECONDS = 30
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
    """The code an app shows in that time step."""
    return pyotp.HOTP(secret).at(step)


def code_now(secret: str, now: datetime) -> str:
    """The code an app shows at `now`."""
    return code_at(secret, int(now.timestamp()) // STEP_SECONDS)


def new_secret() -> str:
    """What an authenticator is given: 160 random bits in base 32."""
    return pyotp.random_base32()


def enrolment_address(secret: str, email: str) -> str:
    """What the authenticator's camera reads: otpauth://totp/..."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="Warmline")
