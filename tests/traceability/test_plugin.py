"""The plugin, on small test suites of its own."""

from pathlib import Path

import pytest

from tests.traceability.evidence import Outcome, read_claims, read_results

pytest_plugins = ["pytester"]
PLUGINS = ("-p", "tests.traceability.plugin", "-p", "no:asyncio")

SUITE = """
import pytest

@pytest.mark.rule("A22", "X02")
def test_passes(): pass

@pytest.mark.rule("A23")
def test_fails(): assert False

@pytest.mark.rule("A24")
def test_skips_itself(): pytest.skip("no server")

@pytest.mark.rule("A25")
@pytest.mark.xfail
def test_is_expected_to_fail(): assert False

@pytest.mark.rule("A26")
@pytest.mark.xfail
def test_passes_against_expectation(): pass

@pytest.mark.rule("A27")
@pytest.mark.skip
def test_is_skipped(): pass

@pytest.fixture
def broken_tear_down():
    yield
    raise RuntimeError

@pytest.mark.rule("A28")
def test_breaks_afterwards(broken_tear_down): pass

@pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.rule("A30"))])
@pytest.mark.rule("A29")
def test_with_parameters(n): pass

def test_claims_nothing(): pass
"""


@pytest.mark.parametrize("cores", [(), ("-n", "2")], ids=["one", "two"])
def test_outcomes_of_claiming_tests_are_kept(
    pytester: pytest.Pytester, cores: tuple[str, ...]
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    pytester.runpytest_inprocess(*PLUGINS, *cores)
    results = read_results(pytester.path)
    assert results is not None
    assert {test.partition("::")[2]: outcome for test, outcome in results.outcomes.items()} == {
        "test_passes": Outcome.PASSED,
        "test_fails": Outcome.FAILED,
        "test_skips_itself": Outcome.SKIPPED,
        "test_is_expected_to_fail": Outcome.XFAILED,
        "test_passes_against_expectation": Outcome.XFAILED,
        "test_is_skipped": Outcome.SKIPPED,
        "test_breaks_afterwards": Outcome.FAILED,
        "test_with_parameters[1]": Outcome.PASSED,
        "test_with_parameters[2]": Outcome.PASSED,
    }


def test_collecting_tells_the_claims_and_runs_nothing(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    claims = tmp_path / "claims.json"
    pytester.runpytest_inprocess(*PLUGINS, "--collect-only", f"--claims-to={claims}")
    assert {test.partition("::")[2]: ids for test, ids in read_claims(claims).items()} == {
        "test_passes": {"A22", "X02"},
        "test_fails": {"A23"},
        "test_skips_itself": {"A24"},
        "test_breaks_afterwards": {"A28"},
        "test_with_parameters[1]": {"A29"},
        "test_with_parameters[2]": {"A29", "A30"},
    }
    assert read_results(pytester.path) is None


def test_claims_do_not_depend_on_which_tests_were_chosen(
    pytester: pytest.Pytester, tmp_path: Path
) -> None:
    pytester.makepyfile(test_suite=SUITE)
    claims = tmp_path / "claims.json"
    pytester.runpytest_inprocess(
        *PLUGINS, "--collect-only", f"--claims-to={claims}", "-k", "parameters"
    )
    assert len(read_claims(claims)) == 6


@pytest.mark.parametrize(
    ("mark", "complaint"),
    [
        ('rule("A99")', "*test_claims: tests/rules.toml knows no rule or default 'A99'*"),
        ('rule("A07")', "*knows no rule or default 'A07'*"),
        ("rule(22)", "*knows no rule or default 22*"),
        ("rule()", '*write the ids, as in @pytest.mark.rule("A22")*'),
        ('rule(id="A22")', "*write the ids, as in*"),
    ],
)
def test_an_impossible_claim_stops_the_collection(
    pytester: pytest.Pytester, mark: str, complaint: str
) -> None:
    pytester.makepyfile(f"import pytest\n@pytest.mark.{mark}\ndef test_claims(): pass\n")
    result = pytester.runpytest_inprocess(*PLUGINS)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([complaint])
