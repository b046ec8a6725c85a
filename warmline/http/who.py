"""Who is asking: an app's back end, a caller's device, or a member of staff."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from terms.ids import CallerId, CounselorId, DeviceId, StaffId, TenantId
from warmline.people import StaffRole
from warmline.programs import DEFAULT_SPONSOR


@dataclass(frozen=True, slots=True, kw_only=True)
class AppKey:
    """An app's back end, which acts for its customers."""

    tenant: TenantId
    id: str

    @property
    def label(self) -> str:
        """A stable name for logs, rate limits and kept answers."""
        return f"app:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A caller's verified device."""

    tenant: TenantId
    id: CallerId
    device: DeviceId

    @property
    def label(self) -> str:
        """A stable name for logs, rate limits and kept answers: the account, not the device."""
        return f"caller:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """A signed-in member of staff. `sponsor` narrows an insurer's view to its own customers."""

    tenant: TenantId
    id: StaffId
    roles: frozenset[StaffRole]
    counselor: CounselorId | None = None
    sponsor: str | None = None
    token_hash: bytes = field(default=b"", repr=False)
    second_factor_due: bool = False
    """Their roles need a second factor and they have none yet."""

    @property
    def label(self) -> str:
        """A stable name for logs, rate limits and kept answers."""
        return f"staff:{self.id}"

    @property
    def answers_for(self) -> str:
        """The sponsor whose customers an insurer's person may see; bound to none, the default."""
        return self.sponsor or DEFAULT_SPONSOR


Principal = AppKey | Caller | Staff


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """One kind of principal an operation is open to; for staff, with one of `roles`."""

    kind: type[AppKey] | type[Caller] | type[Staff]
    roles: frozenset[StaffRole] = frozenset()
    while_second_factor_due: bool = False

    def admits(self, who: Principal) -> bool:
        """Whether `who` may come in by this rule."""
        if not isinstance(who, self.kind):
            return False
        return not self.roles or (isinstance(who, Staff) and bool(self.roles & who.roles))


APP = Allowed(kind=AppKey)
CALLER = Allowed(kind=Caller)
ANY_STAFF = Allowed(kind=Staff)
WHOEVER_SIGNED_IN = Allowed(kind=Staff, while_second_factor_due=True)
"""Any staff, also those who have to set up their second factor before anything else."""


def staff(*roles: StaffRole) -> Allowed:
    """Staff that hold at least one of `roles`."""
    return Allowed(kind=Staff, roles=frozenset(roles))


class Tokens(Protocol):
    """One kind of token: who holds this one."""

    async def holder(self, token: str, now: datetime) -> Principal | None:
        """The principal, or None when the token is unknown, expired or revoked at `now`."""
        ...


@dataclass(frozen=True, slots=True)
class TokenKinds:
    """Every kind of token, told apart by its prefix: `wk_` API key, `wd_` device, `ws_` staff."""

    by_prefix: Mapping[str, Tokens]

    async def holder(self, token: str, now: datetime) -> Principal | None:
        """The principal, whatever kind of token it is."""
        tokens = self.by_prefix.get(token[:3])
        return None if tokens is None else await tokens.holder(token, now)
