"""Passwords, the API key and voucher codes of the demo.

They are derived from the installation's own secret: nobody else can guess them, and every start
finds the same ones without having to keep them anywhere.
"""

import base64

from billing.code import RANDOM_BYTES, draw
from terms.ids import ProgramId
from warmline.people.tokens import TokenKind
from warmline.seal import AesSeal

_PASSWORD_CHARACTERS = 16
_TOTP_BYTES = 20  # 160 bits, no padding in base 32


def password(seal: AesSeal, email: str) -> str:
    """What this person of the demo signs in with."""
    drawn = base64.b32encode(seal.sign(email.encode(), "demo password")).decode().lower()
    return drawn[:_PASSWORD_CHARACTERS]


def totp_secret(seal: AesSeal, email: str) -> str:
    """What the authenticator of this person of the demo would be given."""
    drawn = seal.sign(email.encode(), "demo second factor")[:_TOTP_BYTES]
    return base64.b32encode(drawn).decode()


def api_key(seal: AesSeal) -> str:
    """The key of the demo's app back end."""
    drawn = base64.urlsafe_b64encode(seal.sign(b"app", "demo key")).decode().rstrip("=")
    return f"{TokenKind.APP}{drawn}"


def voucher_code(seal: AesSeal, program: ProgramId, number: int) -> str:
    """The demo's voucher number 1, 2, 3 .. of a program."""
    tag = seal.sign(f"{program}/{number}".encode(), "demo voucher")
    return draw(tag[:RANDOM_BYTES])
