"""Who may see which line of an order's timeline."""

from collections.abc import Iterable

from dialer.call import Call
from dialer.orders import Effect, Fact, FactKind
from terms.ids import CallerId
from warmline.desk.slice import Notice, NoticeKind, Outcome
from warmline.desk.store import Line

STAFF = "staff"
APP = "app"
"""The app's back end sees what its callers see, and no evidence."""

_ONLY_STAFF = frozenset(
    {
        FactKind.JUDGED,
        FactKind.MEDIA_LOST,
        FactKind.MEDIA_HEARD,
        FactKind.MARKED_CUT_OFF,
        FactKind.CALLED_BACK,
    }
)
_NOT_CALLER = frozenset(
    {
        FactKind.CRISIS_RAISED,
        FactKind.COUNSELOR_MISSED,
        FactKind.TRANSFER_STARTED,
        FactKind.TRANSFER_MISSED,
        FactKind.TRANSFER_FAILED,
        FactKind.TRANSFER_CANCELLED,
    }
)


def caller_sees(caller: CallerId) -> str:
    """The mark on lines that this caller may see."""
    return f"caller:{caller}"


def counselor_sees(counselor: str) -> str:
    """The mark on lines that this counselor may see."""
    return f"counselor:{counselor}"


def lines_of(outcome: Outcome, before: Call | None) -> tuple[Line, ...]:
    """The timeline's new lines: what the call did, then what became of the order."""
    caller = outcome.slice.order.caller
    counselors = {
        call.counselor
        for call in (before, outcome.slice.call)
        if call is not None and call.counselor is not None
    }
    return (
        *_call_lines(outcome.effects, caller, sorted(counselors)),
        *_order_lines(outcome.notices, caller, sorted(counselors)),
    )


def _call_lines(
    effects: tuple[Effect, ...], caller: CallerId, counselors: list[str]
) -> Iterable[Line]:
    for effect in effects:
        if not isinstance(effect, Fact):
            continue
        visible = [STAFF]
        if effect.kind not in _ONLY_STAFF:
            visible += [counselor_sees(one) for one in counselors]
            if effect.kind not in _NOT_CALLER:
                visible += [caller_sees(caller), APP]
        yield Line(
            kind=effect.kind, role=effect.role, data=dict(effect.detail), visible=tuple(visible)
        )


def _order_lines(
    notices: tuple[Notice, ...], caller: CallerId, counselors: list[str]
) -> Iterable[Line]:
    for notice in notices:
        if notice.kind is NoticeKind.STATUS and notice.template.startswith("order."):
            shown = ("state", "remaining_seconds", "until", "reason")
            yield Line(
                kind=notice.template,
                role=None,
                data={name: notice.data.get(name) for name in shown},
                visible=(STAFF, caller_sees(caller), APP, *map(counselor_sees, counselors)),
            )
