"""Letting people in: the token in the header, or the cookie of a page of ours with its Origin."""

from urllib.parse import urlsplit

from aiohttp import web

from warmline.http.asked import FRAME
from warmline.http.cookies import Whose, cookie_name, whose_cookie
from warmline.http.problems import Forbidden, SecondFactorDue, Unauthenticated
from warmline.http.who import Allowed, Principal, Staff

_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKEN_LENGTH_MOST = 512


def bearer_token(request: web.Request) -> str | None:
    """The token of the Authorization header, None without one.

    Raises Unauthenticated for another scheme: guessing would let a cookie speak instead.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated
    return token.strip()


def cookie_token(request: web.Request, whose: Whose, *, writes: bool) -> str | None:
    """The page's token. Raises Forbidden when `writes` and another site sent the request."""
    token = request.cookies.get(cookie_name(request.app[FRAME].public_url, whose))
    if token is not None and writes:
        check_origin(request)
    return token


def from_own_pages(request: web.Request) -> bool:
    """Whether a page of ours sent this, as the browser vouches by `Origin`."""
    origin = request.headers.get("Origin", "")
    public = urlsplit(request.app[FRAME].public_url)
    asked = urlsplit(origin)
    if not asked.netloc:
        return False
    here = asked.netloc == request.host and asked.scheme == request.scheme
    return here or (asked.scheme, asked.netloc) == (public.scheme, public.netloc)


def check_origin(request: web.Request) -> None:
    """A cookie travels with requests of other sites, too. Raises Forbidden for those."""
    if not from_own_pages(request):
        raise Forbidden("A cookie only counts for requests of our own pages; check Origin.")


async def principal(request: web.Request, allowed: tuple[Allowed, ...]) -> Principal:
    """Who asks for something open to `allowed`.

    Raises Unauthenticated, Forbidden for a cookie that another site made travel, or
    SecondFactorDue.
    """
    token = bearer_token(request)
    if token is None:
        writes = request.method not in _READS
        token = cookie_token(request, whose_cookie(request), writes=writes)
    if token is None:
        raise Unauthenticated
    while_due = any(rule.while_second_factor_due for rule in allowed)
    return await holder(request, token, while_second_factor_due=while_due)


async def holder(
    request: web.Request, token: str, *, while_second_factor_due: bool = False
) -> Principal:
    """Who holds `token` now. Raises Unauthenticated.

    Raises SecondFactorDue as well, unless this may be done `while_second_factor_due`.
    """
    frame = request.app[FRAME]
    if len(token) > _TOKEN_LENGTH_MOST or not token.isascii():
        raise Unauthenticated
    who = await frame.tokens.holder(token, frame.clock.now())
    if who is None:
        raise Unauthenticated("This token is unknown, has expired or was revoked; sign in again.")
    if isinstance(who, Staff) and who.second_factor_due and not while_second_factor_due:
        raise SecondFactorDue
    return who


def admit(who: Principal, allowed: tuple[Allowed, ...]) -> None:
    """Raises Forbidden unless one of the rules admits `who`."""
    if not any(rule.admits(who) for rule in allowed):
        raise Forbidden("This is for others: " + ", ".join(sorted(map(_words, allowed))) + ".")


def _words(rule: Allowed) -> str:
    roles = "/".join(sorted(rule.roles))
    return f"{rule.kind.__name__} ({roles})" if roles else rule.kind.__name__
