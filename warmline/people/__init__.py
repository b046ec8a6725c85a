"""The people and programs that may use this installation: staff, their roles, and API keys."""

from collections.abc import Collection
from enum import StrEnum


class StaffRole(StrEnum):
    """What a member of staff is there for. One person may hold several."""

    COUNSELOR = "counselor"
    STEWARD = "steward"
    SUPPORT = "support"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    INSURER = "insurer"


SECOND_FACTOR_ROLES = frozenset({StaffRole.SUPPORT, StaffRole.SUPERVISOR, StaffRole.OPERATOR})
"""Who sees other people's calls or governs the house: a password alone does not let them in."""


def needs_second_factor(roles: Collection[StaffRole]) -> bool:
    """Whether somebody with these roles signs in with a one-time code as well."""
    return not SECOND_FACTOR_ROLES.isdisjoint(roles)
