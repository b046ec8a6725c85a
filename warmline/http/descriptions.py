"""What the docstring under a field says, as its description in the published document.

Read from the source when the document is asked for: pydantic would read it while a process starts,
which takes a sixth of a start.
"""

import ast
import inspect
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from warmline.http.model import Model, Query

Json = dict[str, Any]


def describe(schema: Json, model: type[BaseModel]) -> None:
    """Add to the schema of `model` what is said under its fields."""
    texts, properties = _texts(model), schema.get("properties", {})
    for called, name in _called(model).items():
        if name in texts and called in properties:
            told = {"description": texts[name]} | properties[called]
            properties[called] = {key: told[key] for key in sorted(told)}


def describe_all(definitions: Mapping[str, Json]) -> None:
    """The same for all schemas of the document. Each bears the name of its model as its title,
    and of models of one name it has the fields.
    """
    models = {(one.__name__, frozenset(_called(one))): one for one in _derived(Model)}
    for schema in definitions.values():
        model = models.get((schema.get("title", ""), frozenset(schema.get("properties", ()))))
        if model is not None:
            describe(schema, model)


def _called(model: type[BaseModel]) -> dict[str, str]:
    return {field.alias or name: name for name, field in model.model_fields.items()}


def _derived(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in kind.__subclasses__():
        yield one
        yield from _derived(one)


def _texts(model: type[BaseModel]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, Model | Query):
            texts |= _under_fields(kind.__module__).get(kind.__qualname__, {})
    return texts


@cache
def _under_fields(module: str) -> dict[str, dict[str, str]]:
    """By class and field, of the classes on a module's first level."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {
        statement.name: dict(_documented(statement.body))
        for statement in tree.body
        if isinstance(statement, ast.ClassDef)
    }


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                value=ast.Constant(value=str(text))
            ):
                yield name, inspect.cleandoc(text)
