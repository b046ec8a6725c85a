"""Running a declared endpoint for one request: let in, read, act, answer."""

from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from aiohttp import web
from aiohttp.typedefs import Handler
from structlog.contextvars import bind_contextvars

from terms.refusals import Refused
from warmline.database.faults import WORTH_REPEATING
from warmline.http import door, idempotency, signed
from warmline.http.api import Operation, Uploaded
from warmline.http.asked import FRAME, Acting, Answer, Asked, borrowed
from warmline.http.cookies import set_cookie
from warmline.http.idempotency import Kept, Key
from warmline.http.model import Model
from warmline.http.problems import Unavailable
from warmline.http.reading import (
    BODY_LIMIT_BYTES,
    body_text,
    read_body,
    read_bytes,
    read_path,
    read_query,
)

if TYPE_CHECKING:
    from asyncpg import Connection, Record


_BEHIND_SECONDS = 3
"""About how long it takes to deal with what waits."""


def handler(operation: Operation) -> Handler:
    """The aiohttp handler that runs `operation`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if operation.begins_call and request.app[FRAME].is_behind():
            raise Unavailable("Calls under way come first.", retry_after_seconds=_BEHIND_SECONDS)
        if operation.body_limit_bytes != BODY_LIMIT_BYTES:
            request = request.clone(client_max_size=operation.body_limit_bytes)
        if operation.signed is not None:
            signatures = request.app[operation.signed]
            await signed.check(request, signatures, operation.body_limit_bytes)
        asked = await _asked(request, operation)
        arguments = await _arguments(request, operation, asked)
        if operation.takes.acting:
            given = await _act(operation, asked, arguments)
            return _response(asked, given) if isinstance(given, Answer) else _again(given)
        result = await operation.endpoint(asked, **arguments)
        if isinstance(result, web.StreamResponse):
            return result
        return _response(asked, _answer(operation, result))

    return handle


async def _asked(request: web.Request, operation: Operation) -> Asked:
    frame = request.app[FRAME]
    who = await door.principal(request, operation.who) if operation.who else None
    if who is not None:
        bind_contextvars(principal=who.label)
        door.admit(who, operation.who)
    return Asked(
        request=request,
        frame=frame,
        operation=operation.name,
        tenant=frame.tenant if who is None else who.tenant,
        now=frame.clock.now(),
        who=who,
    )


async def _arguments(
    request: web.Request, operation: Operation, asked: Asked
) -> Mapping[str, object]:
    takes = operation.takes
    arguments: dict[str, object] = read_path(request, takes.path)
    query = read_query(request.query, takes.query)
    body = await _body(request, operation)
    if takes.who:
        arguments["who"] = asked.who
    if takes.query is not None:
        arguments["query"] = query
    if takes.body is not None:
        arguments["body"] = body
    return arguments


async def _body(request: web.Request, operation: Operation) -> Model | Uploaded | None:
    limit = operation.body_limit_bytes
    if request.content_type in operation.uploads:
        return Uploaded(request.content_type, await read_bytes(request, limit))
    takes = operation.takes
    return await read_body(request, takes.body, required=takes.body_required, limit_bytes=limit)


async def _act(
    operation: Operation, asked: Asked, arguments: Mapping[str, object]
) -> Answer | Kept:
    """Run the transaction, a second time if the database sent it back."""
    key = await _key(operation, asked)
    try:
        return await _act_once(operation, asked, arguments, key)
    except WORTH_REPEATING:
        return await _act_once(operation, asked, arguments, key)


async def _act_once(
    operation: Operation, asked: Asked, arguments: Mapping[str, object], key: Key | None
) -> Answer | Kept:
    seal = asked.frame.seal if operation.secret else None
    async with borrowed(asked.frame.pool) as connection:
        async with connection.transaction():
            if key and (kept := await idempotency.claim(connection, key, asked.now, seal)):
                return kept
            acting = _acting(asked, connection)
            result = await operation.endpoint(acting, **arguments)
            if isinstance(result, Refused):
                if key:
                    await idempotency.let_go(connection, key)
            else:
                answer = _answer(operation, result)
                if key:
                    kept = Kept(answer.status, _bytes(answer))
                    await idempotency.keep(connection, key, kept, seal)
        acting.committed()
    if isinstance(result, Refused):
        raise result
    return answer


def _acting(asked: Asked, connection: "Connection[Record]") -> Acting:
    return Acting(
        request=asked.request,
        frame=asked.frame,
        operation=asked.operation,
        tenant=asked.tenant,
        now=asked.now,
        who=asked.who,
        connection=connection,
    )


async def _key(operation: Operation, asked: Asked) -> Key | None:
    request = asked.request
    given = idempotency.key_header(request) if operation.keeps_answers else None
    if given is None:
        return None
    if request.content_type in operation.uploads:
        body = sha256(await request.read()).hexdigest()
    else:
        body = await body_text(request, operation.takes.body)
    return Key(
        tenant=asked.tenant,
        principal=asked.principal,
        key=given,
        request_hash=idempotency.request_hash(
            asked.frame.seal, (request.method, request.path, request.query_string, body)
        ),
    )


def _answer(operation: Operation, result: object) -> Answer:
    """What the function returned, as an answer that was declared. Raises TypeError for another."""
    if isinstance(result, Answer):
        answer = result
    else:
        (status,) = operation.returns
        answer = Answer(status=status, body=cast("Model | None", result))
    shape = operation.returns.get(answer.status, _UNDECLARED)
    fits = answer.body is None if shape is None else isinstance(answer.body, _class_of(shape))
    if not fits:
        raise TypeError(f"{operation.name} gave an undeclared answer: {answer.status}")
    return answer


def _class_of(shape: object) -> type:
    return shape if isinstance(shape, type) else _Undeclared


class _Undeclared:
    """No answer is one of these."""


_UNDECLARED = _Undeclared()


def _bytes(answer: Answer) -> bytes | None:
    return None if answer.body is None else answer.body.model_dump_json().encode()


def _response(asked: Asked, answer: Answer) -> web.Response:
    response = _json(answer.status, _bytes(answer), answer.headers)
    if answer.cookie is not None:
        set_cookie(response, asked.frame.public_url, answer.cookie)
    return response


def _again(kept: Kept) -> web.Response:
    return _json(kept.status, kept.body, {idempotency.REPLAYED: "true"})


def _json(status: int, body: bytes | None, headers: Mapping[str, str]) -> web.Response:
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.Response(status=status, body=body, content_type="application/json", headers=headers)
