"""The published document: OpenAPI 3.1, made from the table of operations and nothing else."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from terms.refusals import RefusalCode
from warmline.http import idempotency
from warmline.http.api import Media, Operation, Shape
from warmline.http.descriptions import describe, describe_all
from warmline.http.model import Model
from warmline.http.problems import (
    CONTENT_TYPE,
    TITLES,
    Code,
    ProblemCode,
    refusal_status,
    status_of,
)

Json = dict[str, Any]

_REF = "#/components/schemas/{model}"

_SECURITY = {
    "AppKey": ("app", "An app's back end: its API key."),
    "Caller": (
        "device",
        "A caller's device: its token; our own pages hold it as a cookie.",
    ),
    "Staff": (
        "staff",
        "A member of staff: their token; our own pages hold it as a cookie.",
    ),
}

_SIGNATURE: Json = {
    "type": "apiKey",
    "in": "header",
    "name": "webhook-signature",
    "description": "Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature`.",
}

_SIGNED = "Without a signature that holds: 403, whatever the body is, and nothing is stored."

_WORDS = {
    400: "The body is not JSON.",
    401: "No valid token came along.",
    403: "Open to others, not to this principal.",
    404: "There is no such thing, or it is somebody else's.",
    405: "The path does not know this method; `Allow` lists those it knows.",
    409: "The state of things is in the way.",
    413: "The body is larger than {limit} bytes.",
    415: "The body is not declared as JSON.",
    422: "Something in the request is wrong, or a rule refuses it.",
    426: "Open it as a WebSocket.",
    429: "Too often; `Retry-After` tells how many seconds to wait.",
    500: "A mistake of ours; `incident` names it in our log.",
    503: "Not possible at the moment; `Retry-After` tells how many seconds to wait.",
}

_RESPONSE_HEADERS: Mapping[int, Json] = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}}},
    405: {"Allow": {"required": True, "schema": {"type": "string"}}},
    429: {"Retry-After": {"required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}}},
    503: {"Retry-After": {"required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}}},
}


def document(operations: Iterable[Operation], *, version: str) -> Json:
    """The whole document. `operations` in the order they should be read."""
    table = list(operations)
    references, schemas = _schemas(table)
    paths: Json = {}
    for operation in table:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(
            operation, references
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Warmline",
            "version": version,
            "summary": "Connects a person who needs to talk with a counselor, by phone.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": group} for group in dict.fromkeys(o.group for o in table)],
        "paths": paths,
        "components": {
            "schemas": {**schemas, **_problem_schemas()},
            "securitySchemes": {
                **{
                    name: {"type": "http", "scheme": "bearer", "description": description}
                    for name, description in _SECURITY.values()
                },
                **({"signature": _SIGNATURE} if any(one.signed for one in table) else {}),
            },
        },
    }


def answers(operation: Operation) -> dict[int, tuple[Code, ...]]:
    """Every refusing status the operation can answer with, and its codes."""
    takes = operation.takes
    codes: dict[int, list[Code]] = {405: [ProblemCode.METHOD_NOT_ALLOWED]}
    if operation.who:
        codes[401] = [ProblemCode.UNAUTHENTICATED]
        codes[403] = [ProblemCode.FORBIDDEN]
    if operation.signed is not None:
        codes[403] = [ProblemCode.FORBIDDEN]
    if takes.path:
        codes[404] = [ProblemCode.NOT_FOUND]
    # A body where none is wanted is read and judged, too.
    codes[400] = [ProblemCode.MALFORMED]
    codes[413] = [ProblemCode.BODY_TOO_LARGE]
    codes[415] = [ProblemCode.UNSUPPORTED_MEDIA_TYPE]
    codes[422] = [ProblemCode.BAD_INPUT]
    if operation.keeps_answers:
        codes[422].append(RefusalCode.KEY_REUSED)
    if operation.upgrades:
        codes[426] = [ProblemCode.UPGRADE_REQUIRED]
    for refusal in operation.refuses:
        codes.setdefault(refusal_status(refusal), []).append(refusal)
    for problem in operation.problems:
        codes.setdefault(status_of(problem), []).append(problem)
    codes[500] = [ProblemCode.INTERNAL_ERROR]
    codes[503] = [ProblemCode.UNAVAILABLE]
    return {status: tuple(dict.fromkeys(codes[status])) for status in sorted(codes)}


def _operation(operation: Operation, references: Mapping[tuple[type, str], Json]) -> Json:
    described: Json = {
        "operationId": operation.name,
        "tags": [operation.group],
        "summary": operation.summary,
        "parameters": [*_path(operation), *_query(operation), *_headers(operation)],
        "responses": {
            **{str(s): _answer(s, shape, references) for s, shape in operation.returns.items()},
            **{
                str(s): _problem(s, codes, operation.body_limit_bytes)
                for s, codes in answers(operation).items()
            },
        },
        "security": _security(operation),
    }
    if text := _description(operation):
        described["description"] = text
    if operation.takes.body is not None:
        described["requestBody"] = {
            "required": operation.takes.body_required,
            "content": {
                "application/json": {"schema": references[operation.takes.body, "validation"]},
                **{kind: {"schema": {"type": "string"}} for kind in operation.uploads},
            },
        }
    return described


def _security(operation: Operation) -> list[Json]:
    if operation.signed is not None:
        return [{"signature": []}]
    return [{_SECURITY[rule.kind.__name__][0]: []} for rule in operation.who]


def _description(operation: Operation) -> str:
    roles = sorted({role.value for rule in operation.who for role in rule.roles})
    spoken = f"Staff roles: {', '.join(roles)}." if roles else ""
    signed = "" if operation.signed is None else _SIGNED
    return "\n\n".join(part for part in (operation.description, spoken, signed) if part)


def _path(operation: Operation) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": adapter.json_schema()}
        for name, adapter in operation.takes.path.items()
    ]


def _query(operation: Operation) -> list[Json]:
    query = operation.takes.query
    if query is None:
        return []
    schema = TypeAdapter(query).json_schema(ref_template=_REF)
    describe(schema, query)
    required, words = schema.get("required", ()), schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            **_taken_out(member, "description"),
            "schema": _inlined(
                _without_null({k: v for k, v in member.items() if k != "description"}), words
            ),
        }
        for name, member in schema.get("properties", {}).items()
    ]


def _taken_out(member: Json, name: str) -> Json:
    return {name: member[name]} if name in member else {}


def _inlined(schema: Json, definitions: Mapping[str, Json]) -> Json:
    """A parameter's words in its own place: a name for them may be taken by another type."""
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if name not in definitions:
        return schema
    told = {k: v for k, v in definitions[name].items() if k not in ("title", "description")}
    return {**told, **{k: v for k, v in schema.items() if k != "$ref"}}


def _without_null(schema: Json) -> Json:
    """A parameter that may be left out: in a query string there is no null to send."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    rest = {k: v for k, v in schema.items() if k not in ("anyOf", "default")}
    return {**rest, **kinds[0]}


def _headers(operation: Operation) -> list[Json]:
    if not operation.keeps_answers:
        return []
    return [
        {
            "name": idempotency.HEADER,
            "in": "header",
            "required": False,
            "description": "The same key gives the same accepted answer for 24 hours.",
            "schema": {"type": "string", "pattern": idempotency.KEY_PATTERN},
        }
    ]


def _answer(status: int, shape: Shape, references: Mapping[tuple[type, str], Json]) -> Json:
    described: Json = {"description": HTTPStatus(status).phrase}
    if isinstance(shape, Media):
        described["content"] = {one: {"schema": _held_in(one)} for one in shape.content_types}
    elif shape is not None:
        described["content"] = {"application/json": {"schema": references[shape, "serialization"]}}
    return described


def _held_in(content_type: str) -> Json:
    return {"type": "object" if content_type == "application/json" else "string"}


def _problem(status: int, codes: tuple[Code, ...], body_limit_bytes: int) -> Json:
    described: Json = {
        "description": _WORDS[status].format(limit=body_limit_bytes),
        "content": {
            CONTENT_TYPE: {
                "schema": {
                    "allOf": [{"$ref": _REF.format(model="Problem")}],
                    "properties": {
                        "status": {"const": status},
                        "code": {"enum": [code.value for code in codes]},
                    },
                }
            }
        },
    }
    if headers := _RESPONSE_HEADERS.get(status):
        described["headers"] = headers
    return described


def _schemas(table: list[Operation]) -> tuple[Mapping[tuple[type, str], Json], Json]:
    wanted: dict[tuple[type[Model], JsonSchemaMode], None] = {}
    for operation in table:
        if operation.takes.body is not None:
            wanted[operation.takes.body, "validation"] = None
        for shape in operation.returns.values():
            if isinstance(shape, type):
                wanted[shape, "serialization"] = None
    references, definitions = models_json_schema(list(wanted), ref_template=_REF)
    describe_all(definitions.get("$defs", {}))
    return {(model, mode): ref for (model, mode), ref in references.items()}, definitions.get(
        "$defs", {}
    )


def _problem_schemas() -> Json:
    fault = {
        "type": "object",
        "description": "One thing wrong with what was sent.",
        "properties": {
            "in": {"enum": ["body", "query", "path", "header"]},
            "pointer": {"type": "string", "description": "A JSON pointer into it."},
            "detail": {"type": "string"},
            "code": {
                "type": "string",
                "description": "Which fault it is, where one may word it in another language.",
            },
            "given": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "What `detail` tells beside the fault itself, with a `code`.",
            },
        },
        "required": ["in", "pointer", "detail"],
    }
    problem = {
        "type": "object",
        "description": "RFC 9457. Act on `code`; it never changes its meaning.",
        "properties": {
            "type": {"type": "string", "format": "uri-reference"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "code": {"type": "string", "enum": [code.value for code in TITLES]},
            "errors": {"type": "array", "items": {"$ref": _REF.format(model="InputFault")}},
            "incident": {"type": "string"},
        },
        "required": ["type", "title", "status", "detail", "code"],
    }
    return {"InputFault": fault, "Problem": problem}
