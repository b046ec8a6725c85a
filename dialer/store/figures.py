"""What the calls of a stretch of time came to, to be joined with what other rooms know of them.

What a figure of a call means stands here once, for every report that counts calls.
"""

from terms.verdict import VerdictKind

VERDICT_FIGURES = tuple(kind.value for kind in VerdictKind)
"""One per verdict. Calls that go on have no verdict yet."""

CALL_FIGURES = ("offered", "connected", "abandoned", "counted_attempts", *VERDICT_FIGURES)
"""What `counting` gives, each a whole number."""

IS_CONNECTED = "((record->>'connected_at') IS NOT NULL)"
"""Of a row of `calls`: the two heard each other."""

IS_ABANDONED = f"(NOT {IS_CONNECTED} AND record->>'end_reason' = 'withdrawn')"
"""Its caller gave up before."""

VERDICT = "record->'verdict'->>0"
COUNTED_ATTEMPTS = """(coalesce((record->>'counted')::integer, 0)
    - coalesce((record->>'counted_before')::integer, 0))"""
"""Those of this call alone: an order goes on counting over its calls."""


def counting_verdicts() -> str:
    """VERDICT_FIGURES of rows with a `verdict` that are grouped together."""
    return ", ".join(
        f"count(*) FILTER (WHERE verdict = '{kind}') AS {kind}" for kind in VERDICT_FIGURES
    )


def reading_calls(tenant: str, since: str, until: str) -> str:
    """The part of a WITH that reads the calls begun in that time, `told`, one row each.

    All three are named by SQL expressions.
    """
    return f"""
    told AS (
        SELECT order_id, started_at, {IS_CONNECTED} AS connected, {IS_ABANDONED} AS abandoned,
            {VERDICT} AS verdict, {COUNTED_ATTEMPTS} AS counted
        FROM calls
        WHERE tenant = {tenant} AND started_at >= {since} AND started_at < {until}
    )"""


def counting() -> str:
    """CALL_FIGURES of the rows of `told` that are grouped together."""
    return ", ".join(
        (
            "count(*) AS offered",
            "count(*) FILTER (WHERE connected) AS connected",
            "count(*) FILTER (WHERE abandoned) AS abandoned",
            "sum(counted) AS counted_attempts",
            counting_verdicts(),
        )
    )
