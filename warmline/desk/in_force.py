"""The program an order was opened under, and the calendar: read often, changed seldom."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from billing.order import Order
from billing.store.program_texts import load_program_text
from routing.store.calendar import load_workdays
from terms.calendar import Workdays
from terms.ids import ProgramId, TenantId
from warmline.clock import Clock
from warmline.programs import Program, read_program

if TYPE_CHECKING:
    from warmline.desk.store import Connection

_CALENDAR_IS_FRESH_FOR = timedelta(minutes=10)


@dataclass(slots=True)
class KeptPrograms:
    """Programs by their text: an order keeps the one in force when it was opened (X38)."""

    current: Mapping[ProgramId, Program]
    _by_digest: dict[str, Program] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._by_digest.update({program.digest: program for program in self.current.values()})

    async def of_order(self, connection: "Connection", tenant: TenantId, order: Order) -> Program:
        """The order's program; an older text is read from where it was kept, once."""
        found = self._by_digest.get(order.program_digest)
        if found is None:
            body = await load_program_text(connection, tenant, order.program, order.program_digest)
            assert body is not None, "an order is never opened without its program's text"
            found = self._by_digest[order.program_digest] = read_program(body)
        return found


@dataclass(slots=True)
class KeptCalendar:
    """The statutory calendar per tenant, looked up anew every ten minutes."""

    clock: Clock
    _known: dict[TenantId, tuple[datetime, Workdays]] = field(default_factory=dict)

    async def workdays(self, connection: "Connection", tenant: TenantId) -> Workdays:
        """As it was known at most ten minutes ago."""
        now = self.clock.now()
        known = self._known.get(tenant)
        if known is None or now - known[0] > _CALENDAR_IS_FRESH_FOR:
            known = self._known[tenant] = (now, await load_workdays(connection, tenant))
        return known[1]
