"""The door: what leaves the house, and to whom."""

import pytest

from warmline.reports.exports import OPEN_TO, Audience, Export, Withheld, permit

ABOUT_ONE_PERSON = (Export.CALL_RECORD, Export.CLAIM, Export.APPEAL, Export.WORDS)


@pytest.mark.rule("B11")
@pytest.mark.parametrize("export", ABOUT_ONE_PERSON)
def test_nothing_about_one_call_ever_reaches_an_insurers_claims_department(export: Export) -> None:
    with pytest.raises(Withheld, match="B11"):
        permit(export, Audience.INSURER_CLAIMS)


@pytest.mark.rule("B11")
def test_an_insurer_gets_sums_and_what_it_has_to_decide_about_and_nothing_else() -> None:
    given = {export for export, to in OPEN_TO.items() if Audience.INSURER in to}
    assert given == {Export.SPONSOR_SUMS, Export.APPEAL}


@pytest.mark.rule("B11")
def test_what_people_said_is_exported_to_nobody() -> None:
    assert not OPEN_TO[Export.WORDS]


@pytest.mark.rule("B11")
def test_the_claims_department_gets_nothing_at_all() -> None:
    assert not [export for export, to in OPEN_TO.items() if Audience.INSURER_CLAIMS in to]


def test_somebody_decided_about_every_kind_of_export() -> None:
    assert set(OPEN_TO) == set(Export)


def test_support_may_take_out_a_claim() -> None:
    permit(Export.CLAIM, Audience.SUPPORT)
