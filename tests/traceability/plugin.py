"""A pytest plugin: `@pytest.mark.rule("A22", "X02")` says which rules a test proves.

An id that `tests/rules.toml` does not know stops the collection. At the end of a session the
outcomes of the claiming tests are kept for `make rules`. A test that is skipped or expected to fail
proves nothing.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest

from tests.traceability.catalogue import load
from tests.traceability.evidence import (
    Outcome,
    Results,
    fingerprint,
    worst,
    write_claims,
    write_results,
)

MARK = "rule"
_CLAIMS = "claims rules"
_KNOWN = pytest.StashKey[frozenset[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option by which the report asks who claims what."""
    parser.addoption(
        "--claims-to",
        type=Path,
        default=None,
        help="write the rules that the collected tests claim to this JSON file",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known and start listening to outcomes."""
    config.addinivalue_line("markers", f"{MARK}(*ids): the rules or defaults this test proves")
    config.stash[_KNOWN] = load().ids
    runs_for_another = hasattr(config, "workerinput")
    if not config.option.collectonly and not runs_for_another:
        listener = OutcomeListener(config.rootpath)
        config.pluginmanager.register(listener, "rule-outcomes")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Check every claim; write the claims down if asked. Raises UsageError for an unknown id."""
    faults = [fault for item in items for fault in claim_faults(item, config.stash[_KNOWN])]
    if faults:
        raise pytest.UsageError("\n".join(sorted(set(faults))))
    if config.option.claims_to is not None:
        write_claims(config.option.claims_to, claims_of(items))


def claim_faults(item: pytest.Item, known: frozenset[str]) -> list[str]:
    """What is wrong with a test's claims, in words for its author."""
    faults = []
    for mark in item.iter_markers(MARK):
        if not mark.args or mark.kwargs:
            faults.append(f'{item.nodeid}: write the ids, as in @pytest.mark.rule("A22")')
        faults += [
            f"{item.nodeid}: tests/rules.toml knows no rule or default {claimed!r}"
            for claimed in mark.args
            if claimed not in known
        ]
    return faults


def claims_of(items: Iterable[pytest.Item]) -> dict[str, frozenset[str]]:
    """Which test claims which ids. A test marked skip or xfail claims nothing."""
    return {
        item.nodeid: claimed_ids(item)
        for item in items
        if claimed_ids(item)
        and item.get_closest_marker("skip") is None
        and item.get_closest_marker("xfail") is None
    }


def claimed_ids(item: pytest.Item) -> frozenset[str]:
    """The ids on a test, its class and its module."""
    return frozenset(claimed for mark in item.iter_markers(MARK) for claimed in mark.args)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Mark the reports of claiming tests: where tests run on several cores, the process that keeps
    the outcomes sees the reports alone.
    """
    report = yield
    if claimed_ids(item):
        report.user_properties = [*report.user_properties, (_CLAIMS, True)]
    return report


class OutcomeListener:
    """Notes how each claiming test comes out, and keeps it at the end of the session."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._fingerprint = fingerprint(root)
        self._parts: defaultdict[str, list[Outcome]] = defaultdict(list)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take down each part of a test (set-up, call, tear-down) that tells something."""
        outcome = outcome_of(report)
        if outcome is not None and (_CLAIMS, True) in map(tuple, report.user_properties):
            self._parts[report.nodeid].append(outcome)

    def pytest_sessionfinish(self) -> None:
        """Keep the outcomes, unless no claiming test ran."""
        if self._parts:
            outcomes = {test: worst(parts) for test, parts in self._parts.items()}
            write_results(self._root, Results(fingerprint=self._fingerprint, outcomes=outcomes))


def outcome_of(report: pytest.TestReport) -> Outcome | None:
    """What one part of a test says; a set-up or tear-down that went well says nothing."""
    if hasattr(report, "wasxfail"):
        return Outcome.XFAILED
    if report.failed:
        return Outcome.FAILED
    if report.skipped:
        return Outcome.SKIPPED
    return Outcome.PASSED if report.when == "call" else None
