"""What a supervisor sees when they begin to watch: calls, queues, people (X55)."""

from datetime import datetime
from typing import TYPE_CHECKING

from billing.store.programs_of import programs_of
from dialer.call import Call
from dialer.call import State as CallState
from dialer.store.live import count_live, live_overview
from routing.counselor import Activity, Counselor, activity_of
from routing.queue import Length
from routing.store.counselors import list_present
from routing.store.queue import queue_lengths
from terms.ids import CallId, ProgramId, TenantId
from warmline.api.views import NonNegative
from warmline.desk.follow_ups import count_open
from warmline.http.model import Instant, Model

if TYPE_CHECKING:
    from warmline.desk.store import Connection

CALLS_SHOWN = 500
COUNSELORS_SHOWN = 1_000


class LiveCallView(Model):
    """A call that goes on."""

    id: str
    order: str
    program: str | None
    state: CallState
    crisis: bool
    counselor: str | None
    attempt: NonNegative
    started_at: Instant
    connected_at: Instant | None
    transfer: str | None
    """The agency that rings or has joined."""

    handed_over: bool

    @classmethod
    def of(cls, call: Call, program: ProgramId | None) -> "LiveCallView":
        """As it stands."""
        return cls(
            id=call.id,
            order=call.order,
            program=program,
            state=call.state,
            crisis=call.crisis,
            counselor=call.counselor,
            attempt=call.attempt,
            started_at=call.started_at,
            connected_at=call.connected_at,
            transfer=None if call.transfer is None else call.transfer.targets[0],
            handed_over=call.handed_over,
        )


class QueueView(Model):
    """Who waits for a program's counselors."""

    program: str
    waiting: NonNegative
    in_crisis: NonNegative
    longest_since: Instant

    @classmethod
    def of(cls, length: Length) -> "QueueView":
        """As it stands."""
        return cls(
            program=length.program,
            waiting=length.waiting,
            in_crisis=length.in_crisis,
            longest_since=length.longest_since,
        )


class PresentView(Model):
    """A counselor at work, and at what."""

    id: str
    name: str
    programs: list[str]
    activity: Activity
    call: str | None

    @classmethod
    def of(cls, counselor: Counselor, engaged: CallId | None, now: datetime) -> "PresentView":
        """What they are doing now."""
        return cls(
            id=counselor.id,
            name=counselor.name,
            programs=sorted(counselor.programs),
            activity=activity_of(counselor, engaged, now),
            call=engaged,
        )


class Overview(Model):
    """Everything that goes on in the house."""

    calls: list[LiveCallView]
    """Whoever may be in danger first, then the longest; the first 500."""

    calls_total: NonNegative
    queues: list[QueueView]
    counselors: list[PresentView]
    """Those at work; the first 1,000."""

    follow_ups_open: NonNegative


async def overview(connection: "Connection", tenant: TenantId, now: datetime) -> Overview:
    """What is true now."""
    calls = await live_overview(connection, tenant, limit=CALLS_SHOWN)
    programs = await programs_of(connection, tenant, {call.order for call in calls})
    present = await list_present(connection, tenant, now, limit=COUNSELORS_SHOWN)
    return Overview(
        calls=[LiveCallView.of(call, programs.get(call.order)) for call in calls],
        calls_total=await count_live(connection, tenant),
        queues=[QueueView.of(length) for length in await queue_lengths(connection, tenant)],
        counselors=[PresentView.of(counselor, engaged, now) for counselor, engaged in present],
        follow_ups_open=await count_open(connection, tenant),
    )
