"""What a program announces ahead: refused when it comes too late, told from its day on."""

from datetime import date, datetime
from typing import Any

import pytest

from billing.policies.announcing import Announced, announced_to, next_announcement_at, to_tell
from billing.policies.changes import Change, ChangeKind
from billing.policies.cover import Cover, Entitlement, WaitingAnchor, parse_cover
from billing.policies.policy import PolicyTerms, Status
from billing.policies.waiting import CHINA
from terms.ids import ProgramId
from terms.section import ProgramInvalid, Section
from terms.values import replace

PROGRAM = ProgramId("psych-listening")
CHANGE = Change(
    kind=ChangeKind.CHANGE,
    effective_on=date(2027, 3, 1),
    announced_on=date(2027, 1, 30),
    zh="通话时间改为9点至21点",
    en="talks from 9:00 to 21:00",
)
COVER = Cover(products=frozenset({"mind-care"}), changes=(CHANGE,))
TERMS = PolicyTerms(
    product="mind-care", purchased_on=date(2026, 6, 1), effective_on=date(2026, 6, 2)
)
ON_TIME = {
    "effective_on": date(2027, 3, 1),
    "announced_on": date(2027, 1, 30),
    "text_zh": CHANGE.zh,
    "text_en": CHANGE.en,
}


def china(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def read(table: dict[str, Any]) -> tuple[Change, ...]:
    section = Section("billing", table)
    cover = parse_cover(section)
    section.finish()
    return cover.changes


def faults(table: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(ProgramInvalid) as invalid:
        read(table)
    return [(fault.key, fault.message) for fault in invalid.value.faults]


def told(
    at: str, terms: PolicyTerms = TERMS, cover: Cover = COVER, sponsor: str = "default"
) -> list[str]:
    found, _ = announced_to(sponsor, terms, {PROGRAM: ("default", cover)}, china(at))
    assert all(one == Announced(PROGRAM, one.change) for one in found)
    return [one.change.key for one in found]


@pytest.mark.rule("B04")
def test_a_change_is_read_with_its_days_and_words() -> None:
    assert read({"changes": [ON_TIME]}) == (CHANGE,)
    assert read({}) == ()


@pytest.mark.rule("B04")
def test_a_change_is_announced_thirty_days_ahead_unless_the_program_says_otherwise() -> None:
    late = ON_TIME | {"announced_on": date(2027, 1, 31)}
    ((key, message),) = faults({"changes": [late]})

    assert key == "changes[1].announced_on"
    assert "must be 2027-01-30 or earlier" in message
    assert len(read({"changes": [late], "change_notice_days": 29})) == 1
    assert faults({"changes": [ON_TIME], "change_notice_days": 31})
    assert faults({"changes": [ON_TIME], "change_notice_days": 0})


@pytest.mark.rule("B04", "B05")
def test_the_end_of_a_service_is_a_change_announced_as_early() -> None:
    end = {"offered_until": "2027-02-28", "end_announced_on": "2027-01-30"}
    (read_end,) = read(end)

    assert (read_end.kind, read_end.effective_on) == (ChangeKind.END, date(2027, 3, 1))
    assert [key for key, _ in faults(end | {"end_announced_on": "2027-01-31"})] == [
        "end_announced_on"
    ]
    assert [key for key, _ in faults({"offered_until": "2027-02-28"})] == ["end_announced_on"]
    assert [key for key, _ in faults({"end_announced_on": "2027-01-30"})] == ["end_announced_on"]


@pytest.mark.parametrize(
    ("wrong", "key"),
    [
        ({"text_zh": "改" * 31}, "changes[1].text_zh"),
        ({"text_en": "x" * 81}, "changes[1].text_en"),
        ({"text_zh": "改\n改"}, "changes[1].text_zh"),
        ({"text_en": ""}, "changes[1].text_en"),
        ({"effective_on": "soon"}, "changes[1].effective_on"),
        ({"text_fr": "x"}, "changes[1].text_fr"),
    ],
)
def test_what_does_not_fit_into_one_sms_or_is_no_day_is_refused(
    wrong: dict[str, Any], key: str
) -> None:
    assert [found for found, _ in faults({"changes": [ON_TIME | wrong]})] == [key]


def test_one_day_has_one_change_so_that_nobody_is_told_twice() -> None:
    ((key, message),) = faults({"changes": [ON_TIME, ON_TIME]})

    assert key == "changes"
    assert "2027-03-01 stands twice" in message


@pytest.mark.rule("B04")
@pytest.mark.parametrize(
    ("at", "is_told"),
    [
        ("2027-01-30 09:59:59", False),
        ("2027-01-30 10:00", True),
        ("2027-02-27 23:00", True),  # leaves on the 28th at ten
        ("2027-02-28 19:59:59", True),
        ("2027-02-28 20:00", False),  # the next hour to send is past the beginning
        ("2027-03-01 12:00", False),
    ],
)
def test_a_change_is_told_from_ten_of_its_day_until_nothing_can_leave_in_time(
    at: str, is_told: bool
) -> None:
    assert bool(told(at)) is is_told
    assert to_tell(COVER, china(at)) == ((CHANGE,) if is_told else ())


@pytest.mark.rule("B04")
def test_whose_service_is_over_by_then_or_elsewhere_is_not_concerned() -> None:
    at = "2027-02-01 12:00"
    yearly = replace(
        COVER,
        entitlement=Entitlement.REQUIRED,
        waiting_anchor=WaitingAnchor.EFFECT,
        service_years=1,
    )

    assert told(at) == ["change-2027-03-01"]
    assert told(at, replace(TERMS, ends_on=date(2027, 3, 1))) == ["change-2027-03-01"]
    assert told(at, replace(TERMS, ends_on=date(2027, 2, 28))) == []
    assert told(at, replace(TERMS, status=Status.SURRENDERED)) == []
    assert told(at, replace(TERMS, product="other")) == []
    assert told(at, sponsor="another") == []
    assert told(at, cover=yearly) == ["change-2027-03-01"]
    assert told(at, replace(TERMS, effective_on=date(2026, 2, 20)), yearly) == []


def test_somebody_looks_again_when_the_next_change_is_announced() -> None:
    later = replace(CHANGE, announced_on=date(2027, 1, 31), effective_on=date(2027, 4, 1))
    covers = [COVER, replace(COVER, changes=(later,))]

    assert next_announcement_at(covers, china("2027-01-29 12:00")) == china("2027-01-30 10:00")
    assert next_announcement_at(covers, china("2027-01-30 10:00")) == china("2027-01-31 10:00")
    assert next_announcement_at(covers, china("2027-01-31 10:00")) is None
