"""Every answer that is not what was asked for: RFC 9457 problems with a stable `code`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web

from terms.refusals import RefusalCode, Refused

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 1
"""What a client is told to wait when the trouble is ours and short."""

RATE_LIMIT_SECONDS = 60
"""What a client is told to wait when a refusal by rate does not say."""


class ProblemCode(StrEnum):
    """Reasons of the frame itself; reasons of a rule are `terms.refusals.RefusalCode`."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    SIGN_IN_FAILED = "sign_in_failed"
    TOTP_REQUIRED = "totp_required"
    SECOND_FACTOR_DUE = "second_factor_due"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    BAD_INPUT = "bad_input"
    UPGRADE_REQUIRED = "upgrade_required"
    NOT_POSSIBLE = "not_possible"
    CHANGED_MEANWHILE = "changed_meanwhile"
    UNAVAILABLE = "unavailable"
    INTERNAL_ERROR = "internal_error"


Code = ProblemCode | RefusalCode

TITLES: Mapping[Code, str] = {
    ProblemCode.MALFORMED: "The request cannot be read",
    ProblemCode.UNAUTHENTICATED: "Sign in first",
    ProblemCode.SIGN_IN_FAILED: "E-mail, password or code is wrong",
    ProblemCode.TOTP_REQUIRED: "A one-time code is needed as well",
    ProblemCode.SECOND_FACTOR_DUE: "Set up a second factor first",
    ProblemCode.FORBIDDEN: "Not open to you",
    ProblemCode.NOT_FOUND: "There is no such thing",
    ProblemCode.METHOD_NOT_ALLOWED: "This cannot be done here",
    ProblemCode.BODY_TOO_LARGE: "The body is too large",
    ProblemCode.UNSUPPORTED_MEDIA_TYPE: "The body must be JSON",
    ProblemCode.BAD_INPUT: "Something in the request is wrong",
    ProblemCode.UPGRADE_REQUIRED: "This is a WebSocket",
    ProblemCode.NOT_POSSIBLE: "Not possible as things stand",
    ProblemCode.CHANGED_MEANWHILE: "Somebody else was faster",
    ProblemCode.UNAVAILABLE: "Not available at the moment",
    ProblemCode.INTERNAL_ERROR: "We made a mistake",
    RefusalCode.NUMBER_MISMATCH: "The number differs from the verified one",
    RefusalCode.DEVICE_NOT_VERIFIED: "The device is not verified",
    RefusalCode.OUTSIDE_HOURS: "Outside service hours",
    RefusalCode.COUNSELOR_OFFLINE: "The counselor is offline",
    RefusalCode.COUNSELOR_BUSY: "The counselor is busy",
    RefusalCode.VOUCHER_IN_USE: "The voucher is in use",
    RefusalCode.VOUCHER_INVALID: "The voucher cannot be used",
    RefusalCode.CALL_IN_PROGRESS: "A call is in progress",
    RefusalCode.ORDER_NOT_OPEN: "The order is not open",
    RefusalCode.ORDER_EXPIRED: "The order has expired",
    RefusalCode.QUOTA_USED: "The allowance is used up",
    RefusalCode.NOT_ENTITLED: "The service is not part of the plan",
    RefusalCode.RATE_LIMITED: "Too many requests",
    RefusalCode.CLAIM_TOO_LATE: "The time for a claim has passed",
    RefusalCode.NOT_COMPLETED: "The order is not completed",
    RefusalCode.CODE_WRONG: "The code is wrong",
    RefusalCode.CODE_EXPIRED: "The code has expired",
    RefusalCode.NOT_NOW: "Not in this state",
    RefusalCode.KEY_REUSED: "The idempotency key was used for another request",
}

_CONFLICTS = frozenset(
    {
        RefusalCode.COUNSELOR_OFFLINE,
        RefusalCode.COUNSELOR_BUSY,
        RefusalCode.VOUCHER_IN_USE,
        RefusalCode.CALL_IN_PROGRESS,
        RefusalCode.ORDER_NOT_OPEN,
        RefusalCode.ORDER_EXPIRED,
        RefusalCode.NOT_COMPLETED,
        RefusalCode.NOT_NOW,
    }
)


def refusal_status(code: RefusalCode) -> int:
    """409 when the state of things is in the way, 429 for a rate, 422 for the rest."""
    if code in _CONFLICTS:
        return 409
    return 429 if code is RefusalCode.RATE_LIMITED else 422


_STATUS: Mapping[ProblemCode, int] = {
    ProblemCode.MALFORMED: 400,
    ProblemCode.UNAUTHENTICATED: 401,
    ProblemCode.SIGN_IN_FAILED: 401,
    ProblemCode.TOTP_REQUIRED: 401,
    ProblemCode.SECOND_FACTOR_DUE: 403,
    ProblemCode.FORBIDDEN: 403,
    ProblemCode.NOT_FOUND: 404,
    ProblemCode.METHOD_NOT_ALLOWED: 405,
    ProblemCode.NOT_POSSIBLE: 409,
    ProblemCode.CHANGED_MEANWHILE: 409,
    ProblemCode.BODY_TOO_LARGE: 413,
    ProblemCode.UNSUPPORTED_MEDIA_TYPE: 415,
    ProblemCode.BAD_INPUT: 422,
    ProblemCode.UPGRADE_REQUIRED: 426,
    ProblemCode.INTERNAL_ERROR: 500,
    ProblemCode.UNAVAILABLE: 503,
}


def status_of(code: Code) -> int:
    """The one HTTP status of a code."""
    return refusal_status(code) if isinstance(code, RefusalCode) else _STATUS[code]


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFault:
    """One thing wrong with what was sent.

    `place` is body, query, path or header; `pointer` is a JSON pointer into it (`/topics/0`).
    Where pages word it, `code` says which fault it is and `given` what its sentence tells.
    """

    place: str
    pointer: str
    detail: str
    code: str | None = None
    given: Mapping[str, str] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """The members of the fault, ready for JSON."""
        members: dict[str, object] = {
            "in": self.place,
            "pointer": self.pointer,
            "detail": self.detail,
        }
        return members if self.code is None else members | {"code": self.code, "given": self.given}


class Problem(Exception):
    """An answer with a status of 400 or more. Raise it anywhere below the middleware."""

    def __init__(
        self,
        code: Code,
        detail: str = "",
        *,
        headers: Mapping[str, str] | None = None,
        faults: Sequence[InputFault] = (),
        incident: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.status = status_of(code)
        self.code = code
        self.detail = detail
        self.headers = dict(headers or {})
        self.faults = tuple(faults)
        self.incident = incident

    def document(self) -> dict[str, object]:
        """The members of the problem, ready for JSON."""
        members: dict[str, object] = {
            "type": f"/docs#problem-{self.code}",
            "title": TITLES[self.code],
            "status": self.status,
            "detail": self.detail or f"{TITLES[self.code]}.",
            "code": self.code.value,
        }
        if self.faults:
            members["errors"] = [fault.document() for fault in self.faults]
        if self.incident:
            members["incident"] = self.incident
        return members

    def response(self) -> web.Response:
        """The problem as it is sent."""
        return web.Response(
            status=self.status,
            body=json.dumps(self.document(), ensure_ascii=False).encode(),
            content_type=CONTENT_TYPE,
            headers=self.headers,
        )


class NotFound(Problem):
    """Nothing of that id, as far as this principal is concerned: 404, never 403."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(ProblemCode.NOT_FOUND, detail)


class Unauthenticated(Problem):
    """No token, or one that no longer counts."""

    def __init__(
        self,
        detail: str = "Send a valid token as 'Authorization: Bearer <token>'.",
        *,
        code: ProblemCode = ProblemCode.UNAUTHENTICATED,
    ) -> None:
        super().__init__(code, detail, headers={"WWW-Authenticate": 'Bearer realm="warmline"'})


class Forbidden(Problem):
    """This kind of principal, or this role, may not do that at all."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(ProblemCode.FORBIDDEN, detail)


class SecondFactorDue(Problem):
    """Their roles need a second factor; until it is set up nothing else is open to them."""

    def __init__(self) -> None:
        super().__init__(
            ProblemCode.SECOND_FACTOR_DUE,
            "Give an authenticator to this account first: POST /v1/sessions/current/second-factor.",
        )


class BadInput(Problem):
    """The request was understood and something in it is wrong; `faults` says what."""

    def __init__(self, *faults: InputFault) -> None:
        count = "one thing is" if len(faults) == 1 else f"{len(faults)} things are"
        super().__init__(ProblemCode.BAD_INPUT, f"{count} wrong; see errors.", faults=faults)


class Malformed(Problem):
    """The body is not JSON."""

    def __init__(self, detail: str) -> None:
        super().__init__(ProblemCode.MALFORMED, detail)


class BodyTooLarge(Problem):
    """More bytes than any request of ours needs."""

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            ProblemCode.BODY_TOO_LARGE, f"The body may be {limit_bytes} bytes at most."
        )


class UnsupportedMediaType(Problem):
    """The body is not declared as JSON."""

    def __init__(self) -> None:
        super().__init__(
            ProblemCode.UNSUPPORTED_MEDIA_TYPE,
            "Send the body as 'Content-Type: application/json' in UTF-8.",
            headers={"Accept": "application/json"},
        )


class Unavailable(Problem):
    """Trouble of ours that passes: trying again is right, and safe with an Idempotency-Key."""

    def __init__(self, detail: str = "", *, retry_after_seconds: int = RETRY_SECONDS) -> None:
        super().__init__(
            ProblemCode.UNAVAILABLE,
            detail or "Please try again in a moment.",
            headers={"Retry-After": str(retry_after_seconds)},
        )


def of_refusal(refused: Refused) -> Problem:
    """A rule's refusal as the answer that is sent."""
    seconds = refused.retry_after_seconds
    if seconds is None and refused.code is RefusalCode.RATE_LIMITED:
        seconds = RATE_LIMIT_SECONDS
    headers = {} if seconds is None else {"Retry-After": str(seconds)}
    return Problem(refused.code, refused.detail, headers=headers)
