"""The one door through which exports leave: what may be given to whom.

Whoever writes data for somebody outside the desk (a file, a download, an answer for an insurer)
first says here what it is and who gets it:

    permit(Export.CLAIM, Audience.SUPPORT)          # passes
    permit(Export.CLAIM, Audience.INSURER_CLAIMS)   # raises Withheld (B11)

Advice given in a talk may never speak for or against an insurance claim (B11), so an insurer's
claims department gets nothing about a single order, whoever asks for it. What is not listed is
withheld: a new kind of export is open to nobody until somebody decides here.
"""

from collections.abc import Mapping
from enum import StrEnum


class Export(StrEnum):
    """What is taken out."""

    SETTLEMENT = "settlement"  # a month's sums of counselors, programs and carriers
    CALL_FIGURES = "call_figures"  # sums per day and program
    SPONSOR_SUMS = "sponsor_sums"  # a month's sums of one sponsor's programs
    CALL_RECORD = "call_record"  # one call: times, legs, evidence, verdict
    CLAIM = "claim"  # one caller's complaint, with its evidence and decisions
    APPEAL = "appeal"  # one rejected claim, for whoever decides the appeal (B65); no word spoken
    WORDS = "words"  # what people said or wrote: summaries, texts of claims, ratings


class Audience(StrEnum):
    """Who gets it."""

    OPERATOR = "operator"  # who runs the installation
    SUPPORT = "support"  # who decides claims
    INSURER = "insurer"  # a sponsor's people for the service: they read sums and decide appeals
    INSURER_CLAIMS = "insurer_claims"  # a sponsor's people who decide about insurance claims


OPEN_TO: Mapping[Export, frozenset[Audience]] = {
    Export.SETTLEMENT: frozenset({Audience.OPERATOR}),
    Export.CALL_FIGURES: frozenset({Audience.OPERATOR}),
    Export.SPONSOR_SUMS: frozenset({Audience.OPERATOR, Audience.INSURER}),
    Export.CALL_RECORD: frozenset({Audience.SUPPORT}),
    Export.CLAIM: frozenset({Audience.SUPPORT}),
    Export.APPEAL: frozenset({Audience.SUPPORT, Audience.INSURER}),
    Export.WORDS: frozenset(),
}
"""The whole rule, as a table."""

SMALL_CELL = 5
"""Sums over fewer orders than this could point at a person: an outsider sees none of them."""


class Withheld(Exception):
    """This export is not for this audience; nothing was written."""

    def __init__(self, export: Export, audience: Audience) -> None:
        super().__init__(
            f"An export of kind {export.value} is not given to {audience.value}: what was said "
            "and done in a call stays out of insurance claims, and outsiders get sums only (B11)."
        )
        self.export = export
        self.audience = audience


def permit(export: Export, audience: Audience) -> None:
    """Return when `audience` may have it. Raises Withheld (B11)."""
    if audience not in OPEN_TO.get(export, frozenset()):
        raise Withheld(export, audience)
