"""Everything the doctor can find: a code, what it is about, how bad it is, and what to do.

Pages word a code in their reader's language; the command and the log print the sentence here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from warmline.findings.codes import FindingCode, Health, Kind
from warmline.findings.installation import OF_INSTALLATION
from warmline.findings.twilio import OF_TWILIO

__all__ = ["KINDS", "Finding", "FindingCode", "Health", "Kind", "found"]

KINDS: Mapping[FindingCode, Kind] = {**OF_INSTALLATION, **OF_TWILIO}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; when it is not good, the text says what to do."""

    code: FindingCode
    given: Mapping[str, str] = field(default_factory=dict)

    @property
    def subject(self) -> str:
        """What was looked at."""
        return KINDS[self.code].subject.format_map(self.given)

    @property
    def health(self) -> Health:
        """How it is."""
        return KINDS[self.code].health

    @property
    def text(self) -> str:
        """In a sentence."""
        return KINDS[self.code].sentence.format_map(self.given)


def found(code: FindingCode, **given: object) -> Finding:
    """A finding with what its sentence tells."""
    return Finding(code, {name: str(value) for name, value in given.items()})
