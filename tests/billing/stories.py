"""The people, times and vouchers that the tests of this room tell of."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from billing.appointments import Appointments
from billing.opening import open_order
from billing.order import Order
from billing.policy import Policy, VoucherUse
from billing.settling import CallEnding, OnExhausted
from billing.voucher import Moved, Voucher, issue, prepare
from terms.ids import BookId, CallerId, CallId, CounselorId, OrderId, ProgramId, VoucherId
from terms.verdict import Confidence, EndedBy, Verdict, VerdictKind

NOON = datetime(2030, 1, 1, 4, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
LISTENING, DOCTOR = ProgramId("psych-listening"), ProgramId("family-doctor")
LIN, MEI = CallerId("lin"), CallerId("mei")
ANA, BEN = CounselorId("ana"), CounselorId("ben")
POLICY = Policy()
DOCTOR_POLICY = Policy(
    voucher=VoucherUse.NONE,
    counselor_locked=False,
    one_open_order_per_person=True,
    early_hang_up_review=False,
    summary_required=True,
)
MANY_AT_A_TIME = replace(DOCTOR_POLICY, one_open_order_per_person=False)
BY_APPOINTMENT = replace(POLICY, appointments=Appointments(taken=True))
GRANTED_SECONDS = 1500
FIRST, SECOND = CallId("call-1"), CallId("call-2")


def an_order(
    name: str = "order-1",
    *,
    voucher: str | None = "voucher-1",
    caller: CallerId = LIN,
    program: ProgramId = LISTENING,
    quota: BookId | None = None,
    policy: Policy | None = None,
    starts_at: datetime | None = None,
) -> Order:
    """An order for the 25-minute talk with Ana, opened at noon."""
    return open_order(
        id=OrderId(name),
        caller=caller,
        program=program,
        program_version="1",
        program_digest="d1",
        counselor=ANA,
        voucher=None if voucher is None else VoucherId(voucher),
        granted_seconds=GRANTED_SECONDS,
        policy=policy or (POLICY if voucher else DOCTOR_POLICY),
        quota=quota,
        now=NOON,
        starts_at=starts_at,
    ).order


def made(
    name: str = "voucher-1", *, valid_until: datetime = NOON + 30 * DAY, now: datetime = NOON
) -> tuple[Moved, ...]:
    """The moves by which a voucher comes into the world."""
    prepared = prepare(
        id=VoucherId(name),
        program=LISTENING,
        code_hash=name.encode(),
        code_ending="7K2M",
        valid_until=valid_until,
        now=now,
    )
    return prepared, issue(prepared[0], now)


def a_voucher(name: str = "voucher-1", *, valid_until: datetime = NOON + 30 * DAY) -> Voucher:
    """A voucher that anybody may redeem."""
    return made(name, valid_until=valid_until)[-1][0]


def ended(
    kind: VerdictKind = VerdictKind.PARTY_ENDED,
    by: EndedBy = EndedBy.CALLER,
    *,
    talked: int = 600,
    connected: bool = True,
    call: CallId = FIRST,
    at: datetime = NOON + 20 * MINUTE,
    confidence: Confidence = Confidence.HIGH,
    exhausted: bool = False,
    on_exhausted: OnExhausted = OnExhausted.KEEP,
    attempts_counted: int = 0,
) -> CallEnding:
    """The end of a call, by default the caller's own after ten minutes."""
    return CallEnding(
        call=call,
        verdict=Verdict(kind=kind, by=by, confidence=confidence, reasons=()),
        connected=connected,
        talked_seconds=talked if connected else 0,
        ended_at=at,
        attempts_counted=attempts_counted,
        exhausted=exhausted,
        on_exhausted=on_exhausted,
    )


def not_connected(**more: object) -> CallEnding:
    """A call in which nobody talked."""
    return ended(VerdictKind.NOT_CONNECTED, EndedBy.CALLER, connected=False, **more)  # type: ignore[arg-type]
