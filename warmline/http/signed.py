"""Requests that no token lets in but a signature over their bytes (Standard Webhooks)."""

from collections.abc import Mapping
from typing import Protocol

from aiohttp import web

from warmline.http.problems import Forbidden
from warmline.http.reading import read_bytes


class Signatures(Protocol):
    """Knows whose signatures hold."""

    def holds(self, headers: Mapping[str, str], raw: bytes) -> bool:
        """Whether these bytes were signed by somebody we know, and lately."""
        ...


async def check(request: web.Request, signatures: Signatures, limit_bytes: int) -> None:
    """Raises Forbidden unless the body is signed. Nothing in it is looked at before."""
    raw = await read_bytes(request, limit_bytes)
    if not signatures.holds(request.headers, raw):
        raise Forbidden(
            "No signature holds: sign the body with the secret that is shared, within five minutes."
        )
