"""Lists as Twilio gives them: a page at a time, with the address of the next."""

from collections.abc import Sequence
from urllib.parse import urlencode

from tests.twilio_standin.operations import Asked

_USUAL_SIZE = 50
_PLACES = frozenset({"Page", "PageToken", "PageSize"})

Body = dict[str, object]


def _cut(asked: Asked, items: Sequence[Body]) -> tuple[int, int, Sequence[Body], bool]:
    size = int(asked.get("PageSize") or _USUAL_SIZE)
    page = int(asked.get("Page") or 0)
    shown = items[page * size : (page + 1) * size]
    return page, size, shown, len(items) > (page + 1) * size


def _uri(asked: Asked, path: str, page: int, size: int) -> str:
    pairs = [(k, v) for k, texts in asked.params.items() if k not in _PLACES for v in texts]
    pairs += [("PageSize", str(size)), ("Page", str(page))]
    if page:
        pairs.append(("PageToken", f"PA{page}"))
    return f"{path}?{urlencode(pairs)}"


def listed(asked: Asked, key: str, items: Sequence[Body]) -> tuple[int, Body]:
    """A page of the 2010 API: its links are relative."""
    page, size, shown, more = _cut(asked, items)
    operation = asked.operation
    assert operation is not None
    path = operation.template.format(**asked.path)
    return 200, {
        key: list(shown),
        "page": page,
        "page_size": size,
        "start": page * size,
        "end": max(page * size + len(shown) - 1, 0),
        "uri": _uri(asked, path, page, size),
        "first_page_uri": _uri(asked, path, 0, size),
        "next_page_uri": _uri(asked, path, page + 1, size) if more else None,
        "previous_page_uri": _uri(asked, path, page - 1, size) if page else None,
    }


def listed_with_meta(asked: Asked, key: str, items: Sequence[Body]) -> tuple[int, Body]:
    """A page of a newer product: its links are absolute."""
    page, size, shown, more = _cut(asked, items)
    operation = asked.operation
    assert operation is not None
    path = f"https://api.twilio.com{operation.template.format(**asked.path)}"
    return 200, {
        key: list(shown),
        "meta": {
            "key": key,
            "page": page,
            "page_size": size,
            "url": _uri(asked, path, page, size),
            "first_page_url": _uri(asked, path, 0, size),
            "next_page_url": _uri(asked, path, page + 1, size) if more else None,
            "previous_page_url": _uri(asked, path, page - 1, size) if page else None,
        },
    }
