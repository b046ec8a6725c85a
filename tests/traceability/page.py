"""`docs/rules.md`: a pure rendering of the catalogue and of who claims what."""

from collections import defaultdict
from collections.abc import Iterable

from tests.traceability.catalogue import Catalogue, Source
from tests.traceability.evidence import Claims

_HEAD = """\
# Rules, and the tests that prove them

Made by `make rules` from `tests/rules.toml` and the marks on the tests; not to be edited by hand.

Five source documents say what Warmline is asked for. Each thing they ask is a rule with a number,
written here in our own words. A test that would fail without the behaviour carries
`@pytest.mark.rule("A22")`, and the table names it. Where the sources are silent or disagree, a
default was chosen (X01 to X56); those stand at the end.

This page lists claims; whether the tests pass is what `make rules` prints.
"""
_NOT_YET = "not yet"


def render(catalogue: Catalogue, claims: Claims) -> str:
    """The whole page."""
    tests = claimants(claims)
    parts = [_HEAD, _overview(catalogue, tests)]
    parts += [_document(catalogue, source, tests) for source in catalogue.sources]
    parts.append(_defaults(catalogue, tests))
    return "\n".join(parts)


def claimants(claims: Claims) -> dict[str, tuple[str, ...]]:
    """Id -> the tests that claim it, sorted, parameters left out."""
    tests: defaultdict[str, set[str]] = defaultdict(set)
    for test, ids in claims.items():
        for claimed in ids:
            tests[claimed].add(test.partition("[")[0])
    return {claimed: tuple(sorted(names)) for claimed, names in tests.items()}


def _overview(catalogue: Catalogue, tests: dict[str, tuple[str, ...]]) -> str:
    rows = []
    for source in catalogue.sources:
        rules = catalogue.rules_of(source)
        claimed = sum(rule.id in tests for rule in rules)
        rows.append((source.id, source.what, f"{len(rules)}", f"{claimed}"))
    all_claimed = sum(rule.id in tests for rule in catalogue.rules)
    rows.append(("all", "", f"{len(catalogue.rules)}", f"{all_claimed}"))
    return _table(("source", "document", "rules", "with a test"), rows)


def _document(catalogue: Catalogue, source: Source, tests: dict[str, tuple[str, ...]]) -> str:
    rows = [(rule.id, rule.text, _proof(tests.get(rule.id))) for rule in catalogue.rules_of(source)]
    heading = f"## {source.id}: {source.name}\n\nThe {source.what}.\n\n"
    return heading + _table(("rule", "what is asked", "proved by"), rows)


def _defaults(catalogue: Catalogue, tests: dict[str, tuple[str, ...]]) -> str:
    rows = [
        (default.id, default.question, default.text, _proof(tests.get(default.id)))
        for default in catalogue.defaults
    ]
    heading = (
        "## Defaults\n\nWhere the sources are silent, unclear or against each other, this is what"
        " Warmline does or will do.\n\n"
    )
    return heading + _table(("default", "open in the sources", "chosen", "proved by"), rows)


def _proof(tests: tuple[str, ...] | None) -> str:
    return "<br>".join(f"`{test}`" for test in tests) if tests else _NOT_YET


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
