"""Who may see what of the live feed, and what is true when they begin to listen."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from billing.store.orders import list_orders
from dialer.orders import FactKind
from dialer.store.calls import engaged_call
from routing.counselor import activity_of
from routing.store.counselors import load_several
from terms.ids import CallerId, CounselorId, ProgramId, TenantId
from warmline.api.overview import overview
from warmline.api.presence import keep_present
from warmline.api.showing import Showing, orders_as_shown
from warmline.api.views import CallView
from warmline.desk import follow_ups
from warmline.desk.timeline import APP, STAFF, caller_sees, counselor_sees
from warmline.http.who import AppKey, Caller, Principal, Staff
from warmline.live import Entry
from warmline.people import StaffRole
from warmline.programs import Program
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Connection, Record

_SEE_ALL = frozenset({StaffRole.SUPERVISOR, StaffRole.SUPPORT, StaffRole.OPERATOR})
_ORDERS_SHOWN = 20
_URGENT = frozenset({FactKind.CRISIS_RAISED, FactKind.TRANSFER_FAILED, follow_ups.OPENED})
"""What nobody who watches may overlook (X55)."""


@dataclass(frozen=True, slots=True)
class DeskAudience:
    """Callers see their orders, counselors their calls, supervisors everything."""

    programs: Mapping[ProgramId, Program]
    seal: AesSeal

    def marks(self, who: Principal) -> frozenset[str]:
        """The marks on lines that `who` may see."""
        match who:
            case Caller(id=caller):
                return frozenset({caller_sees(caller)})
            case AppKey():
                return frozenset({APP})
            case Staff(roles=roles, counselor=counselor):
                marks = {counselor_sees(counselor)} if counselor is not None else set()
                return frozenset(marks | {STAFF} if roles & _SEE_ALL else marks)

    def event(self, who: Principal, entry: Entry) -> Mapping[str, object]:
        """One line, ready for JSON."""
        told = {
            "order": entry.order,
            "call": entry.call,
            "at": entry.at.isoformat(),
            "kind": entry.kind,
            "role": entry.role,
            "data": entry.data,
        }
        if isinstance(who, Staff) and entry.kind in _URGENT:
            told["priority"] = "high"
        return told

    async def snapshot(
        self, connection: "Connection[Record]", who: Principal, now: datetime
    ) -> Mapping[str, object]:
        """What is true now, as far as it is theirs to see."""
        match who:
            case Caller(id=caller):
                return {"orders": await self._orders(connection, who, caller, now)}
            case AppKey():
                return {"orders": await self._orders(connection, who, None, now)}
            case Staff(roles=roles, counselor=counselor):
                seen: dict[str, object] = {}
                if roles & _SEE_ALL:
                    whole = await overview(connection, who.tenant, now)
                    seen.update(whole.model_dump(mode="json"))
                if counselor is not None:
                    seen.update(await self._counselors(connection, who, counselor, now))
                return seen

    async def own_states(
        self,
        connection: "Connection[Record]",
        whose: Collection[tuple[TenantId, CounselorId]],
        now: datetime,
    ) -> Mapping[tuple[TenantId, CounselorId], Hashable]:
        """What `GET /v1/me` tells of presence, wrap-up and pause; a lease only once it is lost."""
        found = await load_several(connection, whose)
        return {
            one: (
                counselor.presence,
                activity_of(counselor, engaged, now),
                counselor.wrap_up_until,
                counselor.cooldown_until,
            )
            for one, (counselor, engaged) in found.items()
        }

    async def still_there(
        self, connection: "Connection[Record]", who: Principal, now: datetime
    ) -> None:
        """An open console keeps its counselor present."""
        if isinstance(who, Staff) and who.counselor is not None:
            await keep_present(connection, who.tenant, who.counselor, self.programs, now)

    async def _orders(
        self,
        connection: "Connection[Record]",
        who: Principal,
        caller: CallerId | None,
        now: datetime,
    ) -> list[object]:
        found, _ = await list_orders(
            connection, who.tenant, caller, limit=_ORDERS_SHOWN, cursor=None
        )
        showing = Showing(tenant=who.tenant, programs=self.programs, seal=self.seal, now=now)
        shown = await orders_as_shown(showing, connection, found)
        return [order.model_dump(mode="json") for order in shown]

    async def _counselors(
        self,
        connection: "Connection[Record]",
        who: Principal,
        counselor: CounselorId,
        now: datetime,
    ) -> Mapping[str, object]:
        live = await engaged_call(connection, who.tenant, counselor)
        call = None if live is None else CallView.of(live.call, now).model_dump(mode="json")
        return {"counselor": counselor, "call": call}
