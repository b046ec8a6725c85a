"""Whether a dial is let in: from the verified number only, and within the hours.

Asked again at every dial, inside its transaction (A11, A13, X53). A caller in the app gets a
refusal code; a caller who dialled in hears why (A23).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from routing.hours import is_open, next_opening
from routing.limits import retry_after_seconds
from routing.policy import Callers, Policy
from terms.calendar import Workdays
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused


class SpokenRefusal(StrEnum):
    """Prompt keys: what somebody who dialled in is told before the line is closed."""

    OUTSIDE_HOURS = "outside_hours"
    NUMBER_WITHHELD = "number_withheld"
    NUMBER_FOREIGN = "number_foreign"
    NUMBER_NOT_VERIFIED = "number_not_verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What can be done with a request made now (X36)."""

    is_taken: bool
    served_from: datetime | None  # the caller is told this time; None: not within a year


def number_refusal(given: PhoneNumber, verified: PhoneNumber | None) -> RefusalCode | None:
    """Why `given` may not call; None when it is exactly the number a live verification holds."""
    if verified is None:
        return RefusalCode.DEVICE_NOT_VERIFIED
    return None if given == verified else RefusalCode.NUMBER_MISMATCH


def require_admission(
    policy: Policy,
    *,
    given: PhoneNumber,
    verified: PhoneNumber | None,
    now: datetime,
    workdays: Workdays,
) -> None:
    """Let a dial from the app in. `verified` is the number the caller's live device holds.

    Raises Refused: device_not_verified, number_mismatch, outside_hours.
    """
    if policy.callers is Callers.VERIFIED:
        require_number(given, verified)
    require_open(policy, now, workdays)


def require_number(given: PhoneNumber, verified: PhoneNumber | None) -> None:
    """Raises Refused (device_not_verified, number_mismatch)."""
    match number_refusal(given, verified):
        case RefusalCode.NUMBER_MISMATCH as code:
            detail = "Call from the number that this device has verified, with that SIM in it."
            raise Refused(code, detail)
        case RefusalCode.DEVICE_NOT_VERIFIED as code:
            raise Refused(code, "Verify this phone number first.")


def require_open(policy: Policy, now: datetime, workdays: Workdays) -> None:
    """Raises Refused (outside_hours), saying when the line opens."""
    if is_open(policy.hours, now, workdays):
        return
    opening = next_opening(policy.hours, now, workdays)
    if opening is None:
        raise Refused(RefusalCode.OUTSIDE_HOURS, "This line is closed until further notice.")
    local = opening.astimezone(policy.hours.zone).strftime("%Y-%m-%d %H:%M")
    detail = f"The line is closed. It opens at {local} ({policy.hours.zone.key})."
    wait = retry_after_seconds(opening, now)
    raise Refused(RefusalCode.OUTSIDE_HOURS, detail, retry_after_seconds=wait)


def require_open_then(policy: Policy, at: datetime, workdays: Workdays) -> None:
    """Raises Refused (outside_hours) for an appointment at a time when the line is closed."""
    if is_open(policy.hours, at, workdays):
        return
    detail = "The line is closed at that time; choose another."
    opening = next_opening(policy.hours, at, workdays)
    if opening is not None:
        local = opening.astimezone(policy.hours.zone).strftime("%Y-%m-%d %H:%M")
        detail = f"{detail} It opens next at {local} ({policy.hours.zone.key})."
    raise Refused(RefusalCode.OUTSIDE_HOURS, detail)


def dial_in_refusal(
    policy: Policy,
    *,
    shown: PhoneNumber | None,
    is_verified: bool,
    now: datetime,
    workdays: Workdays,
) -> SpokenRefusal | None:
    """What to tell somebody who dialled in; None when they are let in.

    `shown` is the caller ID, None when withheld; `is_verified` says whether a live device
    verification holds it. A closed line says so first: no other advice would help.
    """
    if not is_open(policy.hours, now, workdays):
        return SpokenRefusal.OUTSIDE_HOURS
    if policy.callers is Callers.ANYONE:
        return None
    if shown is None:
        return SpokenRefusal.NUMBER_WITHHELD
    if not shown.is_short_code and not shown.digits.startswith(f"+{policy.country_code}"):
        return SpokenRefusal.NUMBER_FOREIGN
    return None if is_verified else SpokenRefusal.NUMBER_NOT_VERIFIED


def intake(policy: Policy, now: datetime, workdays: Workdays) -> Intake:
    """Whether a request is taken now, and from when it is served (X36, E25)."""
    return Intake(
        is_taken=is_open(policy.intake, now, workdays),
        served_from=next_opening(policy.hours, now, workdays),
    )
