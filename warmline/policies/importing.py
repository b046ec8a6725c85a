"""Taking an insurer's list over: read all of it, show what it changes, then write all or nothing.

The list is compared under a lock that keeps other imports out, in the transaction that writes it,
so that what was shown is what happens.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from billing.policies.columns import Column
from billing.policies.diff import ChangedPolicy, compare
from billing.policies.policy import ListedPolicy
from billing.policies.roster import Gathering, Roster
from billing.policies.rows import RejectedRow
from billing.policies.sealing import PersonSeal, policy_digest
from billing.store.policies import (
    AT_ONCE,
    ImportCounts,
    NewPolicy,
    add_policies,
    change_policies,
    chunks,
    known_policies,
    load_policies,
    lock_imports,
    note_import,
)
from terms.ids import PersonId, PolicyId, TenantId
from warmline.policies.tables import Line

if TYPE_CHECKING:
    from warmline.database import Connection

Progress = Callable[[str, int, int | None], None]
"""Told now and then: what is going on, how far it is, and of how much if that is known."""

_TELLS_EVERY = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a list would change."""

    rows: int
    added: tuple[ListedPolicy, ...]
    changed: tuple[ChangedPolicy, ...]
    unchanged: int
    rejected: tuple[RejectedRow, ...]

    @property
    def counts(self) -> ImportCounts:
        """How much of each."""
        return ImportCounts(
            added=len(self.added),
            changed=len(self.changed),
            unchanged=self.unchanged,
            rejected=len(self.rejected),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is to be done with a list. By default it is only looked at."""

    apply: bool = False
    partial: bool = False  # the good policies, even though some lines are rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Importer:
    """Takes lists over for one tenant. `by` is who answers for it."""

    seal: PersonSeal
    tenant: TenantId
    by: str
    new_id: Callable[[str], str]
    progress: Progress

    def gather(self, lines: Iterable[Line], *, sponsor: str, today: date) -> Roster:
        """Read a list to its end. Raises ListUnreadable."""
        gathering = Gathering(sponsor=sponsor, today=today)
        for line in lines:
            if line.faults:
                gathering.reject(line.number, line.cells.get(Column.NUMBER), *line.faults)
            else:
                gathering.take(line.number, line.cells)
            if gathering.rows % _TELLS_EVERY == 0:
                self.progress("reading", gathering.rows, None)
        return gathering.finish()

    async def take_over(
        self, connection: "Connection", roster: Roster, choice: Choice, now: datetime
    ) -> tuple[Comparison, bool]:
        """What the list changes, and whether that was written, in the transaction at hand."""
        await lock_imports(connection, self.tenant)
        found = await self._compare(connection, roster)
        if not choice.apply or (found.rejected and not choice.partial):
            return found, False
        await self._write(connection, found, now)
        await note_import(
            connection,
            self.tenant,
            self.new_id("import"),
            by=self.by,
            counts=found.counts,
            now=now,
        )
        return found, True

    async def _compare(self, connection: "Connection", roster: Roster) -> Comparison:
        known = await known_policies(
            connection, self.tenant, [policy.key for policy in roster.policies]
        )
        added, suspects = [], []
        unchanged = 0
        for done, policy in enumerate(roster.policies, start=1):
            before = known.get(policy.key)
            if before is None:
                added.append(policy)
            elif before[1] == policy_digest(self.seal, policy):
                unchanged += 1
            else:
                suspects.append(policy)
            if done % _TELLS_EVERY == 0:
                self.progress("comparing", done, len(roster.policies))
        stored = await load_policies(
            connection, self.seal, self.tenant, [known[policy.key][0] for policy in suspects]
        )
        compared = [compare(stored[policy.key], policy) for policy in suspects]
        changed = tuple(one for one in compared if one is not None)
        return Comparison(
            rows=roster.rows,
            added=tuple(added),
            changed=changed,
            unchanged=unchanged + len(suspects) - len(changed),
            rejected=roster.rejected,
        )

    async def _write(self, connection: "Connection", found: Comparison, now: datetime) -> None:
        total, done = len(found.added) + len(found.changed), 0
        for new in chunks(found.added, AT_ONCE):
            made = [self._named(policy) for policy in new]
            await add_policies(connection, self.seal, self.tenant, made, now)
            done += len(new)
            self.progress("writing", done, total)
        for changed in chunks(found.changed, AT_ONCE):
            named = [(one, self._all_named(one.insured_ids)) for one in changed]
            await change_policies(connection, self.seal, self.tenant, named, now)
            done += len(changed)
            self.progress("writing", done, total)

    def _named(self, policy: ListedPolicy) -> NewPolicy:
        return NewPolicy(
            id=PolicyId(self.new_id("policy")),
            policy=policy,
            insured_ids=self._all_named((None,) * len(policy.insured)),
        )

    def _all_named(self, ids: tuple[PersonId | None, ...]) -> tuple[PersonId, ...]:
        return tuple(PersonId(self.new_id("person")) if id_ is None else id_ for id_ in ids)
