"""The installation as an operator sees it: its programs, and what is wrong with it."""

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated, Protocol

from aiohttp import web
from pydantic import StringConstraints

from terms.ids import ProgramId
from warmline.api.parts import PROGRAMS
from warmline.doctor import worst
from warmline.findings import Finding, FindingCode, Health
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import Instant, Model
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.who import staff
from warmline.people import StaffRole
from warmline.programs import check

installation = Operations("Installation")

OPERATOR = staff(StaffRole.OPERATOR)


class Examine(Protocol):
    """Looks at everything and changes nothing."""

    async def __call__(self) -> tuple[Finding, ...]:
        """What was found."""
        ...


EXAMINE: web.AppKey[Examine] = web.AppKey("examine", Examine)

_ONE_AT_A_TIME = asyncio.Lock()


class ProgramFileView(Model):
    """A program and the file it is made from."""

    id: ProgramId
    version: str
    sponsor: str
    digest: str
    """Names the very text: the one in force when an order was opened stays with the order (X38)."""

    toml: str


class ProgramText(Model):
    """A program's file, as it is to be."""

    toml: Annotated[str, StringConstraints(min_length=1, max_length=32_000, pattern=r"^[^\x00]*$")]


class FaultView(Model):
    """One thing wrong with it."""

    line: int
    section: str
    key: str
    message: str


class CheckedView(Model):
    """Whether it can be used."""

    usable: bool
    faults: list[FaultView]


class FindingView(Model):
    """One thing that was looked at; where it is not good, the text says what to do."""

    code: FindingCode
    given: dict[str, str]
    """What the sentence about it tells: `file`, `count`, .."""

    subject: str
    health: Health
    text: str

    @classmethod
    def of(cls, finding: Finding) -> "FindingView":
        """By its code, and in a sentence."""
        return cls(
            code=finding.code,
            given=dict(finding.given),
            subject=finding.subject,
            health=finding.health,
            text=finding.text,
        )


class HealthView(Model):
    """How the installation is."""

    as_of: Instant
    health: Health
    """The worst of them."""

    findings: list[FindingView]


@installation("GET", "/v1/staff/programs", who=(OPERATOR,), returns={200: PageOf[ProgramFileView]})
async def list_program_files(asked: Asked, query: Page) -> PageOf[ProgramFileView]:
    """The programs that are offered, with their files."""
    after = start_after(asked, query)
    start = "" if after is None else str(after[0])
    known = sorted(asked.part(PROGRAMS).values(), key=lambda program: program.id)
    rows = [program for program in known if program.id > start][: query.fetch]
    items, cursor = page_of(
        asked,
        query,
        rows,
        show=lambda program: ProgramFileView(
            id=program.id,
            version=program.version,
            sponsor=program.sponsor,
            digest=program.digest,
            toml=program.body,
        ),
        key=lambda program: (program.id,),
    )
    return PageOf[ProgramFileView](items=items, next_cursor=cursor)


@installation("POST", "/v1/staff/programs/check", who=(OPERATOR,), returns={200: CheckedView})
async def check_program(acting: Acting, body: ProgramText) -> CheckedView:
    """Tell every fault of a program's file with its line. Nothing is kept."""
    with tempfile.NamedTemporaryFile(suffix=".toml") as file:
        file.write(body.toml.encode())
        file.flush()
        faults = check(Path(file.name))
    return CheckedView(
        usable=not faults,
        faults=[
            FaultView(line=fault.line, section=fault.section, key=fault.key, message=fault.message)
            for fault in faults
        ],
    )


@installation("GET", "/v1/staff/health", who=(OPERATOR,), returns={200: HealthView})
async def get_health(asked: Asked) -> HealthView:
    """What `warmline doctor` finds, seen from this process."""
    async with _ONE_AT_A_TIME:
        findings = await asked.part(EXAMINE)()
    return HealthView(
        as_of=asked.now,
        health=worst(findings),
        findings=[FindingView.of(one) for one in findings],
    )
