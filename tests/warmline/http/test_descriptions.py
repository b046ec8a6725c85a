"""What is said under a field is told in the published document, and read no sooner."""

from typing import Generic, TypeVar

from pydantic import Field, TypeAdapter
from pydantic.json_schema import models_json_schema

from warmline.http.descriptions import describe, describe_all
from warmline.http.model import Model, Query

T = TypeVar("T")


class Said(Model):
    """A body."""

    plain: str
    told: int
    """How often.

    And why.
    """
    renamed: str = Field(alias="from")
    """Whence."""


class SaidMore(Said):
    """A body with one field more."""

    more: bool
    """Whether there is more."""


class Held(Model, Generic[T]):
    """Some of something."""

    items: list[T]
    """The newest first."""


class Asked(Query):
    """A query."""

    after: str
    """Where to go on."""


def test_what_is_said_under_a_field_is_its_description_and_nothing_else_is() -> None:
    _, written = models_json_schema([(SaidMore, "validation")])
    describe_all(written["$defs"])

    properties = written["$defs"]["SaidMore"]["properties"]
    assert {name: told.get("description") for name, told in properties.items()} == {
        "plain": None,
        "told": "How often.\n\nAnd why.",
        "from": "Whence.",
        "more": "Whether there is more.",
    }


def test_what_holds_others_is_described_and_so_are_they() -> None:
    _, written = models_json_schema([(Held[Said], "serialization")])
    describe_all(written["$defs"])

    held, said = written["$defs"]["Held_Said_"], written["$defs"]["Said"]
    assert held["properties"]["items"]["description"] == "The newest first."
    assert said["properties"]["told"]["description"] == "How often.\n\nAnd why."


def test_a_querys_parameters_are_described() -> None:
    written = TypeAdapter(Asked).json_schema()
    describe(written, Asked)

    assert written["properties"]["after"]["description"] == "Where to go on."


def test_no_source_is_read_while_a_process_starts() -> None:
    for kind in (Model, Query):
        assert not kind.model_config.get("use_attribute_docstrings")
