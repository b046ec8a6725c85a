"""A console says that it shows the call that rings: evidence, should nobody have answered."""

from typing import TYPE_CHECKING, Annotated

from dialer.store.calls import load_call
from terms.ids import CallId, LegId, TenantId
from terms.verdict import Role
from warmline.api.counselors import COUNSELOR, counselor_of
from warmline.api.parts import DESK
from warmline.desk.store import Line, adding_lines, carry_out
from warmline.desk.timeline import STAFF
from warmline.desk.writing import Committed
from warmline.http.api import Operations
from warmline.http.asked import Acting, Answer
from warmline.http.model import ID, Model
from warmline.http.problems import NotFound
from warmline.http.who import Staff

if TYPE_CHECKING:
    from warmline.desk.store import Connection

offer_seen = Operations("Counselors")

OFFER_SEEN = "offer_seen"
"""A line of the timeline that is not about phones: what a page said of itself."""


class Seen(Model):
    """Where the offer is."""

    visible: bool
    """Whether the page was in front, or behind another window."""


@offer_seen("POST", "/v1/calls/{call}/seen", who=(COUNSELOR,), returns={204: None})
async def see_offer(acting: Acting, who: Staff, call: Annotated[CallId, ID], body: Seen) -> Answer:
    """My console shows the call that rings me. The timeline tells it once for each ring, to staff.

    404 once the phone rings no more.
    """
    counselor = counselor_of(who)
    stored = await load_call(acting.connection, acting.tenant, call)
    leg = None if stored is None else stored.call.standing(Role.COUNSELOR)
    if stored is None or leg is None or leg.party != counselor:
        raise NotFound
    if await _is_told(acting.connection, acting.tenant, stored.call.order, leg.id, body.visible):
        return Answer(status=204)
    line = Line(
        kind=OFFER_SEEN,
        role=Role.COUNSELOR,
        data={"leg": leg.id, "visible": body.visible},
        visible=(STAFF,),
    )
    lines = adding_lines(acting.tenant, stored.call.order, call, [line], acting.now)
    await carry_out(acting.connection, [lines])
    told, desk = Committed(tenant=acting.tenant, said=True), acting.part(DESK)
    acting.after_commit(lambda: desk.tell(told))
    return Answer(status=204)


async def _is_told(
    connection: "Connection", tenant: TenantId, order: str, leg: LegId, visible: bool
) -> bool:
    """Another window may have said so, or this one before it was loaded anew."""
    found = await connection.fetchval(
        """SELECT true FROM timeline
           WHERE tenant = $1 AND order_id = $2 AND kind = $3 AND data->>'leg' = $4
               AND data->'visible' = to_jsonb($5::boolean) LIMIT 1""",
        *(tenant, order, OFFER_SEEN, leg, visible),
    )
    return bool(found)
