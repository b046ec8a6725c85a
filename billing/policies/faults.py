"""Every reason for which a line of an insurer's list is not taken over: a code, and one sentence.

Pages word a code in their reader's language; commands and logs print the sentence. Neither repeats
what stands in a cell: it may be somebody's number.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from billing.policies.columns import Column


class FaultCode(StrEnum):
    """What is wrong; `SENTENCES` says what each means and what it is told with."""

    MISSING = "missing"
    MISSING_BIRTH = "missing_birth"
    MISSING_FOR_CHILD = "missing_for_child"
    MISSING_HALF_CONTACT = "missing_half_contact"
    TOO_LONG = "too_long"
    UNPRINTABLE = "unprintable"
    LIKE_FORMULA = "like_formula"
    NOT_A_DATE = "not_a_date"
    NO_SUCH_DAY = "no_such_day"
    NOT_A_PHONE = "not_a_phone"
    CHECK_CHARACTER = "check_character"
    NOT_AN_ID_NUMBER = "not_an_id_number"
    ID_NUMBER_WITHOUT_DAY = "id_number_without_day"
    NOT_ONE_OF = "not_one_of"
    NOT_YEARS = "not_years"
    TOO_FAR_AHEAD = "too_far_ahead"
    IN_FUTURE = "in_future"
    BEFORE_PURCHASE = "before_purchase"
    BEFORE_EFFECT = "before_effect"
    TERM_DISAGREES = "term_disagrees"
    NOT_THE_POLICYHOLDER = "not_the_policyholder"
    NOT_BORN_AS_ID_TELLS = "not_born_as_id_tells"
    IMPOSSIBLE_BIRTH = "impossible_birth"
    DIFFERS_FROM_LINE = "differs_from_line"
    OTHER_POLICYHOLDER = "other_policyholder"
    INSURED_TWICE = "insured_twice"
    POLICY_REJECTED = "policy_rejected"
    FORMULA = "formula"
    TRUE_OR_FALSE = "true_or_false"
    TOO_MANY_DIGITS = "too_many_digits"
    FRACTION = "fraction"
    MORE_CELLS = "more_cells"
    CELL_WITHOUT_HEADER = "cell_without_header"


SENTENCES: Mapping[FaultCode, str] = {
    FaultCode.MISSING: "is missing",
    FaultCode.MISSING_BIRTH: "is missing, and no identity number tells it",
    FaultCode.MISSING_FOR_CHILD: "is missing: the insured is under {years}",
    FaultCode.MISSING_HALF_CONTACT: "is missing: a contact has a name and a phone",
    FaultCode.TOO_LONG: "is longer than {most} characters",
    FaultCode.UNPRINTABLE: "holds characters that cannot be printed",
    FaultCode.LIKE_FORMULA: "begins like a formula",
    FaultCode.NOT_A_DATE: "is not a date like 2025-01-31",
    FaultCode.NO_SUCH_DAY: "is not a day of the calendar",
    FaultCode.NOT_A_PHONE: (
        "is not a mobile number like 13800000001; others begin with + and country code"
    ),
    FaultCode.CHECK_CHARACTER: "has a wrong check character: a digit is mistyped",
    FaultCode.NOT_AN_ID_NUMBER: (
        "is not an identity number: 18 characters, or 5 to 20 of a passport"
    ),
    FaultCode.ID_NUMBER_WITHOUT_DAY: "names a day of birth that is not in the calendar",
    FaultCode.NOT_ONE_OF: "must be one of {words}, or its Chinese word",
    FaultCode.NOT_YEARS: "must be a whole number of years, 1 to {most}",
    FaultCode.TOO_FAR_AHEAD: "lies after {day}",
    FaultCode.IN_FUTURE: "lies in the future",
    FaultCode.BEFORE_PURCHASE: "is before the purchase",
    FaultCode.BEFORE_EFFECT: "is before the policy takes effect",
    FaultCode.TERM_DISAGREES: "and ends_on do not agree; leave one of them out",
    FaultCode.NOT_THE_POLICYHOLDER: "differs from the policyholder's, who is the same person",
    FaultCode.NOT_BORN_AS_ID_TELLS: "is not the day that the identity number tells",
    FaultCode.IMPOSSIBLE_BIRTH: "is no possible day of birth",
    FaultCode.DIFFERS_FROM_LINE: "differs from line {line} of the same policy",
    FaultCode.OTHER_POLICYHOLDER: "the policyholder differs from line {line} of the same policy",
    FaultCode.INSURED_TWICE: "the same insured person stands in line {line} already",
    FaultCode.POLICY_REJECTED: "line {line} of the same policy is rejected",
    FaultCode.FORMULA: "is a formula: paste its value instead",
    FaultCode.TRUE_OR_FALSE: "is true or false: no column wants that",
    FaultCode.TOO_MANY_DIGITS: (
        "is a number of more than 15 digits, which lost some: format it as text"
    ),
    FaultCode.FRACTION: "is a number with a fraction: no column wants that",
    FaultCode.MORE_CELLS: "there are more cells than headers",
    FaultCode.CELL_WITHOUT_HEADER: "a cell stands in a column without a header",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason; `given` fills the sentence, `column` is where it is, if it is in one place."""

    code: FaultCode
    column: Column | None = None
    given: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        sentence = SENTENCES[self.code].format_map(self.given)
        return sentence if self.column is None else f"{self.column}: {sentence}"


def fault(code: FaultCode, column: Column | None = None, **given: object) -> Fault:
    """A fault with what its sentence tells."""
    return Fault(code, column, {name: str(value) for name, value in given.items()})
