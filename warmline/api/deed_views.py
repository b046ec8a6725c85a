"""What staff did about a thing, as other staff read it."""

from warmline.audit import Audited
from warmline.http.model import Instant, Model


class DeedView(Model):
    """What somebody of the staff did about it."""

    at: Instant
    staff: str
    """The id of their account."""

    name: str | None
    """Who that is: a counselor's name, or else the account's e-mail; none where it is gone."""

    action: str
    reason: str | None

    @classmethod
    def of(cls, audited: Audited) -> "DeedView":
        """With the reason that was given."""
        deed = audited.deed
        return cls(
            at=audited.at,
            staff=deed.staff,
            name=audited.name,
            action=deed.action,
            reason=deed.reason,
        )
