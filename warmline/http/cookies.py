"""Tokens that our own pages hold where no script can read them, one cookie for each kind of person.

A browser may hold both: somebody of the staff also calls. Which one counts a page says by the
header `Warmline-Cookie`; a WebSocket, which can send none, by `?cookie=`. The staff's counts when
nothing is said. A header of our own also keeps the forms of other sites out.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

HEADER = "Warmline-Cookie"


class Whose(StrEnum):
    """Whose cookie it is."""

    STAFF = "staff"
    DEVICE = "device"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """A token for one of our pages, and how long it may be kept."""

    whose: Whose
    token: str = field(repr=False)
    seconds: int


def whose_cookie(request: web.Request) -> Whose:
    """Which cookie the page that asks wants to count."""
    return Whose.DEVICE if request.headers.get(HEADER) == Whose.DEVICE else Whose.STAFF


def cookie_name(public_url: str, whose: Whose) -> str:
    """`__Host-` binds the cookie to this host over TLS; a browser takes it over nothing else."""
    name = "warmline" if whose is Whose.STAFF else "warmline-device"
    return f"__Host-{name}" if public_url.startswith("https://") else name


def set_cookie(response: web.StreamResponse, public_url: str, cookie: Cookie) -> None:
    """Hand the page its token."""
    response.set_cookie(
        cookie_name(public_url, cookie.whose),
        cookie.token,
        max_age=cookie.seconds,
        path="/",
        secure=public_url.startswith("https://"),
        httponly=True,
        samesite="Lax",
    )


def cookie_removal(public_url: str, whose: Whose) -> str:
    """The Set-Cookie header that makes a browser forget the token."""
    secure = "; Secure" if public_url.startswith("https://") else ""
    name = cookie_name(public_url, whose)
    return f"{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax{secure}"
