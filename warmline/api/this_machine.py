"""Whether a request was made on this machine, by a page or program of this machine."""

from aiohttp import web

from warmline.http import door
from warmline.http.address import is_loopback
from warmline.http.problems import Forbidden

_LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_OF_A_PROXY = ("X-Forwarded-For", "Forwarded")


def only_this_machine(request: web.Request, refusal: str) -> None:
    """By address, by name and by page. Raises Forbidden with `refusal`.

    A page from elsewhere may have its own name point to us, or send a request that needs no leave;
    a proxy on this machine passes on what comes from others.
    """
    forwarded = any(name in request.headers for name in _OF_A_PROXY)
    if forwarded or not is_loopback(request.remote) or request.url.host not in _LOCAL_NAMES:
        raise Forbidden(refusal)
    if "Origin" in request.headers:
        door.check_origin(request)
