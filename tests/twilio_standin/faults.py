"""What can go wrong at Twilio, on the way to it and on the way back; and what nobody has observed.

`Knobs` are the readings of Twilio's documents that only a live account can settle: the product has
to be right under each of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from random import Random

from tests.twilio_standin.hooks import Post


class Failure(Enum):
    """How a request to the REST API fails."""

    TOO_MANY = auto()  # 429, code 20429, Retry-After: never processed
    SERVER_ERROR = auto()  # 500 with Twilio's JSON, not processed
    BAD_GATEWAY = auto()  # 502 with a page of HTML, not processed
    DISCONNECT_BEFORE = auto()  # the connection closes, nothing was done
    DISCONNECT_AFTER = auto()  # it was done, and the connection closes
    BAD_GATEWAY_AFTER = auto()  # it was done, and a 502 says nothing of it
    EMPTY = auto()  # it was done, and the answer is {}


@dataclass(slots=True, kw_only=True)
class Knobs:
    """How this Twilio behaves."""

    limit_counts_from_update: bool = False
    """Whether an updated TimeLimit counts from the update, not from the answer."""

    limit_leaves_as: str = "participant_hung_up"
    """ReasonParticipantLeft of who is cut off by TimeLimit."""

    ending_again_is_refused: bool = False
    """Whether ending a call that has ended is error 21220."""

    tells_before_answering: bool = False
    """Whether callbacks of a new call overtake the answer to its creation."""

    calls_per_second: float | None = None
    most_calls: int | None = None
    withheld_as: str = "anonymous"
    """`From` of a caller who withholds the number; its case was never promised."""

    prompt_seconds: float = 2.0
    sends_idempotency_token: bool = True
    """A real request was captured that had none."""

    extra_parameters: Mapping[str, str] = field(default_factory=dict)
    """Parameters may be added at any time, and are signed like the others."""


@dataclass(slots=True, kw_only=True)
class Misdelivery:
    """What happens to callbacks on their way. TwiML is fetched while somebody waits: never this."""

    duplicate: float = 0.0
    drop: float = 0.0
    reorder: float = 0.0
    """How often a callback waits until the next one of its stream has gone."""

    delay: float = 0.0
    delay_seconds: float = 5.0
    rng: Random = field(default_factory=lambda: Random(1))
    drop_if: Callable[[Post], bool] | None = None

    def drops(self, post: Post) -> bool:
        """Whether this one is never sent."""
        named = self.drop_if is not None and self.drop_if(post)
        return named or self.rng.random() < self.drop

    def delays(self) -> bool:
        """Whether the next one is held back for `delay_seconds`."""
        return self.rng.random() < self.delay

    def duplicates(self) -> bool:
        """Whether the next one is sent twice."""
        return self.rng.random() < self.duplicate

    def reorders(self) -> bool:
        """Whether the next one lets its successor pass."""
        return self.rng.random() < self.reorder


@dataclass(slots=True)
class Failures:
    """What the next requests of an operation come to."""

    _next: dict[str, list[Failure]] = field(default_factory=dict)

    def plan(self, operation: str, *failures: Failure) -> None:
        """Let the next requests of this operation (`CreateCall`) fail so, one each."""
        self._next.setdefault(operation, []).extend(failures)

    def next(self, operation: str) -> Failure | None:
        """What happens to the request that came now."""
        planned = self._next.get(operation)
        return planned.pop(0) if planned else None
