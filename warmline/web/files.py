"""The built files, read once: each in every coding it was laid down in."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

_CODINGS = {"br": ".br", "gzip": ".gz"}
"""What a browser may ask for, the smallest first."""

CONTENT_TYPES = {
    "html": "text/html",
    "css": "text/css",
    "js": "text/javascript",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True, kw_only=True)
class BuiltFile:
    """One file as browsers ask for it: `name` is its path below the root."""

    name: str
    plain: bytes
    coded: Mapping[str, bytes]

    @property
    def content_type(self) -> str:
        """By its ending."""
        return CONTENT_TYPES[self.name.rpartition(".")[2]]

    @cached_property
    def etag(self) -> str:
        """Changes exactly when the content does."""
        return sha256(self.plain).hexdigest()[:20]

    def in_coding(self, accepted: str) -> tuple[str | None, bytes]:
        """The smallest coding that `Accept-Encoding` allows, None for none."""
        allowed = _allowed(accepted)
        for coding, body in self.coded.items():
            if coding in allowed:
                return coding, body
        return None, self.plain


def _allowed(accepted: str) -> frozenset[str]:
    """Codings that are named and not refused by `q=0`."""
    named = (one.partition(";") for one in accepted.lower().split(","))
    return frozenset(
        coding.strip()
        for coding, _, quality in named
        if quality.replace(" ", "").rstrip("0") not in ("q=", "q=0.")
    )


def built_files(folder: Traversable | None = None) -> Mapping[str, BuiltFile]:
    """Every built file by its name; empty where the pages were never built."""
    root = files("warmline.web").joinpath("built") if folder is None else folder
    if not root.is_dir():
        return {}
    contents = dict(_walk(root, ""))
    return {
        name: BuiltFile(
            name=name,
            plain=body,
            coded={
                coding: contents[name + ending]
                for coding, ending in _CODINGS.items()
                if name + ending in contents
            },
        )
        for name, body in contents.items()
        if name.rpartition(".")[2] in CONTENT_TYPES
    }


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry.read_bytes()
