"""A program as the three rooms read it: each parses its own section, the faults come together."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import billing.policy
import dialer.policy
import routing.policy
from terms.ids import ProgramId
from terms.section import ProgramFault, ProgramInvalid, Section
from terms.values import replace
from terms.verdict import Role

T = TypeVar("T")

DEFAULT_SPONSOR = "default"
"""Who pays for a program that names nobody."""

SECTIONS = ("program", "routing", "dialer", "billing")
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Text:
    """What a person reads or hears, in Chinese and in English."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program. `body` is its file as it was read, and `digest` names that very text (X38)."""

    id: ProgramId
    version: str
    digest: str
    body: str
    sponsor: str
    name: Text
    disclaimer: Text  # said before the first call (A43)
    charge_notice: Text  # what the call may cost at the carrier (A38)
    topics: tuple[str, ...]  # what a talk may be about (A04)
    dispositions: tuple[str, ...]  # what a talk may lead to (A43)
    routing: routing.policy.Policy
    dialer: dialer.policy.Policy
    billing: billing.policy.Policy

    @property
    def granted_seconds(self) -> int | None:
        """The talk an order of this program is opened with; None without a cap."""
        if self.dialer.cap_kind is dialer.policy.CapKind.NONE:
            return None
        return self.dialer.cap_seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """The `[program]` section."""

    id: str
    version: str
    sponsor: str
    name: Text
    disclaimer: Text
    charge_notice: Text
    topics: tuple[str, ...]
    dispositions: tuple[str, ...]


def read_tables(tables: Mapping[str, object], body: str, digest: str) -> Program:
    """A program from a parsed file.

    Raises ProgramInvalid with the faults of all sections together.
    """
    faults = [
        ProgramFault(name, "", "is not a section of a program; there are " + ", ".join(SECTIONS))
        for name in tables
        if name not in SECTIONS
    ]
    sheet = _section(tables, "program", _parse_sheet, faults)
    routes = _section(tables, "routing", routing.policy.parse, faults)
    dials = _section(tables, "dialer", dialer.policy.parse, faults)
    bills = _section(tables, "billing", billing.policy.parse, faults)
    if routes is not None and dials is not None and bills is not None:
        dials = _asking(tables["dialer"], dials, bills)
        faults += _between(routes, dials, bills)
    if faults or sheet is None or routes is None or dials is None or bills is None:
        raise ProgramInvalid(tuple(faults))
    return Program(
        id=ProgramId(sheet.id),
        version=sheet.version,
        digest=digest,
        body=body,
        sponsor=sheet.sponsor,
        name=sheet.name,
        disclaimer=sheet.disclaimer,
        charge_notice=sheet.charge_notice,
        topics=sheet.topics,
        dispositions=sheet.dispositions,
        routing=routes,
        dialer=_named(dials, sheet.id),
        billing=bills,
    )


def _section(
    tables: Mapping[str, object],
    name: str,
    parse: Callable[[Mapping[str, object]], T],
    faults: list[ProgramFault],
) -> T | None:
    table = tables.get(name)
    if not isinstance(table, Mapping):
        faults.append(ProgramFault(name, "", f"is missing; write a section [{name}]"))
        return None
    try:
        return parse(table)
    except ProgramInvalid as invalid:
        faults += invalid.faults
        return None


def _parse_sheet(table: Mapping[str, object]) -> _Sheet:
    section = Section("program", table)
    sheet = _Sheet(
        id=section.word("id"),
        version=section.word("version"),
        sponsor=section.word("sponsor", default=DEFAULT_SPONSOR),
        name=_text(section, "name"),
        disclaimer=_text(section, "disclaimer"),
        charge_notice=_text(section, "charge_notice"),
        topics=section.words("topics", default=("other",)),
        dispositions=section.words("dispositions", default=("relieved", "referral", "invalid")),
    )
    if sheet.id and not _ID.fullmatch(sheet.id):
        section.fault("id", "write small letters, digits and single dashes, as in family-doctor")
    section.finish()
    return sheet


def _text(section: Section, key: str) -> Text:
    return Text(section.word(f"{key}_zh"), section.word(f"{key}_en"))


def _named(dials: dialer.policy.Policy, id_: str) -> dialer.policy.Policy:
    """A greeting in a program's own words is a prompt of its own."""
    if not dials.greeting_texts:
        return dials
    return replace(dials, greeting=f"{dialer.policy.GREETING}_{id_}")


def _asking(
    table: object, dials: dialer.policy.Policy, bills: billing.policy.Policy
) -> dialer.policy.Policy:
    """Where nothing is used up by a talk, callers press nothing unless the program says so."""
    is_said = isinstance(table, Mapping) and "caller_accepts" in table
    if is_said or _is_paid(bills):
        return dials
    return replace(dials, caller_accepts=dialer.policy.CallerAccepts.NEVER)


def _voicemail_could_consume(dials: dialer.policy.Policy, bills: billing.policy.Policy) -> bool:
    """Whether a voicemail rung after the counselor would pass for the caller (X01)."""
    never = dials.caller_accepts is dialer.policy.CallerAccepts.NEVER
    return never and dials.ring_first is Role.COUNSELOR and _is_paid(bills)


def _is_paid(bills: billing.policy.Policy) -> bool:
    return bills.voucher is billing.policy.VoucherUse.REQUIRED or bills.cover.quota_uses > 0


def _between(
    routes: routing.policy.Policy, dials: dialer.policy.Policy, bills: billing.policy.Policy
) -> list[ProgramFault]:
    """What no room can see alone."""
    faults = []
    keeps = dials.on_exhausted is dialer.policy.OnExhausted.KEEP
    if bills.no_contact_consumes and keeps:
        message = "has no effect unless [dialer] on_exhausted is 'cancel'"
        faults.append(ProgramFault("billing", "no_contact_consumes", message))
    if _voicemail_could_consume(dials, bills):
        message = "must not be 'never': the caller's voicemail would use up what pays for the call"
        faults.append(ProgramFault("dialer", "caller_accepts", message))
    if bills.opens_on_dial_in and routes.matching is not routing.policy.Matching.POOL:
        message = "needs [routing] matching = 'pool': who dials in has chosen nobody"
        faults.append(ProgramFault("billing", "opens_on_dial_in", message))
    return faults
