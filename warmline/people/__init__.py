"""The people and programs that may use this installation: staff, their roles, and API keys."""

from enum import StrEnum


class StaffRole(StrEnum):
    """What a member of staff is there for. One person may hold several."""

    COUNSELOR = "counselor"
    STEWARD = "steward"
    SUPPORT = "support"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    INSURER = "insurer"
