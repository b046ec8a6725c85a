"""The one plain page at `/`, and what it loads: our own files, nothing from elsewhere."""

from importlib.resources import files

from aiohttp import web
from aiohttp.typedefs import Handler

_CONTENT_TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "json": "application/json",
    "svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_pages(app: web.Application) -> None:
    """Serve the files of `warmline/pages`; the page itself at `/`."""
    for resource in files("warmline").joinpath("pages").iterdir():
        name = resource.name
        kind = _CONTENT_TYPES.get(name.rpartition(".")[2])
        if kind is None:
            continue
        path = "/" if name == "index.html" else f"/pages/{name}"
        app.router.add_get(path, _file(resource.read_bytes(), kind))


def _file(body: bytes, content_type: str) -> Handler:
    async def get(_request: web.Request) -> web.Response:
        return web.Response(
            body=body,
            content_type=content_type,
            charset="utf-8",
            headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"},
        )

    return get
