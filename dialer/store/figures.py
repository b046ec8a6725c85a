"""What the calls of a stretch of time came to, to be joined with what other rooms know of them.

What a figure of a call means stands here once, for every report that counts calls.
"""

from terms.verdict import VerdictKind

VERDICT_FIGURES = tuple(kind.value for kind in VerdictKind)
"""One per verdict. Calls that go on have no verdict yet."""

CALL_FIGURES = (
    "offered",
    "connected",
    "answered_in_time",
    "abandoned",
    "abandoned_short",
    "blocked",
    "under_way",
    "service_level_counted",
    "counted_attempts",
    *VERDICT_FIGURES,
)
"""What `counting` gives, each a whole number.

Every call is either blocked or offered. Of those offered, each is connected, abandoned, still under
way, or came to nothing without the caller's giving up.
"""

_IS_CONNECTED = "((record->>'connected_at') IS NOT NULL)"
_IS_ABANDONED = f"(NOT {_IS_CONNECTED} AND record->>'end_reason' = 'withdrawn')"
_IS_BLOCKED = f"(NOT {_IS_CONNECTED} AND coalesce(record->>'end_reason' = 'fault', false))"
_IS_UNDER_WAY = f"(NOT {_IS_CONNECTED} AND ended_at IS NULL)"
_VERDICT = "record->'verdict'->>0"
_COUNTED_ATTEMPTS = """(coalesce((record->>'counted')::integer, 0)
    - coalesce((record->>'counted_before')::integer, 0))"""
"""Those of this call alone: an order goes on counting over its calls."""


def reading_calls(tenant: str, since: str, until: str) -> str:
    """The part of a WITH that reads the consultations begun in that time, `told`, a row each.

    All three are named by SQL expressions. Abandoned: its caller gave up before. Blocked: never
    connected, because no line was to be had or we failed; nobody's patience is in that.
    """
    return f"""
    told AS (
        SELECT order_id, started_at, {_VERDICT} AS verdict, {_COUNTED_ATTEMPTS} AS counted,
            {_IS_CONNECTED} AS connected, {_IS_ABANDONED} AS abandoned,
            {_IS_BLOCKED} AS blocked, {_IS_UNDER_WAY} AS under_way,
            extract(epoch FROM (record->>'connected_at')::timestamptz - started_at) AS seconds,
            extract(epoch FROM ended_at - started_at) AS lasted_seconds
        FROM calls
        WHERE tenant = {tenant} AND started_at >= {since} AND started_at < {until}
          AND purpose = 'consult'
    )"""


def counting(within_seconds: str, short_abandon_seconds: str) -> str:
    """CALL_FIGURES of the rows of `told` that are grouped together.

    The two numbers of the service level are named by SQL expressions.
    """
    short = f"abandoned AND lasted_seconds < {short_abandon_seconds}"
    counted = {
        "offered": "NOT blocked",
        "connected": "connected",
        "answered_in_time": f"seconds <= {within_seconds}",
        "abandoned": "abandoned",
        "abandoned_short": short,
        "blocked": "blocked",
        "under_way": "under_way",
        "service_level_counted": f"NOT (blocked OR under_way OR ({short}))",
        **{kind: f"verdict = '{kind}'" for kind in VERDICT_FIGURES},
    }
    return ", ".join(
        (
            *(f"count(*) FILTER (WHERE {which}) AS {name}" for name, which in counted.items()),
            "coalesce(sum(counted), 0) AS counted_attempts",
        )
    )
