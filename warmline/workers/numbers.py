"""Whose phone a leg rings: looked up when it is rung, and kept nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from billing.store.orders import load_order
from dialer.call import Call
from dialer.leg import Leg
from routing.store.callers import load_caller
from routing.store.counselors import load_counselor
from routing.store.targets import load_target
from terms.ids import CounselorId, ProgramId, TargetId, TenantId
from terms.phone import PhoneNumber, Seal
from terms.verdict import Role
from warmline.desk.shell import ProgramsInForce
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.desk.store import Connection


@dataclass(frozen=True, slots=True)
class LegNumbers:
    """Opens sealed numbers for the carrier and for nobody else."""

    seal: Seal
    programs: ProgramsInForce
    offered: Mapping[ProgramId, Program] = field(default_factory=dict)

    async def of_leg(
        self, connection: "Connection", tenant: TenantId, call: Call, leg: Leg
    ) -> tuple[PhoneNumber, str] | None:
        """Whom to ring, and the number to show them.

        Both sides see the program's number; only an agency sees the caller's own, for it may have
        to find them (4.2). An agency without a name is the line a closed program forwards to.
        """
        order = await load_order(connection, tenant, call.order)
        if order is None:
            return None
        program = await self.programs.of_order(connection, tenant, order)
        shows = program.dialer.shows
        match leg.role:
            case Role.CALLER:
                caller = await load_caller(connection, self.seal, tenant, order.caller)
                return None if caller is None else (caller.number, shows)
            case Role.COUNSELOR | Role.SUPERVISOR:
                found = await load_counselor(connection, tenant, CounselorId(leg.party or ""))
                if found is None:
                    return None
                return self.seal.open(found[0].number_sealed), shows
            case Role.AGENCY if leg.party is None:
                elsewhere = program.routing.forward_when_closed
                return None if elsewhere is None else (elsewhere, shows)
            case Role.AGENCY:
                target = await load_target(connection, tenant, TargetId(leg.party or ""))
                if target is None:
                    return None
                caller = await load_caller(connection, self.seal, tenant, order.caller)
                number = self.seal.open(target.number_sealed)
                return number, shows if caller is None else caller.number.digits

    async def of_counselor(
        self, connection: "Connection", tenant: TenantId, counselor: CounselorId
    ) -> tuple[PhoneNumber, str] | None:
        """A counselor's own phone, shown the number that their calls show."""
        found = await load_counselor(connection, tenant, counselor)
        if found is None:
            return None
        theirs = sorted(self.offered.keys() & found[0].programs)
        shows = [self.offered[program].dialer.shows for program in theirs]
        return (self.seal.open(found[0].number_sealed), shows[0]) if shows else None
