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
_REAL_PHONES = "real.html"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def add_pages(app: web.Application, carrier: str) -> None:
    """Serve the files of `warmline/pages`; at `/` the page that belongs to the carrier in use.

    Phones are worked by hand from it where they are simulated; elsewhere it says that they are
    real.
    """
    home = "index.html" if carrier == "simulated" else _REAL_PHONES
    for resource in files("warmline").joinpath("pages").iterdir():
        name = resource.name
        kind = _CONTENT_TYPES.get(name.rpartition(".")[2])
        if kind is None:
            continue
        body = resource.read_bytes()
        if name == home:
            app.router.add_get("/", _file(body.replace(b"{carrier}", carrier.encode()), kind))
        elif kind != "text/html":
            app.router.add_get(f"/pages/{name}", _file(body, kind))


def _file(body: bytes, content_type: str) -> Handler:
    async def get(_request: web.Request) -> web.Response:
        return web.Response(
            body=body,
            content_type=content_type,
            charset="utf-8",
            headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"},
        )

    return get
