"""One tenant never sees another's rows: every statement says whose rows it means.

Read off the text of each statement: it names at least as many tenants as it reads or changes
tables. Those that look at everybody on purpose are listed, each by the name of what holds it.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("dialer", "routing", "billing", "warmline")

ACROSS: Mapping[str, set[str]] = {
    "billing/store/books.py": {"tenants_of"},
    "billing/store/claims.py": {"lock_alarming_claim", "next_alarm_at"},
    "billing/store/lapsing.py": {
        "count_put_off",
        "forget_old_faults",
        "lock_due_order",
        "lock_due_voucher",
        "next_due_at",
    },
    "billing/store/policy_vouchers.py": {
        "lock_due_policies",
        "next_policy_due_at",
        "tenants_with_policies",
    },
    "billing/store/seals.py": {"unsealed_heads"},
    "dialer/store/calls.py": {"calls_of_legs", "live_calls"},
    "dialer/store/due.py": {
        "_LEASE_ORDERS",
        "about_to_go",
        "lease_timers",
        "next_order_at",
        "next_timer_at",
    },
    "dialer/store/news.py": {"TELLING", "_KEEP", "unfolded_news"},
    "dialer/store/phone_checks.py": {"lock_check"},
    "routing/store/callers.py": {"any_sealed_number"},
    "routing/store/devices.py": {"find_device_login"},
    "routing/store/queue.py": {"waiting_programs"},
    "routing/store/rates.py": {"forget_old_marks"},
    "warmline/bench/month.py": {"count_rows"},
    "warmline/bench/store.py": {"cap_dues", "due_by"},
    "warmline/carriers/store.py": {"give_turn_up"},
    "warmline/http/idempotency.py": {"_FORGET"},
    "warmline/live/store.py": {"entries_after", "newest_seq"},
    "warmline/notices/queue.py": {"count_job_faults"},
    "warmline/notices/store.py": {"due_notices", "next_due_at"},
    "warmline/people/store.py": {"_END_EXPIRED", "api_key_by_hash", "staff_by_token"},
    "warmline/tenants.py": {"known_tenants"},
}
"""Workers look for what is due, whoever it belongs to; a token tells whose it is; a leg is named
after its call, and a call's id is one of a kind."""

Statement = tuple[str, str]

_TABLES = frozenset(
    name
    for file in (ROOT / "warmline/migrations").glob("*.sql")
    for name in re.findall(r"CREATE (?:TABLE|VIEW) (\w+)", file.read_text())
)
_USED = re.compile(rf"\b(?:FROM|JOIN|USING|UPDATE)\s+(?:{'|'.join(sorted(_TABLES))})\b")
_SAID = re.compile(
    r"tenant\s*(?:=|IS\b|IN\b)|=\s*(?:\w+\.)?tenant\b|USING \(tenant\b|\(\w*\.?tenant,.*\) (?:=|IN)"
)
_LOCKING = re.compile(r"(?:DO|FOR(?: NO KEY)?) UPDATE")


def _text(node: ast.AST, constants: Mapping[str, str]) -> str | None:
    """The text of a literal; what it takes in of the module's own constants is read as well."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_part(part, constants) for part in node.values)
    return None


def _part(part: ast.expr, constants: Mapping[str, str]) -> str:
    if isinstance(part, ast.FormattedValue):
        return constants.get(ast.unparse(part.value), "{}")
    return str(getattr(part, "value", ""))


def _constants(module: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in module.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            text = _text(node.value, found)
            if text is not None:
                found[node.targets[0].id] = text
    return found


def _statements(node: ast.AST, constants: Mapping[str, str], name: str) -> Iterator[Statement]:
    """Each text below, and the name of the function or constant that it stands in."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        name = node.name
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and not name:
        name = node.targets[0].id
    text = _text(node, constants)
    if text is not None:
        yield name, text
        return
    for child in ast.iter_child_nodes(node):
        yield from _statements(child, constants, name)


def across(source: str) -> set[str]:
    """What holds a statement that reads or changes more tables than it names tenants."""
    module = ast.parse(source)
    constants = _constants(module)
    taken_in = {
        ast.unparse(part.value) for part in ast.walk(module) if isinstance(part, ast.FormattedValue)
    }
    return {
        name
        for name, text in _statements(module, constants, "")
        if name not in taken_in and _tables_without_tenant(text) > 0
    }


def _tables_without_tenant(statement: str) -> int:
    return len(_USED.findall(_LOCKING.sub("", statement))) - len(_SAID.findall(statement))


_FILES = sorted(
    file for room in ROOMS for file in (ROOT / room).rglob("*.py") if _USED.search(file.read_text())
)


@pytest.mark.parametrize("file", _FILES, ids=[str(file.relative_to(ROOT)) for file in _FILES])
def test_every_statement_says_whose_rows_it_means(file: Path) -> None:
    assert across(file.read_text()) - ACROSS.get(str(file.relative_to(ROOT)), set()) == set()


@pytest.mark.parametrize(
    ("statement", "is_across"),
    [
        ("SELECT * FROM orders WHERE id = $1", True),
        ("SELECT * FROM orders WHERE tenant = $1 AND id = $2", False),
        ("SELECT * FROM orders JOIN calls ON order_id = orders.id WHERE orders.tenant = $1", True),
        ("SELECT * FROM orders JOIN calls USING (tenant, id) WHERE orders.tenant = $1", False),
        ("UPDATE orders SET state = 'open' WHERE id = $1", True),
        ("DELETE FROM timers WHERE tenant = $1 AND call = $2", False),
        ("INSERT INTO news (tenant, id) VALUES ($1, $2) ON CONFLICT (tenant, id) DO UPDATE", False),
    ],
)
def test_a_statement_without_its_tenant_is_noticed(statement: str, is_across: bool) -> None:
    source = f"_WHERE = 'nothing'\nasync def load():\n    await fetch({statement!r})\n"

    assert across(source) == ({"load"} if is_across else set())


def test_what_a_statement_takes_in_is_read_with_it() -> None:
    source = """
_OF = "FROM orders"
async def bad(): await fetch(f"SELECT * {_OF} WHERE id = $1")
async def good(): await fetch(f"SELECT * {_OF} WHERE tenant = $1")
"""
    assert across(source) == {"bad"}


def test_whatever_is_listed_is_there() -> None:
    for file, names in ACROSS.items():
        source = (ROOT / file).read_text()
        assert {name for name in names if name not in source} == set(), file
