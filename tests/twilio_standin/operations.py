"""Every operation of Twilio's document, and what is wrong with a request for one, or an answer."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from tests.twilio_standin.prose import prose_faults
from tests.twilio_standin.values import Schema, string_faults, text_faults

_FORM = "application/x-www-form-urlencoded"
_METHODS = ("get", "post", "delete", "put")

Params = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path, with every reference of its parameters followed."""

    id: str
    method: str
    template: str
    pattern: re.Pattern[str]
    path: Mapping[str, Schema]
    query: Mapping[str, Schema]
    form: Mapping[str, Schema]
    required: frozenset[str]
    answers: Mapping[str, Schema]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it was understood."""

    operation: Operation | None
    path: Mapping[str, str]
    params: Params
    faults: list[str]

    def get(self, name: str) -> str | None:
        """The only value of the parameter, if it was given."""
        given = self.params.get(name)
        return given[0] if given else None


class Operations:
    """The operations of some files of the document."""

    def __init__(self, files: Iterable[Mapping[str, Any]]) -> None:
        self._by_size: defaultdict[tuple[str, int], list[Operation]] = defaultdict(list)
        self._components: Mapping[str, Any] = {}
        for file in files:
            self._components = file["components"]
            for template, item in file["paths"].items():
                for method in _METHODS:
                    if method in item:
                        self._add(self._operation(method.upper(), template, item[method]))

    def all(self) -> list[Operation]:
        """Every operation."""
        return [operation for some in self._by_size.values() for operation in some]

    def ask(self, method: str, path: str, query: str, body: str) -> Asked:
        """Understand a request; its faults are every way in which it is not as documented."""
        for operation in self._by_size[method, path.count("/")]:
            if matched := operation.pattern.fullmatch(path):
                return _understood(operation, matched.groupdict(), query, body)
        fault = f"no operation {method} {path}"
        return Asked(operation=None, path={}, params={}, faults=[fault])

    def _add(self, operation: Operation) -> None:
        self._by_size[operation.method, operation.template.count("/")].append(operation)

    def _operation(self, method: str, template: str, said: Mapping[str, Any]) -> Operation:
        # A name in braces ends where the literal ".json" begins.
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+?)", re.escape(template))
        parameters = said.get("parameters", [])
        contents = said.get("requestBody", {}).get("content", {})
        body = self._follow(contents.get(_FORM, {}).get("schema", {}))
        return Operation(
            id=said["operationId"],
            method=method,
            template=template,
            pattern=re.compile(pattern),
            path=self._named(parameters, "path"),
            query=self._named(parameters, "query"),
            form={k: self._deeply(v) for k, v in body.get("properties", {}).items()},
            required=frozenset(body.get("required", ())),
            answers={
                status: self._deeply(content["application/json"]["schema"])
                for status, answer in said["responses"].items()
                if "schema" in (content := answer.get("content", {})).get("application/json", {})
            },
        )

    def _named(self, parameters: list[Any], place: str) -> dict[str, Schema]:
        followed = [self._follow(parameter) for parameter in parameters]
        return {p["name"]: self._deeply(p["schema"]) for p in followed if p["in"] == place}

    def _follow(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            _, _, kind, name = schema["$ref"].split("/")
            schema = self._components[kind][name]
        return schema

    def _deeply(self, schema: Schema, depth: int = 4) -> Schema:
        """The schema with its references followed, as deep as an answer of ours goes."""
        followed = dict(self._follow(schema))
        if depth and "items" in followed:
            followed["items"] = self._deeply(followed["items"], depth - 1)
        if depth and isinstance(followed.get("properties"), Mapping):
            followed["properties"] = {
                k: self._deeply(v, depth - 1) for k, v in followed["properties"].items()
            }
        return followed


def _understood(operation: Operation, path: Mapping[str, str], query: str, body: str) -> Asked:
    faults = [
        f"path {name}: {fault}"
        for name, text in path.items()
        for fault in text_faults(operation.path.get(name, {}), [text])
    ]
    asked = _collected(query)
    form = _collected(body)
    faults += _param_faults(operation.query, asked) + _param_faults(operation.form, form)
    faults += [f"{name}: required" for name in sorted(operation.required - form.keys())]
    params = {**asked, **form}
    faults += prose_faults(operation.id, params)
    return Asked(operation=operation, path=path, params=params, faults=faults)


def _collected(text: str) -> dict[str, list[str]]:
    collected: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        collected.setdefault(name, []).append(value)
    return collected


def _param_faults(known: Mapping[str, Schema], given: Params) -> list[str]:
    faults = [f"{name}: unknown parameter" for name in given if name not in known]
    return faults + [
        f"{name}: {fault}"
        for name, texts in given.items()
        if name in known
        for fault in text_faults(known[name], texts)
    ]


def answer_faults(operation: Operation, status: int, body: object) -> list[str]:
    """What is wrong with an answer of ours; an error's shape is not in the document."""
    if status >= 400:
        return []
    schema = operation.answers.get(str(status))
    if schema is None:
        return [] if body is None and status == 204 else [f"{operation.id} never answers {status}"]
    return _body_faults(schema, body, operation.id)


def _body_faults(schema: Schema, value: object, where: str) -> list[str]:
    match schema.get("type"):
        case _ if value is None:
            nullable = schema.get("nullable", False) or "enum" in schema
            return [] if nullable else [f"{where}: is null"]
        case "object" if isinstance(value, dict):
            known = schema.get("properties")
            if not known:
                return []
            faults = [f"{where}.{name}: unknown" for name in value if name not in known]
            return faults + [
                fault
                for name, one in value.items()
                if name in known
                for fault in _body_faults(known[name], one, f"{where}.{name}")
            ]
        case "array" if isinstance(value, list):
            return [f for one in value for f in _body_faults(schema["items"], one, where)]
        case "string" if isinstance(value, str):
            relative = schema.get("format") == "uri"  # Twilio's own page links are relative
            told = {} if relative else schema
            return [f"{where}: {fault}" for fault in string_faults(told, value)]
        case "integer" if isinstance(value, int) and not isinstance(value, bool):
            return []
        case "boolean" if isinstance(value, bool):
            return []
        case "number" if isinstance(value, int | float):
            return []
        case None:
            return []
        case kind:
            return [f"{where}: {value!r} is not of type {kind}"]
