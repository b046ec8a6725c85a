"""A whole list: its lines put together into policies, and the lines that cannot be taken over."""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date

from billing.policies.columns import Column
from billing.policies.faults import Fault, FaultCode, fault
from billing.policies.policy import Insured, ListedPolicy, PolicyTerms
from billing.policies.rows import Cells, GoodRow, RejectedRow, read_row

Who = tuple[str, str | date | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """What a list says. A policy with one bad line is rejected as a whole."""

    rows: int
    policies: tuple[ListedPolicy, ...]
    rejected: tuple[RejectedRow, ...]


class Gathering:
    """Takes a list line by line, in any order, and puts its policies together."""

    def __init__(self, *, sponsor: str, today: date) -> None:
        self._sponsor = sponsor
        self._today = today
        self._policies: dict[tuple[str, str], ListedPolicy] = {}
        self._rejected: list[RejectedRow] = []
        self.rows = 0

    def take(self, line: int, cells: Cells) -> None:
        """One more line."""
        self.rows += 1
        row = read_row(line, cells, sponsor=self._sponsor, today=self._today)
        if isinstance(row, RejectedRow):
            self._reject(line, row.number, *row.faults)
            return
        key = row.sponsor, row.number
        known = self._policies.get(key)
        faults = [] if known is None else _disagreements(known, row)
        if faults:
            self._reject(line, row.number, *faults)
        elif known is None:
            self._policies[key] = _policy(row)
        else:
            self._policies[key] = replace(
                known, insured=(*known.insured, row.insured), lines=(*known.lines, line)
            )

    def reject(self, line: int, number: str | None, *faults: Fault) -> None:
        """A line that cannot even be taken apart, say because of a formula in it."""
        self.rows += 1
        self._reject(line, number, *faults)

    def _reject(self, line: int, number: str | None, *faults: Fault) -> None:
        self._rejected.append(RejectedRow(line=line, number=number, faults=faults))

    def finish(self) -> Roster:
        """The list as a whole."""
        spoiled: dict[str, int] = {}
        for row in self._rejected:
            if row.number is not None:
                spoiled.setdefault(row.number, row.line)
        good, dragged = [], []
        for policy in self._policies.values():
            if policy.number in spoiled:
                dragged += _dragged(policy, spoiled[policy.number])
            else:
                good.append(policy)
        rejected = sorted([*self._rejected, *dragged], key=lambda row: row.line)
        return Roster(rows=self.rows, policies=tuple(good), rejected=tuple(rejected))


def gather(lines: Iterable[tuple[int, Cells]], *, sponsor: str, today: date) -> Roster:
    """All lines of a list at once."""
    gathering = Gathering(sponsor=sponsor, today=today)
    for line, cells in lines:
        gathering.take(line, cells)
    return gathering.finish()


def _policy(row: GoodRow) -> ListedPolicy:
    return ListedPolicy(
        sponsor=row.sponsor,
        number=row.number,
        terms=row.terms,
        policyholder=row.policyholder,
        insured=(row.insured,),
        lines=(row.line,),
    )


def _disagreements(known: ListedPolicy, row: GoodRow) -> list[Fault]:
    """What this line says otherwise than the lines before it of the same policy."""
    first = known.lines[0]
    faults = [
        fault(FaultCode.DIFFERS_FROM_LINE, Column(one.name), line=first)
        for one in fields(PolicyTerms)
        if getattr(known.terms, one.name) != getattr(row.terms, one.name)
    ]
    if known.policyholder != row.policyholder:
        faults.append(fault(FaultCode.OTHER_POLICYHOLDER, line=first))
    for line, other in zip(known.lines, known.insured, strict=True):
        if _who(other) == _who(row.insured):
            faults.append(fault(FaultCode.INSURED_TWICE, line=line))
    return faults


def _who(insured: Insured) -> Who:
    person = insured.person
    return person.name, person.id_number or person.born_on


def _dragged(policy: ListedPolicy, line: int) -> list[RejectedRow]:
    found = fault(FaultCode.POLICY_REJECTED, line=line)
    return [RejectedRow(line=own, number=policy.number, faults=(found,)) for own in policy.lines]
