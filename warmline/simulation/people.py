"""Who lives in the simulated town, and what their habits are. One seed draws every choice."""

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar

from dialer.carriers.simulated.script import Answers, EndsBy, Script
from routing.counselor import Counselor, Grade, Hospital, StaffType
from routing.policy import Matching
from terms.ids import CallerId, CounselorId, TargetId
from terms.phone import PhoneNumber
from terms.values import maker
from terms.verdict import Role
from warmline.programs import Program

T = TypeVar("T")

_make_script = maker(Script)
_YES = Answers.YES

AGENCIES = {
    TargetId("police"): PhoneNumber("110"),
    TargetId("ambulance"): PhoneNumber("120"),
    TargetId("hotline"): PhoneNumber("12356"),
}
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_FAR_AHEAD = datetime(2100, 1, 1, tzinfo=UTC)
_CALLERS_PER_DAILY_CALL = 3


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who calls."""

    id: CallerId
    number: PhoneNumber


class Table(Generic[T]):
    """What people do, with how many in a hundred do it."""

    __slots__ = ("choices", "cumulated")

    def __init__(self, *shares: tuple[T, float]) -> None:
        self.choices = [choice for choice, _ in shares]
        self.cumulated = list(accumulate(share for _, share in shares))

    def at(self, share: float) -> T:
        """What is done at that share, from 0 up to 1, of all."""
        return self.choices[bisect(self.cumulated, share * self.cumulated[-1])]


_CALLER_WHO_PRESSED = Table(
    (Answers.YES, 86),
    (Answers.NO_ANSWER, 5),
    (Answers.BUSY, 2),
    (Answers.REJECTS, 2),
    (Answers.OFF, 2),
    (Answers.FAULT, 2),
    (Answers.UNKNOWN, 1),
)
_CALLER_RUNG_BACK = Table(
    (Answers.YES, 60),
    (Answers.NO_ANSWER, 18),
    (Answers.BUSY, 6),
    (Answers.REJECTS, 6),
    (Answers.OFF, 6),
    (Answers.FAULT, 3),
    (Answers.UNKNOWN, 1),
)
_CALLER_ENDS_BY = Table(
    (EndsBy.HANGUP, 78), (EndsBy.DROP, 10), (EndsBy.SILENCE, 5), (EndsBy.STAYS, 7)
)
_COUNSELOR_ANSWERS = Table(
    (Answers.YES, 88),
    (Answers.NO_ANSWER, 5),
    (Answers.BUSY, 1),
    (Answers.REJECTS, 3),
    (Answers.OFF, 1),
    (Answers.FAULT, 2),
)
_COUNSELOR_PRESSES = Table(("1", 80), ("21", 2), ("", 18))
"""Who presses nothing accepts in the console, or is a voicemail box."""

_IN_A_TUNNEL = 0.06
"""The share of callers whose line carries no audio for a while, and then does again."""

_COUNSELOR_ENDS_BY = Table((EndsBy.HANGUP, 60), (EndsBy.DROP, 25), (EndsBy.SILENCE, 15))


class Town:
    """Callers, counselors and their phones' habits."""

    def __init__(self, rng: Random, programs: Sequence[Program], calls_per_day: int) -> None:
        self._roll = rng.random
        self._rng = rng
        self.callers = [
            Caller(CallerId(f"caller-{number}"), PhoneNumber(f"+86138{number:08}"))
            for number in range(max(20, calls_per_day * _CALLERS_PER_DAILY_CALL))
        ]
        self.by_number = {caller.number: caller for caller in self.callers}
        self.numbers: dict[str, PhoneNumber] = {one.id: one.number for one in self.callers}
        self.numbers.update((target, number) for target, number in AGENCIES.items())
        self.staff = {
            program.id: [
                self._hired(program, number)
                for number in range(_staff_size(program, calls_per_day))
            ]
            for program in programs
        }

    def _hired(self, program: Program, number: int) -> Counselor:
        id_ = CounselorId(f"{program.routing.role}-{number}")
        prefix = "+86139" if program.routing.matching is Matching.NAMED else "+86137"
        self.numbers[id_] = PhoneNumber(f"{prefix}{number:08}")
        return Counselor(
            id=id_,
            name=id_,
            programs=frozenset({program.id}),
            roles=frozenset({program.routing.role}),
            idle_since=_LONG_AGO,
            staff_type=StaffType.FULL_TIME,
            grade=Grade.CHIEF,
            hospital=Hospital.TOP100,
            credential="licence",
            credential_verified_at=_LONG_AGO,
            credential_valid_until=_FAR_AHEAD,
        )

    # --- what a phone does when it is rung ----------------------------------------------------

    def habit(self, role: Role, *, asked_for_it: bool) -> Script:
        """How the person behind a ringing phone behaves this time."""
        match role:
            case Role.CALLER:
                return self._callers_habit(asked_for_it)
            case Role.COUNSELOR:
                return self._counselors_habit()
            case Role.AGENCY | Role.SUPERVISOR:
                return self._agencys_habit()

    def _callers_habit(self, asked_for_it: bool) -> Script:
        roll = self._roll
        answers = self._drawn(_CALLER_WHO_PRESSED if asked_for_it else _CALLER_RUNG_BACK)
        if answers is not _YES:
            return Script(answers=answers, after_seconds=1 + 8 * roll())
        in_a_tunnel = roll() < _IN_A_TUNNEL
        return _make_script(
            answers=answers,
            after_seconds=1 + 12 * roll(),
            talks_for_seconds=self._talk_seconds(),
            ends_by=self._drawn(_CALLER_ENDS_BY),
            waits_for_seconds=10 + 60 * roll() if roll() < 0.4 else None,
            silent_after_seconds=180 * roll() if in_a_tunnel else None,
            silent_for_seconds=40 * roll() if in_a_tunnel else 0.0,
        )

    def _counselors_habit(self) -> Script:
        roll = self._roll
        answers = self._drawn(_COUNSELOR_ANSWERS)
        if answers is not _YES:
            return Script(answers=answers, after_seconds=1 + 8 * roll())
        early = roll() < 0.25
        return _make_script(
            answers=answers,
            after_seconds=1 + 10 * roll(),
            presses=self._drawn(_COUNSELOR_PRESSES),
            talks_for_seconds=self._talk_seconds() if early else None,
            ends_by=self._drawn(_COUNSELOR_ENDS_BY) if early else EndsBy.STAYS,
        )

    def _agencys_habit(self) -> Script:
        roll = self._roll
        if roll() < 0.4:
            return Script(answers=Answers.NO_ANSWER)
        return Script(
            answers=Answers.YES,
            after_seconds=2 + 20 * roll(),
            talks_for_seconds=60 + 600 * roll(),
            ends_by=EndsBy.HANGUP,
        )

    def _talk_seconds(self) -> float:
        """Mostly some minutes; one in eight means to talk for longer than any cap."""
        if self._roll() < 0.12:
            return 3000.0
        return min(5 + self._rng.expovariate(1 / 420), 2400.0)

    def _drawn(self, table: "Table[T]") -> T:
        return table.at(self._roll())

    def waits(self, least: float, most: float) -> timedelta:
        """How long somebody takes to do something, in seconds."""
        return timedelta(seconds=least + (most - least) * self._roll())

    def does(self, share: float) -> bool:
        """Whether somebody does what `share` of all people do."""
        return self._roll() < share


def _staff_size(program: Program, calls_per_day: int) -> int:
    """Enough that a call mostly finds somebody, few enough that it does not always."""
    if program.routing.matching is Matching.NAMED:
        return max(6, calls_per_day // 12)
    return max(6, calls_per_day // 40)
