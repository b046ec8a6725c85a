"""A counselor who is let in no longer: no offer reaches them, and a call they are on goes on."""

from dialer.events import CounselorDeclined
from dialer.store.calls import engaged_call
from terms.ids import CounselorId, StaffId
from terms.refusals import Refused
from terms.verdict import Role
from warmline.api.parts import DESK
from warmline.http.asked import Acting
from warmline.people.leaving import LEAVING
from warmline.people.store import TokenEnd


async def stand_down(acting: Acting, staff: StaffId, counselor: CounselorId) -> None:
    """Withdraw the call that rings them, as if they declined it, and end their presence."""
    await _withdraw_offer(acting, counselor)
    gone = TokenEnd(tenant=acting.tenant, staff=staff, counselor=counselor, last=True)
    await acting.part(LEAVING)(acting.connection, (gone,), acting.now)


async def _withdraw_offer(acting: Acting, counselor: CounselorId) -> None:
    live = await engaged_call(acting.connection, acting.tenant, counselor)
    leg = None if live is None else live.call.standing(Role.COUNSELOR)
    if live is None or leg is None or leg.accepted_at is not None or leg.bridged_at is not None:
        return
    desk, call = acting.part(DESK), live.call
    try:
        async with acting.connection.transaction():
            _, committed = await desk.command(
                acting.connection,
                acting.tenant,
                call.id,
                call.order,
                CounselorDeclined(),
                by=counselor,
            )
    except Refused:
        return  # they came to talk meanwhile
    acting.after_commit(lambda: desk.tell(committed))
