"""Declaring an endpoint: a plain async function, and beside it what its signature cannot say.

    orders = Operations("Orders")

    @orders("POST", "/v1/orders/{order}/calls", who=(CALLER, APP), returns={202: CallView},
            refuses=(RefusalCode.VOUCHER_IN_USE,))
    async def place_call(acting: Acting, who: Caller | AppKey, order: OrderId,
                         body: PlaceCall) -> CallView | Answer | Refused:
        '''Call the two people of an order. ...'''

The first parameter is `Asked`, or `Acting` for a function that runs in a transaction and honours
`Idempotency-Key`. `who`, `body` and `query` are taken by those names; every other parameter is an
id in the path. The docstring's first line is the summary in the published document.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import UnionType
from typing import (
    Annotated,
    Any,
    TypedDict,
    TypeVar,
    Union,
    Unpack,
    get_args,
    get_origin,
    get_type_hints,
)

from aiohttp import web
from pydantic import TypeAdapter

from terms.refusals import RefusalCode
from warmline.http.asked import Acting, Asked
from warmline.http.model import ID, Model, Query
from warmline.http.problems import ProblemCode
from warmline.http.reading import BODY_LIMIT_BYTES
from warmline.http.signed import Signatures
from warmline.http.who import Allowed

Endpoint = Callable[..., Awaitable[object]]
E = TypeVar("E", bound=Endpoint)

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Media:
    """An answer of one of these types: the function returns the `aiohttp.web.Response` itself."""

    content_types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A body that came as a file instead of JSON: `body: PolicyRows | Uploaded`."""

    content_type: str
    raw: bytes = field(repr=False)


Shape = type[Model] | Media | None
"""What an answer holds; None is an answer without a body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Takes:
    """What a function wants to be handed."""

    acting: bool
    who: bool
    path: Mapping[str, TypeAdapter[Any]]
    query: type[Query] | None
    body: type[Model] | None
    body_required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One line of the API's table."""

    method: str
    path: str
    name: str
    group: str
    summary: str
    description: str
    returns: Mapping[int, Shape]
    endpoint: Endpoint = field(repr=False)
    takes: Takes = field(repr=False)
    who: tuple[Allowed, ...] = ()
    refuses: tuple[RefusalCode, ...] = ()
    secret: bool = False
    upgrades: bool = False
    problems: tuple[ProblemCode, ...] = ()
    uploads: tuple[str, ...] = ()
    body_limit_bytes: int = BODY_LIMIT_BYTES
    signed: web.AppKey[Signatures] | None = None
    begins_call: bool = False

    @property
    def keeps_answers(self) -> bool:
        """Whether an `Idempotency-Key` counts here."""
        return self.takes.acting and self.method == "POST"


class Details(TypedDict, total=False):
    """What a declaration may say beside method, path and answers.

    No `who` means that anyone may call it. `refuses` lists every code it may refuse with. `secret`
    seals the kept answer (it holds a token); `upgrades` is for a WebSocket; `problems` lists what
    the frame would not guess. `uploads` are the content types of files that may come in place of
    JSON, and `body_limit_bytes` is how large either may be. `signed` names what knows the
    signatures that are asked for instead of a token. What `begins_call` is refused with 503 before
    anything is read while the process is behind with the calls that are under way.
    """

    who: tuple[Allowed, ...]
    refuses: tuple[RefusalCode, ...]
    secret: bool
    upgrades: bool
    problems: tuple[ProblemCode, ...]
    uploads: tuple[str, ...]
    body_limit_bytes: int
    signed: web.AppKey[Signatures]
    begins_call: bool


class Operations:
    """The endpoints of one group, in the order they were declared."""

    def __init__(self, group: str) -> None:
        self.group = group
        self._all: list[Operation] = []

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._all)

    def __call__(
        self,
        method: str,
        path: str,
        *,
        returns: Mapping[int, Shape],
        **details: Unpack[Details],
    ) -> Callable[[E], E]:
        """Declare an endpoint. `Details` tells what else may be said of it.

        `returns` maps each status to what it holds; a function of one status may return the model
        itself, else it returns `Answer`.
        Raises TypeError when declaration and signature do not fit together.
        """

        def declare(endpoint: E) -> E:
            summary, description = _documentation(endpoint)
            self._all.append(
                Operation(
                    method=method,
                    path=path,
                    name=endpoint.__name__,
                    group=self.group,
                    summary=summary,
                    description=description,
                    returns=returns,
                    endpoint=endpoint,
                    takes=_takes(endpoint, path, details.get("who", ())),
                    **details,
                )
            )
            return endpoint

        return declare


def _takes(endpoint: Endpoint, path: str, who: tuple[Allowed, ...]) -> Takes:
    hints = get_type_hints(endpoint, include_extras=True)
    names = list(inspect.signature(endpoint).parameters)
    if not names or hints[names[0]] not in (Asked, Acting):
        raise TypeError(f"{endpoint.__name__}: the first parameter must be Asked or Acting")
    _check_who(endpoint.__name__, hints.get("who"), who)
    ids = [name for name in names[1:] if name not in ("who", "body", "query")]
    if set(ids) != set(_PLACEHOLDER.findall(path)):
        raise TypeError(f"{endpoint.__name__}: {ids} are not the ids of {path}")
    body = [kind for kind in _members(hints.get("body")) if kind is not Uploaded]
    return Takes(
        acting=hints[names[0]] is Acting,
        who="who" in names,
        path={name: TypeAdapter(_id_type(hints[name])) for name in ids},
        query=hints.get("query"),
        body=next((kind for kind in body if kind is not type(None)), None),
        body_required=type(None) not in body,
    )


def _check_who(name: str, hint: object, who: tuple[Allowed, ...]) -> None:
    if hint is not None and {rule.kind for rule in who} != set(_members(hint)):
        raise TypeError(f"{name}: the type of `who` differs from who= of the declaration")


def _id_type(hint: Any) -> Any:
    return hint if get_origin(hint) is Annotated else Annotated[hint, ID]


def _members(hint: Any) -> tuple[Any, ...]:
    if hint is None:
        return ()
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _documentation(endpoint: Endpoint) -> tuple[str, str]:
    text = inspect.getdoc(endpoint)
    if not text:
        raise TypeError(f"{endpoint.__name__}: the docstring is the published description")
    summary, _, description = text.partition("\n")
    return summary.rstrip("."), description.strip()
