"""Only a test that passed, over the files as they are, proves a rule."""

from pathlib import Path

from tests.traceability.evidence import (
    Outcome,
    Results,
    fingerprint,
    read_results,
    standing,
    worst,
    write_results,
)

FIRST = "tests/test_call.py::test_first"
SECOND = "tests/test_call.py::test_second"
CLAIMS = {FIRST: frozenset({"A22", "X02"}), SECOND: frozenset({"A22"})}


def results(fingerprint: str = "same", **outcomes: Outcome) -> Results:
    names = {"first": FIRST, "second": SECOND}
    return Results(
        fingerprint=fingerprint,
        outcomes={names[word]: outcome for word, outcome in outcomes.items()},
    )


def test_a_passing_test_proves_what_it_claims() -> None:
    judged = standing(CLAIMS, results(first=Outcome.PASSED, second=Outcome.PASSED))
    assert judged.proved == {"A22", "X02"}
    assert not judged.broken
    assert not judged.not_run


def test_one_failing_test_breaks_a_rule_that_another_proves() -> None:
    judged = standing(CLAIMS, results(first=Outcome.PASSED, second=Outcome.FAILED))
    assert judged.proved == {"X02"}
    assert judged.broken == {"A22"}


def test_a_skipped_or_expectedly_failing_test_proves_nothing() -> None:
    judged = standing(CLAIMS, results(first=Outcome.SKIPPED, second=Outcome.XFAILED))
    assert not judged.proved
    assert not judged.broken
    assert not judged.not_run


def test_a_test_without_an_outcome_has_not_run() -> None:
    assert standing(CLAIMS, None).not_run == {FIRST, SECOND}
    assert standing(CLAIMS, results(first=Outcome.PASSED)).not_run == {SECOND}


def test_a_failing_tear_down_fails_the_test() -> None:
    assert worst([Outcome.PASSED, Outcome.FAILED]) is Outcome.FAILED
    assert worst([Outcome.PASSED, Outcome.SKIPPED]) is Outcome.PASSED


def test_outcomes_of_the_same_files_are_kept_together(tmp_path: Path) -> None:
    write_results(tmp_path, results(first=Outcome.PASSED))
    write_results(tmp_path, results(second=Outcome.FAILED))
    assert read_results(tmp_path) == results(first=Outcome.PASSED, second=Outcome.FAILED)


def test_outcomes_of_other_files_are_forgotten(tmp_path: Path) -> None:
    write_results(tmp_path, results(first=Outcome.PASSED))
    write_results(tmp_path, results("other", second=Outcome.PASSED))
    assert read_results(tmp_path) == results("other", second=Outcome.PASSED)


def test_the_fingerprint_follows_the_content_and_the_name_of_every_file(tmp_path: Path) -> None:
    (tmp_path / "dialer").mkdir()
    source = tmp_path / "dialer" / "call.py"
    source.write_text("one")
    first = fingerprint(tmp_path)
    source.write_text("two")
    second = fingerprint(tmp_path)
    source.rename(tmp_path / "dialer" / "leg.py")
    third = fingerprint(tmp_path)
    assert len({first, second, third}) == 3
    (tmp_path / "dialer" / "__pycache__").mkdir()
    (tmp_path / "dialer" / "__pycache__" / "leg.pyc").write_bytes(b"noise")
    assert fingerprint(tmp_path) == third
