"""Lines of insurers' lists for tests: one good line, and whatever a test changes about it."""

from datetime import date

from billing.policies.columns import Column
from billing.policies.policy import ListedPolicy, PolicyTerms, Status
from billing.policies.roster import Roster, gather

TODAY = date(2025, 6, 1)

HOLDER_ID = "110101198506150019"
INSURED_ID = "110101198703030024"

GOOD = {
    Column.NUMBER: "P-1",
    Column.PRODUCT: "mind-care",
    Column.PURCHASED_ON: "2025-01-01",
    Column.EFFECTIVE_ON: "2025-01-02",
    Column.ENDS_ON: "2035-01-01",
    Column.STATUS: "in_force",
    Column.HOLDER_NAME: "王芳",
    Column.HOLDER_PHONE: "13800000001",
    Column.HOLDER_ID_NUMBER: HOLDER_ID,
    Column.RELATION: "spouse",
    Column.INSURED_NAME: "李强",
    Column.INSURED_PHONE: "13900000002",
    Column.INSURED_ID_NUMBER: INSURED_ID,
}


def cells(**changed: str | None) -> dict[Column, str]:
    """The good line with columns changed by their English names; None takes one away."""
    told = {column.value: text for column, text in GOOD.items()} | changed
    return {Column(name): text for name, text in told.items() if text is not None}


def roster(*lines: dict[Column, str], sponsor: str = "default", today: date = TODAY) -> Roster:
    """A list of these lines; the first stands in line 2, below the headers."""
    return gather(enumerate(lines, start=2), sponsor=sponsor, today=today)


def policy(**changed: str | None) -> ListedPolicy:
    """The policy that one good line makes."""
    found = roster(cells(**changed))
    assert found.rejected == ()
    return found.policies[0]


def terms(
    *,
    purchased: str = "2025-01-01",
    effective: str = "2025-01-01",
    cooling_off_end: str | None = None,
    ends: str | None = None,
    status: Status = Status.IN_FORCE,
    product: str = "mind-care",
) -> PolicyTerms:
    """Terms by their dates alone."""
    return PolicyTerms(
        product=product,
        purchased_on=date.fromisoformat(purchased),
        effective_on=date.fromisoformat(effective),
        cooling_off_end=None if cooling_off_end is None else date.fromisoformat(cooling_off_end),
        ends_on=None if ends is None else date.fromisoformat(ends),
        status=status,
    )
