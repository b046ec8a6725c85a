"""Serving the pages: one shell per audience, whatever the path below it; hashed files for ever."""

from collections.abc import Mapping
from importlib.resources.abc import Traversable

from aiohttp import ETag, web
from aiohttp.typedefs import Handler

from warmline.web.files import BuiltFile, built_files

PLACES: Mapping[str, str] = {
    "call": "caller.html",
    "desk": "staff.html",
    "support": "staff.html",
    "supervisor": "staff.html",
    "operator": "staff.html",
}
"""Where each audience's pages begin, and the shell that shows them."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_GUARDS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"

_NOT_BUILT = "本服务没有附带页面。These pages were not built: run `make web`.\n"


def add_web(app: web.Application, folder: Traversable | None = None) -> None:
    """Serve what is built: the shells below `PLACES`, everything else by its own hashed name."""
    built = built_files(folder)
    for place, shell in PLACES.items():
        answer = _shell(built[shell]) if shell in built else _not_built
        app.router.add_get(f"/{place}", answer)
        app.router.add_get(f"/{place}/{{rest:.*}}", answer)
    for file in built.values():
        if file.name.startswith("assets/"):
            app.router.add_get(f"/{file.name}", _asset(file))


def _shell(file: BuiltFile) -> Handler:
    async def get(request: web.Request) -> web.Response:
        return _answer(request, file, {**_GUARDS, "Cache-Control": _ASK_AGAIN})

    return get


def _asset(file: BuiltFile) -> Handler:
    async def get(request: web.Request) -> web.Response:
        return _answer(request, file, {**_GUARDS, "Cache-Control": _FOR_EVER})

    return get


def _answer(request: web.Request, file: BuiltFile, headers: Mapping[str, str]) -> web.Response:
    coding, body = file.in_coding(request.headers.get("Accept-Encoding", ""))
    given = {**headers, "Vary": "Accept-Encoding"}
    if coding is not None:
        given["Content-Encoding"] = coding
    response = web.Response(
        body=body, content_type=file.content_type, charset="utf-8", headers=given
    )
    response.etag = ETag(file.etag, is_weak=True)  # one content in several codings
    known = request.if_none_match or ()
    if any(one.value in (file.etag, "*") for one in known):
        response.set_status(304)
        response.body = None
    return response


async def _not_built(_request: web.Request) -> web.Response:
    return web.Response(status=503, text=_NOT_BUILT, headers={"Cache-Control": "no-store"})
