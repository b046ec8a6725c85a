"""`make rules`: say per source document how many rules are proved, and write `docs/rules.md`.

Outcomes of an earlier test run count as long as no file has changed since; the claiming tests that
did not run yet are run now.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.traceability.catalogue import Catalogue, load
from tests.traceability.evidence import (
    Results,
    Standing,
    fingerprint,
    read_claims,
    read_results,
    standing,
)
from tests.traceability.page import render

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path("docs/rules.md")
_PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "tests.traceability.plugin")


class CollectionFailed(Exception):
    """The tests cannot be collected, so nobody knows what they claim; the text is pytest's own."""


def collect_claims(root: Path = ROOT) -> dict[str, frozenset[str]]:
    """Ask a pytest of its own what every test claims; no test runs.

    Raises CollectionFailed.
    """
    with tempfile.TemporaryDirectory() as folder:
        claims = Path(folder) / "claims.json"
        asked = subprocess.run(
            [*_PYTEST, "--collect-only", f"--claims-to={claims}", "tests"],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode != 0:
            raise CollectionFailed("\n".join((asked.stdout + asked.stderr).splitlines()[-30:]))
        return read_claims(claims)


def current_results(root: Path) -> Results | None:
    """The results on file, if they were made from the files as they are now."""
    results = read_results(root)
    return results if results and results.fingerprint == fingerprint(root) else None


def summary(catalogue: Catalogue, judged: Standing) -> str:
    """Per source document: rules proved out of rules asked; then what is broken or was not run."""
    width = max(len(source.name) for source in catalogue.sources)
    lines = []
    for source in catalogue.sources:
        ids = {rule.id for rule in catalogue.rules_of(source)}
        lines.append(f"{source.id} {source.name:<{width}}  {len(ids & judged.proved)}/{len(ids)}")
    ids = {rule.id for rule in catalogue.rules}
    lines.append(f"all {'':<{width}}  {len(ids & judged.proved)}/{len(ids)}")
    chosen = {default.id for default in catalogue.defaults}
    lines.append(f"X   {'defaults':<{width}}  {len(chosen & judged.proved)}/{len(chosen)}")
    if judged.broken:
        lines.append(f"a test fails: {', '.join(sorted(judged.broken))}")
    if judged.not_run:
        lines.append(f"claiming tests that have not run over these files: {len(judged.not_run)}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Write the page and print the counts. Exits 1 when a claiming test fails."""
    parser = argparse.ArgumentParser(prog="make rules", description=__doc__)
    parser.add_argument(
        "--no-run", action="store_true", help="count only what has run already; run no test"
    )
    options = parser.parse_args(arguments)
    catalogue = load()
    try:
        claims = collect_claims(root)
    except CollectionFailed as failed:
        print(f"The tests cannot be collected:\n{failed}", file=sys.stderr)
        return 2
    (root / PAGE).write_text(render(catalogue, claims), encoding="utf-8")
    judged = standing(claims, current_results(root))
    if judged.not_run and not options.no_run:
        subprocess.run([*_PYTEST, "-m", "rule", "tests"], cwd=root, check=False)
        judged = standing(claims, current_results(root))
    print(summary(catalogue, judged))
    return 1 if judged.broken else 0


if __name__ == "__main__":
    sys.exit(main())
