"""The `[dialer]` section of a program: how calls ring, how long they last, when they give up."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from terms.section import Section
from terms.verdict import Role

LONGEST_CALL_SECONDS = 7200
"""The carrier's limit on a call without a hard cap: only a guard against a runaway line."""

LIMIT_MARGIN_SECONDS = 2
"""How much later than ours the carrier's own limit falls, so that ours speaks first (design 4)."""


GREETING = "greeting"
"""The prompt that greets callers, unless a program has words of its own."""

Texts = tuple[tuple[str, str], ...]
"""The words of a prompt by language."""


class CapKind(StrEnum):
    """What happens when the talk has used its time (X06)."""

    HARD = "hard"  # the call ends
    SOFT = "soft"  # both are told; the counselor decides (X33)
    NONE = "none"  # nobody counts (D24)


class CallerAccepts(StrEnum):
    """When a caller whom we ring presses 1 too, so that their voicemail uses nothing up (X01).

    A caller who dialled in, or may be in danger, is never asked.
    """

    NEVER = "never"
    SECOND = "second"  # rung second, the counselor being there already: they wait for no call
    UNASKED = "unasked"  # also when a call rings them anew, for a further attempt or after a drop
    ALWAYS = "always"


class OnExhausted(StrEnum):
    """What becomes of the order after the last counted attempt."""

    CANCEL = "cancel"  # C25, C27
    KEEP = "keep"  # open until its 24 hours are over (X03)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All durations in seconds. `greeting` is a prompt's key; empty: nobody is greeted.

    `greeting_texts`: what it says where that is the program's own, as a hotline's name (D42).
    """

    ring_first: Role = Role.CALLER
    ring_seconds: int = 30
    press_to_accept: bool = True
    caller_accepts: CallerAccepts = CallerAccepts.SECOND
    accept_seconds: int = 20
    cap_kind: CapKind = CapKind.HARD
    cap_seconds: int = 1500
    cap_grace_seconds: int = 0
    warn_seconds: tuple[int, ...] = (120, 30)
    attempts: int = 3
    attempt_spacing_seconds: tuple[int, ...] = (180, 300)
    on_exhausted: OnExhausted = OnExhausted.KEEP
    fault_tries: int = 3
    fault_spacing_seconds: int = 20
    counselor_tries: int = 2
    queue_seconds: int = 3600
    parted_grace_seconds: int = 90
    rering_seconds: int = 5
    media_lost_seconds: int = 20
    bridge_seconds: int = 15
    transfer_ring_seconds: int = 30
    verdict_final_minutes: int = 30
    shows: str = "warmline"
    greeting: str = GREETING
    greeting_texts: Texts = ()

    def spacing_after(self, counted: int) -> int:
        """How long to wait after the `counted`-th counted attempt (X27)."""
        if not self.attempt_spacing_seconds:
            return 0
        return self.attempt_spacing_seconds[min(counted, len(self.attempt_spacing_seconds)) - 1]


def parse(table: Mapping[str, object]) -> Policy:
    """Read a `[dialer]` section. Raises ProgramInvalid with every fault in it."""
    section = Section("dialer", table)
    day = 86400
    is_greeted = section.flag("greeting", default=True)
    policy = Policy(
        ring_first=Role(
            section.word("ring_first", among=("caller", "counselor")) or Role.CALLER.value
        ),
        ring_seconds=section.whole("ring_seconds", least=5, most=120),
        press_to_accept=section.flag("press_to_accept", default=True),
        caller_accepts=CallerAccepts(
            section.word("caller_accepts", among=tuple(CallerAccepts), default=CallerAccepts.SECOND)
            or CallerAccepts.SECOND.value
        ),
        accept_seconds=section.whole("accept_seconds", least=5, most=60, default=20),
        cap_kind=CapKind(section.word("cap_kind", among=tuple(CapKind)) or CapKind.HARD.value),
        cap_seconds=section.whole("cap_seconds", least=0, most=LONGEST_CALL_SECONDS, default=0),
        cap_grace_seconds=section.whole("cap_grace_seconds", most=600, default=0),
        warn_seconds=section.wholes("warn_seconds", least=1, most=3600, default=()),
        attempts=section.whole("attempts", least=1, most=10),
        attempt_spacing_seconds=section.wholes("attempt_spacing_seconds", most=day, default=()),
        on_exhausted=OnExhausted(
            section.word("on_exhausted", among=tuple(OnExhausted)) or OnExhausted.KEEP.value
        ),
        fault_tries=section.whole("fault_tries", least=1, most=20, default=3),
        fault_spacing_seconds=section.whole("fault_spacing_seconds", most=3600, default=20),
        counselor_tries=section.whole("counselor_tries", least=1, most=20, default=2),
        queue_seconds=section.whole("queue_seconds", most=day, default=3600),
        parted_grace_seconds=section.whole("parted_grace_seconds", least=10, most=600),
        rering_seconds=section.whole("rering_seconds", least=1, most=60, default=5),
        media_lost_seconds=section.whole("media_lost_seconds", least=5, most=120, default=20),
        bridge_seconds=section.whole("bridge_seconds", least=5, most=60, default=15),
        transfer_ring_seconds=section.whole("transfer_ring_seconds", least=5, most=120, default=30),
        verdict_final_minutes=section.whole("verdict_final_minutes", most=1440, default=30),
        shows=section.word("shows", default="warmline"),
        greeting=GREETING if is_greeted else "",
        greeting_texts=_greeting_texts(section, table, is_greeted=is_greeted),
    )
    if policy.cap_kind is not CapKind.NONE and policy.cap_seconds == 0:
        section.fault("cap_seconds", f"a {policy.cap_kind} cap needs its length in seconds")
    if list(policy.warn_seconds) != sorted(policy.warn_seconds, reverse=True):
        section.fault("warn_seconds", "must fall, as [120, 30]")
    if any(seconds >= policy.cap_seconds > 0 for seconds in policy.warn_seconds):
        section.fault("warn_seconds", "each must be shorter than cap_seconds")
    if policy.attempts > 1 and not policy.attempt_spacing_seconds:
        section.fault("attempt_spacing_seconds", "is needed when there is more than one attempt")
    section.finish()
    return policy


def _greeting_texts(section: Section, table: Mapping[str, object], *, is_greeted: bool) -> Texts:
    """A program's own words, in both languages or in none."""
    if not any(key in table for _, key in _GREETING_KEYS):
        return ()
    if not is_greeted:
        section.fault("greeting", "must not be false where the greeting has words of its own")
    return tuple((language, section.word(key)) for language, key in _GREETING_KEYS)


_GREETING_KEYS = (("zh-CN", "greeting_zh"), ("en", "greeting_en"))
