"""The live feed: what happens, as it happens, to whoever may see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from terms.ids import CallId, OrderId, TenantId
from warmline.http.who import Principal

if TYPE_CHECKING:
    from asyncpg import Connection, Record

TIMELINE = "timeline"
"""The bus topic that says: the timeline has grown, look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the timeline, as it was written."""

    tenant: TenantId
    seq: int
    order: OrderId
    call: CallId | None
    at: datetime
    kind: str
    role: str | None
    data: Mapping[str, object]
    visible: frozenset[str]


class Audience(Protocol):
    """Who may see what. The feed asks; the desk, which knows orders and calls, answers."""

    def marks(self, who: Principal) -> frozenset[str]:
        """The marks `who` holds: a line is theirs to see when it carries one of them."""
        ...

    def event(self, who: Principal, entry: Entry) -> Mapping[str, object]:
        """A visible line as `who` may read it; plain values, ready for JSON."""
        ...

    async def snapshot(
        self, connection: "Connection[Record]", who: Principal, now: datetime
    ) -> Mapping[str, object]:
        """What is true now, as far as `who` may see it; plain values, ready for JSON."""
        ...

    async def still_there(
        self, connection: "Connection[Record]", who: Principal, now: datetime
    ) -> None:
        """The other side of a WebSocket was heard of within the last moments. Asked often."""
        ...
