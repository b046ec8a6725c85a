"""The live feed: what happens, as it happens, to whoever may see it."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from terms.ids import CallId, CounselorId, OrderId, TenantId
from warmline.http.who import Principal

if TYPE_CHECKING:
    from asyncpg import Connection, Record

TIMELINE = "timeline"
"""The bus topic that says: the timeline has grown, look again."""

OWN_STATE = "own_state"
"""The bus topic that says: a counselor's own state may have changed, look again."""


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

    async def own_states(
        self,
        connection: "Connection[Record]",
        whose: Collection[tuple[TenantId, CounselorId]],
        now: datetime,
    ) -> Mapping[tuple[TenantId, CounselorId], Hashable]:
        """What each counselor's own state is: equal as long as their console shows the same."""
        ...

    async def still_there(
        self, connection: "Connection[Record]", who: Principal, now: datetime
    ) -> None:
        """The other side of a WebSocket was heard of within the last moments. Asked often."""
        ...
