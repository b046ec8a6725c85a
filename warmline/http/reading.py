"""Reading a request into the typed values an endpoint declared, or saying everything wrong."""

import json
from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any, TypeVar

from aiohttp import web
from multidict import MultiMapping
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import from_json

from warmline.http.problems import (
    BadInput,
    BodyTooLarge,
    InputFault,
    Malformed,
    NotFound,
    UnsupportedMediaType,
)

BODY_LIMIT_BYTES = 64 * 1024

B = TypeVar("B", bound=BaseModel)


def read_path(request: web.Request, wanted: Mapping[str, TypeAdapter[Any]]) -> dict[str, Any]:
    """The ids in the path. One that no thing could have names nothing: raises NotFound."""
    values: dict[str, Any] = {}
    for name, adapter in wanted.items():
        try:
            values[name] = adapter.validate_python(request.match_info[name])
        except ValidationError:
            raise NotFound from None
    return values


def read_query(given: MultiMapping[str], wanted: type[B] | None) -> B | None:
    """The query string. Raises BadInput for unknown, repeated or wrong parameters."""
    texts: dict[str, str] = {}
    faults: list[InputFault] = []
    for name, value in given.items():
        if wanted is None:
            faults.append(_in_query(name, "there is no such parameter"))
        elif name in texts:
            faults.append(_in_query(name, "is given more than once"))
        texts[name] = value
    if faults:
        raise BadInput(*faults)
    if wanted is None:
        return None
    try:
        return wanted.model_validate_strings(texts)
    except ValidationError as invalid:
        raise BadInput(*_faults("query", invalid)) from None


async def read_body(
    request: web.Request,
    wanted: type[B] | None,
    *,
    required: bool = True,
    limit_bytes: int = BODY_LIMIT_BYTES,
) -> B | None:
    """The body as `wanted`.

    Raises BodyTooLarge, UnsupportedMediaType, Malformed (no JSON) or BadInput (JSON that does not
    fit). Where none is wanted, an empty object is taken for none: many clients always send one.
    """
    raw = await read_bytes(request, limit_bytes)
    if not raw.strip() and (wanted is None or not required):
        return None
    if not _is_json(request):
        raise UnsupportedMediaType
    if wanted is None:
        if _parsed(raw) != {}:
            raise BadInput(InputFault(place="body", pointer="", detail="no body is expected here"))
        return None
    try:
        return wanted.model_validate_json(raw)
    except ValidationError as invalid:
        _parsed(raw)
        raise BadInput(*_faults("body", invalid)) from None


async def body_text(request: web.Request, wanted: type[BaseModel] | None) -> str:
    """A body that was read, in one spelling: spaces and the order of members make no other body."""
    raw = await request.read()
    if wanted is None or not raw.strip():
        return ""
    return json.dumps(_parsed(raw), sort_keys=True)


async def read_bytes(request: web.Request, limit_bytes: int) -> bytes:
    """The body as it came. Raises BodyTooLarge."""
    if (request.content_length or 0) > limit_bytes:
        raise BodyTooLarge(limit_bytes)
    try:
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise BodyTooLarge(limit_bytes) from None


def _is_json(request: web.Request) -> bool:
    if request.content_type != "application/json":
        return False
    try:
        return (request.charset or "utf-8").lower() in {"utf-8", "utf8", "us-ascii"}
    except ValueError:
        return False


def _parsed(raw: bytes) -> Any:
    try:
        return from_json(raw, allow_inf_nan=False)
    except (ValueError, JSONDecodeError) as wrong:
        raise Malformed(f"The body is not JSON: {wrong}") from None


def _faults(place: str, invalid: ValidationError) -> list[InputFault]:
    """What is wrong, without repeating what was sent: it may be a number or a password."""
    errors = invalid.errors(include_url=False, include_context=False, include_input=False)
    return [
        InputFault(place=place, pointer=_pointer(error["loc"]), detail=error["msg"])
        for error in errors
    ]


def _pointer(location: tuple[int | str, ...]) -> str:
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    return "".join(f"/{part}" for part in parts)


def _in_query(name: str, detail: str) -> InputFault:
    return InputFault(place="query", pointer=_pointer((name,)), detail=detail)
