"""Why a person's request was not granted. The codes are part of the published contract."""

from enum import StrEnum


class RefusalCode(StrEnum):
    """One stable word per reason; the HTTP status of each is decided in one place of `warmline`."""

    NUMBER_MISMATCH = "number_mismatch"
    DEVICE_NOT_VERIFIED = "device_not_verified"
    OUTSIDE_HOURS = "outside_hours"
    COUNSELOR_OFFLINE = "counselor_offline"
    COUNSELOR_BUSY = "counselor_busy"
    VOUCHER_IN_USE = "voucher_in_use"
    VOUCHER_INVALID = "voucher_invalid"
    CALL_IN_PROGRESS = "call_in_progress"
    ORDER_NOT_OPEN = "order_not_open"
    ORDER_EXPIRED = "order_expired"
    QUOTA_USED = "quota_used"
    NOT_ENTITLED = "not_entitled"
    RATE_LIMITED = "rate_limited"
    CLAIM_TOO_LATE = "claim_too_late"
    NOT_COMPLETED = "not_completed"
    CODE_WRONG = "code_wrong"
    CODE_EXPIRED = "code_expired"
    KEY_REUSED = "key_reused"
    NOT_NOW = "not_now"  # the call is not in a state in which this can be done


class Refused(Exception):
    """A request that cannot be granted now. Raised before anything is changed.

    `detail` tells the reader what to do; `retry_after_seconds` says when trying again may help.
    """

    def __init__(
        self, code: RefusalCode, detail: str, *, retry_after_seconds: int | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


class NotThere(LookupError):
    """No such thing for whoever asks, be it unknown or somebody else's."""
