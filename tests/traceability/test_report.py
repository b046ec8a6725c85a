"""The page and the counts."""

from pathlib import Path

from tests.traceability.catalogue import load
from tests.traceability.evidence import Outcome, Results, Standing, fingerprint, write_results
from tests.traceability.page import claimants, render
from tests.traceability.report import PAGE, ROOT, collect_claims, current_results, summary

CLAIMS = {
    "tests/test_b.py::test_second[2]": frozenset({"A22"}),
    "tests/test_b.py::test_second[1]": frozenset({"A22"}),
    "tests/test_a.py::test_first": frozenset({"A22", "X02"}),
}


def test_the_page_in_the_repository_is_the_one_that_the_marks_give() -> None:
    page = (ROOT / PAGE).read_text(encoding="utf-8")
    assert page == render(load(), collect_claims()), "docs/rules.md is old: run `make rules`"


def test_a_rule_names_its_tests_once_each_and_sorted() -> None:
    many = [f"tests/test_a.py::test_{letter}" for letter in "qwertyuiopasdfghjkl"]
    claims = {f"{test}[{n}]": frozenset({"A22"}) for test in many for n in (1, 2)}
    assert claimants(claims)["A22"] == tuple(sorted(many))


def test_the_page_does_not_depend_on_the_order_of_collection() -> None:
    backwards = dict(reversed(CLAIMS.items()))
    assert render(load(), CLAIMS) == render(load(), backwards)


def test_every_rule_and_default_has_a_line_and_an_unproved_one_says_so() -> None:
    catalogue = load()
    lines = render(catalogue, CLAIMS).splitlines()
    starts = [line.split(" | ")[0] for line in lines]
    for entry in catalogue.entries:
        assert starts.count(f"| {entry.id}") == 1
    assert sum(line.endswith("| not yet |") for line in lines) == 247 - 1 + 56 - 1


def test_the_counts_are_of_rules_proved_per_document() -> None:
    judged = Standing(
        proved=frozenset({"A22", "A23", "B01", "X02"}),
        broken=frozenset({"A24"}),
        not_run=frozenset({"tests/test_a.py::test_late"}),
    )
    printed = [" ".join(line.split()) for line in summary(load(), judged).splitlines()]
    assert printed == [
        "000 listening call 2/42",
        "001 critical-illness services 1/51",
        "002 family doctor and expert 0/51",
        "003 national hotline 0/40",
        "004 star tiers 0/63",
        "all 3/247",
        "X defaults 1/56",
        "a test fails: A24",
        "claiming tests that have not run over these files: 1",
    ]


def test_outcomes_count_only_while_no_file_has_changed(tmp_path: Path) -> None:
    source = tmp_path / "dialer" / "call.py"
    source.parent.mkdir()
    source.write_text("one")
    ran = Results(
        fingerprint=fingerprint(tmp_path), outcomes={"tests/test_a.py::test": Outcome.PASSED}
    )
    write_results(tmp_path, ran)
    assert current_results(tmp_path) == ran
    source.write_text("two")
    assert current_results(tmp_path) is None
