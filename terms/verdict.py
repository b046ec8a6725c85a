"""How a call ended, in the words that dialer, billing, support and reports share."""

from dataclasses import dataclass
from enum import StrEnum

from terms.values import quickly_made


class Role(StrEnum):
    """Whose phone a leg reaches. Three-way is a set of legs, not another kind of call."""

    CALLER = "caller"
    COUNSELOR = "counselor"
    AGENCY = "agency"
    SUPERVISOR = "supervisor"


class VerdictKind(StrEnum):
    """What support, billing and statistics act on (4.6 of the domain facts)."""

    PARTY_ENDED = "party_ended"  # one of the two hung up on purpose
    CAP_REACHED = "cap_reached"  # the talk used up its time
    SYSTEM_DROP = "system_drop"  # the line, the carrier or we lost it
    SUSPECTED_DROP = "suspected_drop"  # signs of a lost line, no proof
    NOT_CONNECTED = "not_connected"  # the two never talked
    OPERATOR_ENDED = "operator_ended"  # a member of staff ended it
    INDETERMINATE = "indeterminate"  # the evidence does not tell; somebody must look


class EndedBy(StrEnum):
    """Who let the call go, as far as evidence tells."""

    CALLER = "caller"
    COUNSELOR = "counselor"
    AGENCY = "agency"
    PLATFORM = "platform"  # our own process, by a timer or a command
    CARRIER = "carrier"
    STAFF = "staff"
    UNKNOWN = "unknown"


class Confidence(StrEnum):
    """How sure a verdict is; `low` never decides money by itself."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A judgement over one call. `reasons` are stable words, in the order they weighed."""

    kind: VerdictKind
    by: EndedBy
    confidence: Confidence
    reasons: tuple[str, ...]
