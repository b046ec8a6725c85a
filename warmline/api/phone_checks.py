"""A counselor has their own phone rung, before they take calls."""

from dialer.phone_check import LONGEST, PREFIX, CheckState
from dialer.store.phone_checks import newest_check
from routing.counselor import Activity, activity_of
from routing.store.counselors import lock_counselor
from terms.ids import CallId
from terms.refusals import RefusalCode, Refused
from warmline.api.counselor_views import Me
from warmline.api.counselors import COUNSELOR, counselor_of
from warmline.api.own_desk import own_desk
from warmline.api.parts import DESK
from warmline.desk.phone_checks import ring_own_phone
from warmline.http.api import Operations
from warmline.http.asked import Acting
from warmline.http.problems import NotFound
from warmline.http.who import Staff

phone_checks = Operations("Counselors")

_MOST, _WITHIN_SECONDS = 3, 300


@phone_checks(
    "POST",
    "/v1/me/phone-check",
    who=(COUNSELOR,),
    returns={202: Me},
    refuses=(RefusalCode.NOT_NOW, RefusalCode.RATE_LIMITED),
    begins_call=True,
)
async def check_phone(acting: Acting, who: Staff) -> Me:
    """Ring my phone by itself: whoever answers is asked to press 1. `phone_check` tells the rest.

    Refused while I take calls or am on one, for one of those may ring the phone meanwhile. It is no
    call: nothing is counted, and nobody is charged.
    """
    counselor = counselor_of(who)
    found = await lock_counselor(acting.connection, acting.tenant, counselor)
    if found is None:
        raise NotFound
    activity = activity_of(found[0], found[1], acting.now)
    if activity not in (Activity.OFFLINE, Activity.BREAK):
        raise Refused(RefusalCode.NOT_NOW, "Take no calls for a moment: one may ring meanwhile.")
    await _check_rate(acting, counselor)
    desk = acting.part(DESK)
    id_ = CallId(desk.new_id(PREFIX))
    committed = await ring_own_phone(acting.connection, acting.tenant, id_, counselor, acting.now)
    acting.after_commit(lambda: desk.tell(committed))
    return await own_desk(acting, acting.connection, counselor)


async def _check_rate(acting: Acting, counselor: str) -> None:
    """One at a time, and not again and again. Raises Refused."""
    since = acting.now - LONGEST
    last = await newest_check(acting.connection, acting.tenant, counselor, since=since)
    if last is not None and last.state(acting.now) is CheckState.RINGING:
        raise Refused(RefusalCode.NOT_NOW, "Your phone is being rung already.")
    rate = await acting.frame.limits.hit(
        f"phone-check:{acting.tenant}:{counselor}",
        limit=_MOST,
        window_seconds=_WITHIN_SECONDS,
        now=acting.now,
    )
    if not rate.allowed:
        raise Refused(
            RefusalCode.RATE_LIMITED,
            "Your phone was rung several times just now; wait a little.",
            retry_after_seconds=rate.retry_after_seconds,
        )
