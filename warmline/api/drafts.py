"""The counselor's notes while they are being typed, during the talk and after it."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from dialer.store.calls import load_call
from terms.ids import CallId, CounselorId
from terms.refusals import RefusalCode, Refused
from warmline.api.counselors import COUNSELOR, counselor_of
from warmline.desk.drafts import ChangedMeanwhile, load_draft, save_draft
from warmline.desk.wrap_ups import load_wrap_up
from warmline.http.api import Operations
from warmline.http.asked import Acting
from warmline.http.model import ID, Instant, Line, Model
from warmline.http.problems import NotFound, Problem, ProblemCode
from warmline.http.who import Staff

if TYPE_CHECKING:
    from datetime import datetime

drafts = Operations("Counselors")

_Typed = Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00]*$")]


class Said(StrEnum):
    """What the person answered when asked."""

    YES = "yes"
    NO = "no"
    UNSAID = "unsaid"


class RiskLevel(StrEnum):
    """How the counselor sees the danger. It raises no crisis by itself."""

    NONE = "none"
    LOW = "low"
    RAISED = "raised"
    ACUTE = "acute"


class Risk(Model):
    """The risk screen: whether there are thoughts, a plan and means, and whether anybody is by."""

    thoughts: Said = Said.UNSAID
    plan: Said = Said.UNSAID
    means: Said = Said.UNSAID
    alone: Said = Said.UNSAID
    level: RiskLevel = RiskLevel.NONE


class Typed(Model):
    """Everything may still be empty."""

    summary: _Typed = ""
    topics: Annotated[tuple[Line, ...], Field(max_length=20, strict=False)] = ()
    disposition: Line | None = None
    cut_off: bool | None = None
    risk: Risk | None = None


class TypedOver(Typed):
    """What is on the screen, and the version that it was typed over."""

    version: Annotated[int, Field(ge=0, le=2**31 - 2)]


class DraftView(Typed):
    """What is kept. Version 0: nothing was typed yet."""

    call: CallId
    version: int
    saved_at: Instant | None
    written_at: Instant | None
    """When the notes were handed in; from then on nothing is kept here."""


@drafts("GET", "/v1/calls/{call}/notes", who=(COUNSELOR,), returns={200: DraftView})
async def get_notes(acting: Acting, who: Staff, call: Annotated[CallId, ID]) -> DraftView:
    """My notes about a call of mine as they were typed last, in whatever tab."""
    written_at = await _written_at(acting, call, counselor_of(who))
    draft = await load_draft(acting.connection, acting.frame.seal, acting.tenant, call)
    typed = Typed() if draft is None else Typed.model_validate_json(draft.notes)
    return DraftView(
        **dict(typed),
        call=call,
        version=0 if draft is None else draft.version,
        saved_at=None if draft is None else draft.saved_at,
        written_at=written_at,
    )


@drafts(
    "PUT",
    "/v1/calls/{call}/notes",
    who=(COUNSELOR,),
    returns={200: DraftView},
    refuses=(RefusalCode.NOT_NOW,),
    problems=(ProblemCode.CHANGED_MEANWHILE,),
)
async def put_notes(
    acting: Acting, who: Staff, call: Annotated[CallId, ID], body: TypedOver
) -> DraftView:
    """Keep what is typed. 409 `changed_meanwhile` where another tab saved a newer version.

    Nothing is checked yet: that is done when the notes are handed in by the wrap-up.
    """
    written_at = await _written_at(acting, call, counselor_of(who))
    if written_at is not None:
        raise Refused(RefusalCode.NOT_NOW, "The notes of this call were handed in.")
    typed = Typed.model_validate(body.model_dump(exclude={"version"}))
    try:
        draft = await save_draft(
            acting.connection,
            acting.frame.seal,
            acting.tenant,
            call,
            notes=typed.model_dump_json(),
            over=body.version,
            now=acting.now,
        )
    except ChangedMeanwhile:
        raise Problem(
            ProblemCode.CHANGED_MEANWHILE, "A newer version was saved: read it first."
        ) from None
    return DraftView(
        **dict(typed), call=call, version=draft.version, saved_at=draft.saved_at, written_at=None
    )


async def _written_at(acting: Acting, call: CallId, counselor: CounselorId) -> "datetime | None":
    """When the notes of this counselor's call were handed in. Raises NotFound for others' calls."""
    owed = await load_wrap_up(acting.connection, acting.tenant, call)
    if owed is not None and owed.counselor == counselor:
        return owed.written_at
    stored = await load_call(acting.connection, acting.tenant, call)
    if stored is None or stored.call.counselor != counselor:
        raise NotFound
    return None
