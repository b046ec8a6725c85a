"""What a verdict may look at, and what the timeline tells of it."""

from dialer.call import Call
from dialer.orders import Fact, FactKind, make_fact
from dialer.verdict import Evidence
from terms.values import maker
from terms.verdict import Verdict

_JUDGED = FactKind.JUDGED


def evidence(call: Call) -> Evidence:
    """What the verdict may look at."""
    return _make_evidence(
        legs=call.legs, counselor_mark=call.counselor_mark, called_back_at=call.called_back_at
    )


_make_evidence = maker(Evidence)


def judged(verdict: Verdict, final: bool) -> Fact:
    """The timeline's line about a verdict."""
    return make_fact(
        _JUDGED,
        detail={
            "kind": verdict.kind,
            "by": verdict.by,
            "confidence": verdict.confidence,
            "reasons": " ".join(verdict.reasons),
            "final": final,
        },
    )
