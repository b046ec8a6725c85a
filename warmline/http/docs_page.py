"""The published document as a page people can read: no script, nothing from elsewhere."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from warmline.http.problems import TITLES, status_of

_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
_CACHE = "public, max-age=300"

_environment = Environment(
    loader=PackageLoader("warmline.http", "pages"),
    autoescape=select_autoescape(("html",)),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def render(document: Mapping[str, Any]) -> str:
    """The whole page for an OpenAPI document of ours."""
    groups: dict[str, list[dict[str, Any]]] = {tag["name"]: [] for tag in document["tags"]}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            groups[operation["tags"][0]].append(
                {"path": path, "method": method.upper(), **operation}
            )
    return _environment.get_template("docs.html").render(
        info=document["info"],
        groups=groups,
        schemas=document["components"]["schemas"],
        codes=[(code.value, status_of(code), title) for code, title in TITLES.items()],
        type_words=type_words,
    )


def type_words(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: `string or null`, `list of Order`, `one of a, b`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(type_words(kind) for kind in schema[several])
    if "enum" in schema:
        return "one of " + ", ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return f"always {schema['const']}"
    if schema.get("type") == "array":
        return f"list of {type_words(schema.get('items', {}))}"
    words = str(schema.get("type", "anything"))
    return f"{words} ({schema['format']})" if "format" in schema else words


def handlers(document: Callable[[], Mapping[str, Any]]) -> tuple[web.RouteDef, ...]:
    """The page and its style sheet, each rendered once somebody asks for it."""

    @cache
    def page() -> bytes:
        return render(document()).encode()

    @cache
    def style() -> bytes:
        return _environment.get_template("docs.css").render().encode()

    async def docs(_request: web.Request) -> web.Response:
        return _file(page(), "text/html")

    async def docs_style(_request: web.Request) -> web.Response:
        return _file(style(), "text/css")

    return web.get("/docs", docs), web.get("/docs/style.css", docs_style)


def _file(body: bytes, content_type: str) -> web.Response:
    return web.Response(
        body=body,
        content_type=content_type,
        charset="utf-8",
        headers={"Content-Security-Policy": _POLICY, "Cache-Control": _CACHE},
    )
