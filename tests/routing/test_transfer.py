"""Whom to hand a person in danger to."""

import pytest

from routing.transfer import (
    AgencyKind,
    Basis,
    Choice,
    Region,
    TransferTarget,
    covers,
    targets_for,
)
from terms.ids import TargetId

SHANGHAI, PUDONG, BEIJING = Region("310000"), Region("310115"), Region("110000")


def target(
    name: str, kind: AgencyKind, region: Region | None = None, preference: int = 0
) -> TransferTarget:
    return TransferTarget(
        id=TargetId(name), name=name, kind=kind, region=region, preference=preference
    )


POLICE_SHANGHAI = target("police-shanghai", AgencyKind.POLICE, SHANGHAI)
POLICE_PUDONG = target("zhangjiang-police", AgencyKind.POLICE, PUDONG)
POLICE_BEIJING = target("police-beijing", AgencyKind.POLICE, BEIJING)
POLICE_NATIONAL = target("police-national", AgencyKind.POLICE)
HOTLINE_BEIJING = target("hotline-beijing", AgencyKind.HOTLINE, BEIJING)
HOTLINE_NATIONAL = target("hotline-12356", AgencyKind.HOTLINE)
ALL = [
    HOTLINE_NATIONAL,
    HOTLINE_BEIJING,
    POLICE_NATIONAL,
    POLICE_BEIJING,
    POLICE_SHANGHAI,
    POLICE_PUDONG,
]


@pytest.mark.rule("X41", "D36")
def test_police_is_chosen_by_where_the_caller_says_to_be_nearest_first() -> None:
    choices = targets_for(ALL, stated=PUDONG, home=BEIJING, kinds=[AgencyKind.POLICE])

    assert choices == (
        Choice(POLICE_PUDONG, Basis.STATED_LOCATION),
        Choice(POLICE_SHANGHAI, Basis.STATED_LOCATION),
        Choice(POLICE_NATIONAL, Basis.NATIONAL),
        Choice(POLICE_BEIJING, Basis.HOME_REGION),
    )


@pytest.mark.rule("X41", "D36")
def test_the_home_of_a_number_never_puts_its_police_first() -> None:
    choices = targets_for(ALL, stated=None, home=BEIJING, kinds=[AgencyKind.POLICE])

    assert [choice.target for choice in choices] == [POLICE_NATIONAL, POLICE_BEIJING]


@pytest.mark.rule("D35", "X41")
def test_a_hotline_is_chosen_by_the_home_of_the_number_when_nothing_else_is_known() -> None:
    choices = targets_for(ALL, stated=None, home=BEIJING, kinds=[AgencyKind.HOTLINE])

    assert [choice.target for choice in choices] == [HOTLINE_BEIJING, HOTLINE_NATIONAL]


@pytest.mark.rule("X41")
def test_with_no_place_known_only_national_agencies_are_left() -> None:
    choices = targets_for(ALL, stated=None, home=None)

    assert {choice.target for choice in choices} == {POLICE_NATIONAL, HOTLINE_NATIONAL}


def test_equals_are_tried_by_preference() -> None:
    second = target("a", AgencyKind.CLINIC, SHANGHAI, preference=2)
    first = target("b", AgencyKind.CLINIC, SHANGHAI, preference=1)

    choices = targets_for([second, first], stated=SHANGHAI, home=None)
    assert [choice.target for choice in choices] == [first, second]


@pytest.mark.parametrize(
    ("area", "region", "covered"),
    [
        (SHANGHAI, PUDONG, True),
        (PUDONG, PUDONG, True),
        (PUDONG, SHANGHAI, False),
        (SHANGHAI, BEIJING, False),
        (Region("310100"), PUDONG, True),
    ],
)
def test_a_province_covers_its_districts(area: Region, region: Region, covered: bool) -> None:
    assert covers(area, region) is covered
