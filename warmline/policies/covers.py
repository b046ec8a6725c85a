"""What the programs of an installation give to whose policies, and how to tell that it changed."""

import hashlib
from collections.abc import Mapping

from billing.policies.issuing import Covers
from terms.ids import ProgramId
from warmline.programs import Program


def covers_of(programs: Mapping[ProgramId, Program]) -> Covers:
    """What each program gives to whose policies."""
    return {id_: (program.sponsor, program.billing.cover) for id_, program in programs.items()}


def digest_of(covers: Covers) -> str:
    """Another text for programs that give something else."""
    told = [
        (
            *(id_, sponsor, sorted(cover.products), cover.waiting_anchor.value),
            *(cover.waiting_days, cover.vouchers_per_policy_year),
            *(cover.send_hour, cover.send_until_hour, cover.offered_until),
            *((change.key, change.announced_on) for change in cover.changes),
        )
        for id_, (sponsor, cover) in sorted(covers.items())
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()
