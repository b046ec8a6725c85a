"""Twilio's REST interface as we use it, through its SDK. It knows no leg and keeps no state."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client

from dialer.carriers import CarrierRefused, CarrierUnknown, CarrierUnreachable
from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.http import OnceHttp

_NO_SUCH_THING = 20404
_NOT_IN_PROGRESS = 21220
_NOT_LET_IN = 20003
_TOO_MANY_REQUESTS = 429
_WRONG_NUMBERS = frozenset({21201, 21211, 21214, 21217, 21401, 13223, 13224})
_NO_LINES = frozenset({10004, 21216, 13227})
_NOT_ELSEWHERE = {"_": ""}
"""The SDK reads its own variables from the environment unless it is given another one."""

_MOST_PARTICIPANTS, _MOST_ROOMS = 20, 20
_PAGE = 200
"""The SDK reads a whole page at once, and nothing else is done meanwhile."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A call that Twilio accepted; it waits `queue_seconds` there before it rings."""

    sid: str
    queue_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A call as Twilio has it. `seconds` and `ended_at` are there once it is over."""

    sid: str
    status: str
    shown: str
    made_at: datetime | None
    ended_at: datetime | None
    seconds: int | None
    started_at: datetime | None = None


class Gone(CarrierRefused):
    """What the order was for is not there any more, or not in progress."""

    def __init__(self) -> None:
        super().__init__("leg_gone", sip=481)


class Api:
    """One account. Made inside a running loop; `close` it."""

    def __init__(self, access: Access, http: OnceHttp | None = None) -> None:
        self._http = http or OnceHttp(access.api_url)
        self._client = client_of(access, self._http)
        _ = self._client.calls, self._client.conferences  # half a second of reading: not later

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.close()

    async def place(self, **order: Any) -> Placed:
        """Begin a call. Raises CarrierRefused, CarrierUnreachable (not begun), CarrierUnknown."""
        made = await _asked(lambda: self._client.calls.create_async(**order))
        if not made.sid:
            raise CarrierUnknown("Twilio accepted a call and did not say which")
        return Placed(sid=made.sid, queue_seconds=_number(made.queue_time) / 1000)

    async def change(self, sid: str, **order: Any) -> str:
        """Change a call that is in progress; its status. Raises Gone, too."""
        changed = await _asked(lambda: self._client.calls(sid).update_async(**order))
        return str(changed.status or "")

    async def announce(self, conference: str, sid: str, url: str) -> None:
        """Have one participant hear what the address says. Raises Gone, too."""
        participant = self._client.conferences(conference).participants(sid)
        await _asked(lambda: participant.update_async(announce_url=url, announce_method="POST"))

    async def call(self, sid: str) -> Found:
        """One call. Raises Gone, too."""
        return _found(await _asked(lambda: self._client.calls(sid).fetch_async()))

    async def conference_with(self, room: str, sid: str) -> str | None:
        """The conference of this name that a call is in now; None if it is in none."""
        conferences = await _asked(
            lambda: self._client.conferences.list_async(
                friendly_name=room, limit=_MOST_ROOMS, page_size=_MOST_ROOMS
            )
        )
        open_ = [one.sid for one in conferences if str(one.status) != "completed"]
        if not open_:
            return None
        conference = self._client.conferences(open_[0])
        participants = await _asked(
            lambda: conference.participants.list_async(
                limit=_MOST_PARTICIPANTS, page_size=_MOST_PARTICIPANTS
            )
        )
        joined = any(one.call_sid == sid for one in participants)
        return str(open_[0]) if joined else None

    async def calls_in(self, status: str) -> tuple[Found, ...]:
        """Every call of that status."""
        found = await _asked(lambda: self._client.calls.list_async(status=status, page_size=_PAGE))
        return tuple(map(_found, found))

    async def calls_to(self, number: str) -> tuple[Found, ...]:
        """The latest calls to a number."""
        found = await _asked(
            lambda: self._client.calls.list_async(to=number, limit=50, page_size=50)
        )
        return tuple(map(_found, found))

    async def calls_between(self, since: datetime, until: datetime) -> tuple[Found, ...]:
        """Every call that began from `since` to `until`; Twilio may tell of some at the ends."""
        found = await _asked(
            lambda: self._client.calls.list_async(
                start_time_after=since, start_time_before=until, page_size=_PAGE
            )
        )
        return tuple(map(_found, found))


def client_of(access: Access, http: OnceHttp) -> Any:
    """The SDK's client, which goes by our HTTP and by no variable of the environment."""
    return Client(
        access.user,
        access.password,
        access.account_sid,
        region=access.region,
        edge=access.edge,
        environment=_NOT_ELSEWHERE,
        http_client=http,
    )


async def _asked(request: Callable[[], Awaitable[Answer]]) -> Answer:
    """One request, with every way to fail as a carrier tells it."""
    try:
        return await request()
    except TwilioRestException as refusal:
        raise _spoken(refusal) from None  # its text holds the address, and that a number
    except aiohttp.ClientConnectorError:
        raise CarrierUnreachable("nobody listens at Twilio's address") from None
    except (aiohttp.ClientError, TimeoutError, TwilioException, ValueError) as fault:
        raise CarrierUnknown(type(fault).__name__) from None


def _spoken(refusal: TwilioRestException) -> Exception:
    status, code = int(refusal.status), int(refusal.code or 0)
    if code in _NO_LINES:
        return CarrierRefused(str(code), q850=34, sip=503)
    if status == _TOO_MANY_REQUESTS:  # never processed, says Twilio
        return CarrierUnreachable("Twilio takes no more requests at the moment")
    if status == 401 or code == _NOT_LET_IN:
        return CarrierUnreachable("Twilio does not know our account, or our token or key")
    if status >= 500:
        return CarrierUnknown(f"status {status}")
    if code in (_NO_SUCH_THING, _NOT_IN_PROGRESS) or status == 404:
        return Gone()
    if code in _WRONG_NUMBERS:
        return CarrierRefused(str(code), q850=1, sip=404)
    return CarrierRefused(str(code))


def _found(call: Any) -> Found:
    return Found(
        sid=str(call.sid),
        status=str(call.status),
        shown=str(call._from or ""),
        made_at=call.date_created,
        ended_at=call.end_time,
        seconds=None if call.duration is None else int(_number(call.duration)),
        started_at=call.start_time,
    )


def _number(found: object) -> float:
    try:
        return float(str(found))
    except ValueError:
        return 0.0
