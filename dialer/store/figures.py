"""What the calls of a stretch of time came to, to be joined with what other rooms know of them."""

CALL_FIGURES = (
    "offered",
    "connected",
    "abandoned",
    "counted_attempts",
    "party_ended",
    "cap_reached",
    "system_drop",
    "suspected_drop",
    "not_connected",
    "operator_ended",
    "indeterminate",
)
"""What `counting` gives, each a whole number. Calls that go on have no verdict yet."""


def reading_calls(tenant: str, since: str, until: str) -> str:
    """The part of a WITH that reads the calls begun in that time, `told`, one row each.

    All three are named by SQL expressions.
    """
    return f"""
    told AS (
        SELECT order_id, started_at, record->>'connected_at' AS connected_at,
            record->>'end_reason' AS end_reason, record->'verdict'->>0 AS verdict,
            coalesce((record->>'counted')::integer, 0)
                - coalesce((record->>'counted_before')::integer, 0) AS counted
        FROM calls
        WHERE tenant = {tenant} AND started_at >= {since} AND started_at < {until}
    )"""


def counting() -> str:
    """CALL_FIGURES of the rows of `told` that are grouped together."""
    verdicts = CALL_FIGURES[CALL_FIGURES.index("party_ended") :]
    return ", ".join(
        (
            "count(*) AS offered",
            "count(connected_at) AS connected",
            """count(*) FILTER (WHERE connected_at IS NULL AND end_reason = 'withdrawn')
                AS abandoned""",
            "sum(counted) AS counted_attempts",
            *(f"count(*) FILTER (WHERE verdict = '{kind}') AS {kind}" for kind in verdicts),
        )
    )
