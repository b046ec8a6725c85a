"""The base of everything sent in or out, and the field types that the endpoints share."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetPydanticSchema,
    StringConstraints,
)
from pydantic_core import CoreSchema, core_schema

from terms.phone import PhoneNumber

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
PHONE_PATTERN = r"^\+[1-9][0-9]{6,14}$"

ID = StringConstraints(pattern=ID_PATTERN)
"""Put it on a field that holds an id: `counselor: Annotated[CounselorId, ID]`."""


class Model(BaseModel):
    """Strict both ways: unknown fields are refused, `"1"` is no number, NaN is no number.

    The docstring under a field becomes its description in the published document.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        allow_inf_nan=False,
        defer_build=True,  # until it is first used: a process should start soon
    )


class Query(BaseModel):
    """The query string's parameters: texts that are read as the declared types, none unknown."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        defer_build=True,
    )


def _to_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("is too far away") from None


def _only_digits(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        raise ValueError("must be a whole number in digits")
    return value


def _phone_schema(_source: type[Any], _handler: object) -> CoreSchema:
    return core_schema.no_info_after_validator_function(
        PhoneNumber,
        core_schema.str_schema(pattern=PHONE_PATTERN),
        serialization=core_schema.plain_serializer_function_ser_schema(
            str, return_schema=core_schema.str_schema()
        ),
    )


Phone = Annotated[PhoneNumber, GetPydanticSchema(_phone_schema)]
"""E.164 in; what goes out is the masked form."""

Instant = Annotated[AwareDatetime, AfterValidator(_to_utc)]
"""A moment with its offset; read into UTC."""

Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")
]
"""One line of text."""

Text = Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00]*[^\s\x00][^\x00]*$")]
"""Some lines of text, not blank."""

Whole = Annotated[int, BeforeValidator(_only_digits)]
"""A whole number in a query string: digits and nothing else."""
