"""Insurers' lists from an operator's own system."""

import asyncio
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from billing.policies.columns import Column, HeadersWrong
from billing.policies.diff import ChangedPolicy
from billing.policies.faults import FaultCode
from billing.policies.file_faults import FileFault, FileFaultCode
from billing.policies.roster import Roster
from billing.policies.rows import RejectedRow
from billing.policies.waiting import today_in_china
from warmline.http.api import Operations, Uploaded
from warmline.http.asked import Acting
from warmline.http.model import Model, Query
from warmline.http.problems import BadInput, InputFault
from warmline.http.who import Staff, staff
from warmline.ids import new_id
from warmline.people import StaffRole
from warmline.policies.importing import Choice, Comparison, Importer
from warmline.policies.tables import (
    LONGEST_CELL,
    Line,
    read_objects,
    read_table,
)
from warmline.policies.unreadable import ListUnreadable

policies = Operations("Policies")

FILE_LIMIT_BYTES = 8 * 1024 * 1024
MOST_BYTES_UNPACKED = 64 * 1024 * 1024
MOST_LINES = 20_000
"""Longer lists go through the command, beside the process that answers calls."""

FILES = (
    "text/csv",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
)

Cell = Annotated[str, StringConstraints(max_length=LONGEST_CELL)]


class PolicyRow(Model):
    """One insured person of one policy: what a line of a list tells (docs/policies.md)."""

    policy_number: Cell
    product: Cell
    purchased_on: Cell
    effective_on: Cell
    status: Cell
    policyholder_name: Cell
    policyholder_phone: Cell
    relation: Cell
    insured_name: Cell
    sponsor: Cell = ""
    cooling_off_end: Cell = ""
    ends_on: Cell = ""
    term_years: Cell = ""
    policyholder_id_number: Cell = ""
    policyholder_birth_date: Cell = ""
    insured_phone: Cell = ""
    insured_id_number: Cell = ""
    insured_birth_date: Cell = ""
    contact_name: Cell = ""
    contact_phone: Cell = ""


class PolicyRows(Model):
    """A list as objects; the same may be sent as a CSV or XLSX file instead."""

    policies: Annotated[list[PolicyRow], Field(max_length=MOST_LINES)]


class HowToImport(Query):
    """A list is only looked at unless told otherwise."""

    apply: bool = False
    """Write the changes."""

    partial: bool = False
    """Write the good policies even though lines are rejected."""

    sponsor: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")] = (
        "default"
    )
    """Whose list it is, where the lines do not tell."""


class PolicyName(Model):
    """A policy is named by its number, at its insurer."""

    sponsor: str
    number: str


class PolicyFieldChange(Model):
    """One field before and after; people's data masked."""

    field: str
    before: str | None
    after: str | None


class PolicyChange(Model):
    """What a list tells otherwise about a policy we know."""

    sponsor: str
    number: str
    changes: list[PolicyFieldChange]

    @classmethod
    def of(cls, changed: ChangedPolicy) -> "PolicyChange":
        """Field by field."""
        return cls(
            sponsor=changed.policy.sponsor,
            number=changed.policy.number,
            changes=[
                PolicyFieldChange(field=one.field, before=one.before, after=one.after)
                for one in changed.changes
            ],
        )


class LineFault(Model):
    """One reason why a line is rejected."""

    code: FaultCode
    column: Column | None
    """Where it is; none where it is about the whole line."""

    given: dict[str, str]
    """What the sentence about it tells: `most`, `line`, .."""


class RejectedLine(Model):
    """A line that cannot be taken over, as the file counts lines."""

    line: int
    number: str | None
    reasons: list[str]
    """A sentence for each of `faults`."""

    faults: list[LineFault]

    @classmethod
    def of(cls, row: RejectedRow) -> "RejectedLine":
        """With every reason."""
        return cls(
            line=row.line,
            number=row.number,
            reasons=list(row.reasons),
            faults=[
                LineFault(code=one.code, column=one.column, given=dict(one.given))
                for one in row.faults
            ],
        )


class ImportView(Model):
    """What a list changes, and whether that was written."""

    applied: bool
    """False for a look, and where lines were rejected without `partial`: then nothing changed."""

    lines: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    new_policies: list[PolicyName]
    changed_policies: list[PolicyChange]
    rejected_lines: list[RejectedLine]

    @classmethod
    def of(cls, found: Comparison, applied: bool) -> "ImportView":
        """Everything that was found."""
        return cls(
            applied=applied,
            lines=found.rows,
            new=len(found.added),
            changed=len(found.changed),
            unchanged=found.unchanged,
            rejected=len(found.rejected),
            new_policies=[
                PolicyName(sponsor=one.sponsor, number=one.number) for one in found.added
            ],
            changed_policies=[PolicyChange.of(one) for one in found.changed],
            rejected_lines=[RejectedLine.of(row) for row in found.rejected],
        )


@policies(
    "POST",
    "/v1/policies/import",
    who=(staff(StaffRole.OPERATOR),),
    returns={200: ImportView},
    uploads=FILES,
    body_limit_bytes=FILE_LIMIT_BYTES,
)
async def import_policies(
    acting: Acting, who: Staff, body: PolicyRows | Uploaded, query: HowToImport
) -> ImportView:
    """Show what an insurer's list changes, or write it: all good lines or none.

    Columns as in docs/policies.md. At most 20,000 lines; longer lists: `warmline policies import`.
    """
    importer = Importer(
        seal=acting.frame.seal,
        tenant=acting.tenant,
        by=who.label,
        new_id=new_id,
        progress=_keep_quiet,
    )
    roster = await _roster(importer, body, query.sponsor, acting)
    choice = Choice(apply=query.apply, partial=query.partial)
    found, applied = await importer.take_over(acting.connection, roster, choice, acting.now)
    return ImportView.of(found, applied)


async def _roster(
    importer: Importer, body: PolicyRows | Uploaded, sponsor: str, acting: Acting
) -> Roster:
    """The list, read beside the loop that answers calls."""

    def gather() -> Roster:
        today = today_in_china(acting.now)
        return importer.gather(_bounded(_lines(body)), sponsor=sponsor, today=today)

    try:
        return await asyncio.to_thread(gather)
    except HeadersWrong as wrong:
        raise BadInput(*(_fault("/0", fault) for fault in wrong.faults)) from wrong
    except ListUnreadable as wrong:
        raise BadInput(_fault("", wrong.fault)) from wrong


def _lines(body: PolicyRows | Uploaded) -> Iterator[Line]:
    if isinstance(body, Uploaded):
        return read_table(body.raw, MOST_BYTES_UNPACKED)
    return read_objects(row.model_dump() for row in body.policies)


def _bounded(lines: Iterator[Line]) -> Iterator[Line]:
    for count, line in enumerate(lines, start=1):
        if count > MOST_LINES:
            raise ListUnreadable(FileFaultCode.TOO_MANY_LINES, most=MOST_LINES)
        yield line


def _fault(pointer: str, told: FileFault) -> InputFault:
    return InputFault(
        place="body", pointer=pointer, detail=str(told), code=told.code, given=told.given
    )


def _keep_quiet(stage: str, done: int, total: int | None) -> None:
    """Whoever asks over HTTP waits for the answer."""
