"""The house's books as dictionaries: what PostgreSQL holds in earnest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from billing.ledger import Entry
from billing.order import Order
from billing.voucher import Voucher
from dialer.call import Call
from routing.counselor import Counselor, Presence
from routing.queue import Place
from terms.ids import BookId, CallerId, CallId, CounselorId, LegId, OrderId, ProgramId, VoucherId
from terms.phone import PhoneNumber
from warmline.programs import Program


@dataclass(slots=True)
class Books:
    """Everything the shell reads and writes.

    `engaged` tells which call claims a counselor, `live` and `last` an order's call that goes on
    and its newest one. `on_duty` are those who mean to work, by program.
    """

    programs: Mapping[ProgramId, Program]
    orders: dict[OrderId, Order] = field(default_factory=dict)
    vouchers: dict[VoucherId, Voucher] = field(default_factory=dict)
    ledger: dict[BookId, list[Entry]] = field(default_factory=dict)
    calls: dict[CallId, Call] = field(default_factory=dict)
    live: dict[OrderId, CallId] = field(default_factory=dict)
    last: dict[OrderId, CallId] = field(default_factory=dict)
    counselors: dict[CounselorId, Counselor] = field(default_factory=dict)
    engaged: dict[CounselorId, CallId] = field(default_factory=dict)
    on_duty: dict[ProgramId, dict[CounselorId, None]] = field(default_factory=dict)
    places: dict[ProgramId, dict[CallId, Place]] = field(default_factory=dict)
    dialled_in: dict[LegId, CallId] = field(default_factory=dict)
    verified: dict[CallerId, PhoneNumber] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def whose(self, leg: LegId) -> Call | None:
        """The call a leg belongs to."""
        call, slash, _ = leg.partition("/")
        known = CallId(call) if slash else self.dialled_in.get(leg)
        return None if known is None else self.calls.get(known)

    def keep_counselor(self, counselor: Counselor) -> None:
        """Write a counselor's record."""
        known = self.counselors.get(counselor.id)
        self.counselors[counselor.id] = counselor
        if known is not None and known.presence is counselor.presence:
            return
        for program in counselor.programs:
            duty = self.on_duty.setdefault(program, {})
            if counselor.presence is Presence.AVAILABLE:
                duty[counselor.id] = None
            else:
                duty.pop(counselor.id, None)

    def candidates(self, program: ProgramId) -> Iterable[tuple[Counselor, CallId | None]]:
        """Everybody a pool's call might get, each with the call that holds them."""
        engaged = self.engaged
        for id_ in self.on_duty.get(program, ()):
            if id_ not in engaged:
                yield self.counselors[id_], None
