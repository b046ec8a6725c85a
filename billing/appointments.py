"""Orders for an appointed time: which programs take them, and for when. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from billing.cancelling import GENERAL, LONGEST_SECONDS, CancelPolicy, parse_cancelling
from terms.refusals import RefusalCode, Refused
from terms.section import Section

A_WEEK_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointments:
    """What a program says about appointed times."""

    taken: bool = False  # whether an order may be opened for a later time
    book_ahead_seconds: int = A_WEEK_SECONDS  # how far ahead, at most
    cancelling: CancelPolicy = field(default_factory=CancelPolicy)


def parse_appointments(section: Section) -> Appointments:
    """The keys about appointments; faults are noted in the section."""
    read = Appointments(
        taken=section.flag("appointments", default=False),
        book_ahead_seconds=section.whole(
            "book_ahead_seconds", least=1, most=LONGEST_SECONDS, default=A_WEEK_SECONDS
        ),
        cancelling=parse_cancelling(section),
    )
    if not read.taken:
        said = {
            "book_ahead_seconds": read.book_ahead_seconds != A_WEEK_SECONDS,
            "cancel_free_seconds": read.cancelling.free_seconds != GENERAL.free_seconds,
            "cancel_free_until": read.cancelling.boundary is not GENERAL.boundary,
            "no_show_consumes": read.cancelling.no_show_consumes != GENERAL.no_show_consumes,
        }
        for key in [key for key, differs in said.items() if differs]:
            section.fault(key, "has no effect unless appointments = true")
    return read


def must_be_bookable(starts_at: datetime, appointments: Appointments, now: datetime) -> None:
    """Whether an order may be opened now for `starts_at`; the hours are routing's to look at.

    Raises Refused(not_now).
    """
    if not appointments.taken:
        raise Refused(RefusalCode.NOT_NOW, "This service takes no appointments: call at once.")
    if starts_at <= now:
        raise Refused(RefusalCode.NOT_NOW, "This time has passed; choose a later one.")
    if starts_at - now > timedelta(seconds=appointments.book_ahead_seconds):
        raise Refused(RefusalCode.NOT_NOW, "This is too far ahead; choose an earlier time.")


def must_have_begun(starts_at: datetime, now: datetime) -> None:
    """Nobody is rung before the appointed time. Raises Refused(not_now), saying when to call."""
    if now < starts_at:
        wait = -int((now - starts_at).total_seconds() // 1)
        detail = "Your appointment has not begun yet; call at the appointed time."
        raise Refused(RefusalCode.NOT_NOW, detail, retry_after_seconds=wait)
