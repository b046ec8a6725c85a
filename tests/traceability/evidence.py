"""What a test run told about the rules: who claims what, and how each claim came out.

Outcomes are valid for exactly the files they were made from: they carry a fingerprint of them, and
outcomes of other files are never counted.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

FINGERPRINTED = ("terms", "dialer", "routing", "billing", "warmline", "tests", "web/src")
RESULTS = Path("build/rules-results.json")

Claims = Mapping[str, frozenset[str]]
"""Test (`tests/dialer/test_call.py::test_name[parameters]`) -> the ids it claims."""


class Outcome(StrEnum):
    """How a test came out. Only PASSED proves anything; an expected failure proves nothing."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    XFAILED = "xfailed"


_WORST_FIRST = (Outcome.FAILED, Outcome.XFAILED, Outcome.PASSED, Outcome.SKIPPED)


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """One outcome for the parts (set-up, call, tear-down) of a test: any failure fails it."""
    return min(outcomes, key=_WORST_FIRST.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The outcomes of the tests that ran over the files of `fingerprint`."""

    fingerprint: str
    outcomes: Mapping[str, Outcome]

    def joined_with(self, later: "Results") -> "Results":
        """`later`, and what else is known about the very same files."""
        if later.fingerprint != self.fingerprint:
            return later
        return Results(fingerprint=later.fingerprint, outcomes={**self.outcomes, **later.outcomes})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where the ids stand: `proved` by a test that passed, or `broken` by one that failed."""

    proved: frozenset[str]
    broken: frozenset[str]
    not_run: frozenset[str]


def standing(claims: Claims, results: Results | None) -> Standing:
    """Judge every claimed id. One failing test breaks a rule, however many others pass.

    `not_run` holds the claiming tests of which `results` knows nothing.
    """
    outcomes = results.outcomes if results else {}
    passed: set[str] = set()
    broken: set[str] = set()
    for test, ids in claims.items():
        match outcomes.get(test):
            case Outcome.PASSED:
                passed |= ids
            case Outcome.FAILED:
                broken |= ids
            case Outcome.SKIPPED | Outcome.XFAILED | None:
                pass
    return Standing(
        proved=frozenset(passed - broken),
        broken=frozenset(broken),
        not_run=frozenset(test for test in claims if test not in outcomes),
    )


def fingerprint(root: Path) -> str:
    """A hash of every file that a test's outcome may depend on."""
    digest = hashlib.sha256()
    for folder in FINGERPRINTED:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(root)).encode() + b"\0")
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def read_results(root: Path) -> Results | None:
    """The results on file, whatever files they were made from; None when there are none."""
    path = root / RESULTS
    if not path.exists():
        return None
    stored = json.loads(path.read_text(encoding="utf-8"))
    return Results(
        fingerprint=stored["fingerprint"],
        outcomes={test: Outcome(word) for test, word in stored["outcomes"].items()},
    )


def write_results(root: Path, results: Results) -> None:
    """Keep the results, beside older ones of the very same files."""
    path = root / RESULTS
    path.parent.mkdir(parents=True, exist_ok=True)
    before = read_results(root)
    kept = before.joined_with(results) if before else results
    stored = {"fingerprint": kept.fingerprint, "outcomes": dict(sorted(kept.outcomes.items()))}
    written = path.with_suffix(f".{os.getpid()}")
    written.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    written.replace(path)


def write_claims(path: Path, claims: Claims) -> None:
    """Write claims down for another process to read."""
    path.write_text(json.dumps({test: sorted(ids) for test, ids in claims.items()}), "utf-8")


def read_claims(path: Path) -> dict[str, frozenset[str]]:
    """What `write_claims` wrote."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {test: frozenset(ids) for test, ids in stored.items()}
