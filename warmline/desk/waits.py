"""How long a caller will probably wait: their place, who is at work, how long talks took lately."""

from datetime import datetime
from typing import TYPE_CHECKING

from billing.store.lately import mean_talk_seconds
from routing.queue import Waiting, expected_wait_seconds
from routing.store.counselors import program_strength
from routing.store.queue import queue_position
from terms.ids import CallId, TenantId
from warmline.programs import Program

if TYPE_CHECKING:
    from warmline.desk.store import Connection

_UNKNOWN_TALK_SECONDS = 900
"""Taken for the mean where nobody has talked yet and the program has no cap."""


async def waiting_of(
    connection: "Connection", tenant: TenantId, call: CallId, program: Program, now: datetime
) -> Waiting | None:
    """Where the call stands in its queue (D15, X43); None when it does not wait there."""
    position = await queue_position(connection, tenant, call)
    if position is None:
        return None
    talk = await mean_talk_seconds(connection, tenant, program.id)
    if talk is None:
        granted = program.granted_seconds
        talk = _UNKNOWN_TALK_SECONDS if granted is None else granted
    counselors = await program_strength(connection, tenant, program.id, now)
    handling = talk + program.routing.wrap_up_seconds
    return Waiting(
        position=position, expected_seconds=expected_wait_seconds(position, counselors, handling)
    )
