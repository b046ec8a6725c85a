"""Names of things. Every id is made in the shell, time-ordered, and passed in."""

from typing import NewType

TenantId = NewType("TenantId", str)
"""The organisation whose counselors answer; first in every key."""

ProgramId = NewType("ProgramId", str)
CallerId = NewType("CallerId", str)
"""A caller's account: one per phone number and tenant. Not the number shown on a display."""

DeviceId = NewType("DeviceId", str)
OrderId = NewType("OrderId", str)
VoucherId = NewType("VoucherId", str)
PolicyId = NewType("PolicyId", str)
"""A contract of insurance, as an insurer's list names it. Not a section of a program."""

PersonId = NewType("PersonId", str)
"""Somebody whom an insurance policy names: its holder, an insured person, a guardian."""

BookId = NewType("BookId", str)
"""A book of the ledger: `voucher/<id>`, `talk/<order>`, `quota/<program>/<subject>/<period>`."""

CallId = NewType("CallId", str)
LegId = NewType("LegId", str)
CounselorId = NewType("CounselorId", str)
TargetId = NewType("TargetId", str)
"""An agency that takes over a person in danger: police, ambulance, another hotline."""

ClaimId = NewType("ClaimId", str)
StaffId = NewType("StaffId", str)
FollowUpId = NewType("FollowUpId", str)
"""A person to call back after a crisis."""
