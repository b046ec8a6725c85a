"""Counselors: their records, their presence, and taking one for a call.

Who is busy comes from the dialer's view `engaged_counselors` and from nowhere else.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from routing.counselor import (
    PRACTICE_DAYS,
    THEORY_CLASS_HOURS,
    Activity,
    Counselor,
    CounselorState,
    Grade,
    Hospital,
    Presence,
    Requirement,
    StaffType,
    Training,
    state_of,
)
from routing.store.untaken import read_untaken, write_untaken
from terms.ids import CallId, CounselorId, ProgramId, TenantId
from terms.phone import PhoneNumber, Seal

if TYPE_CHECKING:
    from routing.store.connection import Connection, Record

_QUALIFIED = f"""
    $3 = ANY (c.programs) AND $4 = ANY (c.roles) AND c.skills @> $5
    AND (cardinality($6::text[]) = 0 OR c.staff_type = ANY ($6))
    AND c.grade >= $7 AND c.hospital >= $8
    AND (NOT $9 OR (c.credential_verified_at IS NOT NULL AND c.credential_valid_until > $2))
    AND (NOT $10 OR (c.theory_class_hours >= {THEORY_CLASS_HOURS}
        AND c.practice_days >= {PRACTICE_DAYS} AND c.theory_passed_on IS NOT NULL
        AND c.practice_passed_on IS NOT NULL AND c.assessment_passed_on IS NOT NULL))"""
_ENGAGED_CALL = """(SELECT e.call FROM engaged_counselors e
    WHERE e.tenant = c.tenant AND e.counselor = c.id LIMIT 1)"""
_FREE = f"""
    c.presence = 'available' AND c.lease_until > $2
    AND (c.wrap_up_until IS NULL OR c.wrap_up_until <= $2)
    AND (c.cooldown_until IS NULL OR c.cooldown_until <= $2)
    AND {_ENGAGED_CALL} IS NULL"""
_ACTIVITY = f"""CASE
    WHEN engaged IS NOT NULL THEN '{Activity.ENGAGED}'
    WHEN presence = 'offline' OR lease_until <= $2 THEN '{Activity.OFFLINE}'
    WHEN wrap_up_until > $2 THEN '{Activity.WRAP_UP}'
    WHEN presence = 'break' THEN '{Activity.BREAK}'
    WHEN cooldown_until > $2 THEN '{Activity.COOLDOWN}'
    ELSE '{Activity.FREE}' END"""
"""`activity_of` in SQL, over a counselor's columns and the `engaged` call."""

# The engaged are passed over one by one, quickly: a claim has moved them to the end of the index.
_LONGEST_IDLE = f"""
    SELECT c.* FROM counselors c
    WHERE c.tenant = $1 AND c.id <> ALL ($11::text[]) AND {_FREE} AND {_QUALIFIED}
    ORDER BY c.idle_since, c.id COLLATE "C" LIMIT 1 FOR UPDATE OF c SKIP LOCKED"""
_PREFERRED = f"""
    SELECT c.* FROM counselors c
    WHERE c.tenant = $1 AND c.id = $11 AND {_FREE} AND {_QUALIFIED}
    FOR UPDATE OF c SKIP LOCKED"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A counselor as a catalogue shows them (A09)."""

    counselor: Counselor
    state: CounselorState


async def add_counselor(
    connection: "Connection",
    seal: Seal,
    tenant: TenantId,
    counselor: Counselor,
    number: PhoneNumber,
) -> None:
    """Store a new counselor with the number that rings them."""
    training = counselor.training
    await connection.execute(
        """INSERT INTO counselors (tenant, id, name, phone_index, phone_sealed, programs, roles,
             skills, staff_type, grade, hospital, credential, credential_verified_at,
             credential_valid_until, theory_class_hours, theory_passed_on, practice_days,
             practice_passed_on, assessment_passed_on, presence, lease_until, wrap_up_until,
             cooldown_until, idle_since, untaken, sent_away_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
             $19, $20, $21, $22, $23, $24, $25, $26)""",
        *(tenant, counselor.id, counselor.name, seal.index(number), seal.seal(number)),
        *(sorted(counselor.programs), sorted(counselor.roles), sorted(counselor.skills)),
        *(counselor.staff_type, counselor.grade, counselor.hospital, counselor.credential),
        *(counselor.credential_verified_at, counselor.credential_valid_until),
        *(training.theory_class_hours, training.theory_passed_on, training.practice_days),
        *(training.practice_passed_on, training.assessment_passed_on, counselor.presence),
        *(counselor.lease_until, counselor.wrap_up_until, counselor.cooldown_until),
        *(counselor.idle_since, write_untaken(counselor.untaken), counselor.sent_away_at),
    )


async def load_counselor(
    connection: "Connection", tenant: TenantId, counselor: CounselorId
) -> tuple[Counselor, CallId | None] | None:
    """The counselor and the call that holds them, unlocked: for showing."""
    row = await connection.fetchrow(
        f"""SELECT c.*, {_ENGAGED_CALL} AS engaged FROM counselors c
            WHERE c.tenant = $1 AND c.id = $2""",
        *(tenant, counselor),
    )
    return (_counselor(row), _call(row["engaged"])) if row is not None else None


async def load_several(
    connection: "Connection", whose: Collection[tuple[TenantId, CounselorId]]
) -> dict[tuple[TenantId, CounselorId], tuple[Counselor, CallId | None]]:
    """Those counselors and the calls that hold them, unlocked: for showing."""
    rows = await connection.fetch(
        f"""SELECT c.*, {_ENGAGED_CALL} AS engaged FROM counselors c
            WHERE (c.tenant, c.id) IN (SELECT * FROM unnest($1::text[], $2::text[]))""",
        *([tenant for tenant, _ in whose], [counselor for _, counselor in whose]),
    )
    return {
        (TenantId(row["tenant"]), CounselorId(row["id"])): (_counselor(row), _call(row["engaged"]))
        for row in rows
    }


async def introductions(
    connection: "Connection", tenant: TenantId, counselors: Collection[CounselorId]
) -> dict[CounselorId, tuple[str, str]]:
    """What callers are told of each of them: the name and the credential."""
    rows = await connection.fetch(
        "SELECT id, name, credential FROM counselors WHERE tenant = $1 AND id = ANY ($2)",
        *(tenant, list(counselors)),
    )
    return {CounselorId(row["id"]): (row["name"], row["credential"]) for row in rows}


async def lock_counselor(
    connection: "Connection", tenant: TenantId, counselor: CounselorId
) -> tuple[Counselor, CallId | None] | None:
    """The counselor, held until the transaction ends, and the call that holds them."""
    locked = await lock_counselor_alone(connection, tenant, counselor)
    if locked is None:
        return None
    return locked, await _engaged_call(connection, tenant, counselor)


async def lock_counselor_alone(
    connection: "Connection", tenant: TenantId, counselor: CounselorId
) -> Counselor | None:
    """The counselor, held until the transaction ends, for one who does not ask who is busy."""
    row = await connection.fetchrow(
        "SELECT * FROM counselors WHERE tenant = $1 AND id = $2 FOR UPDATE", tenant, counselor
    )
    return None if row is None else _counselor(row)


async def choose_idle(
    connection: "Connection",
    tenant: TenantId,
    requirement: Requirement,
    now: datetime,
    *,
    prefer: CounselorId | None = None,
    without: Collection[CounselorId] = (),
) -> Counselor | None:
    """The preferred counselor if free, else the qualified one idle longest, held for this call.

    Passes over those in `without`, who turned the call down before, and those whom others are
    taking at this moment, without waiting.
    """
    asked = _asked(tenant, requirement, now)
    if prefer is not None and prefer not in without:
        row = await connection.fetchrow(_PREFERRED, *asked, prefer)
        if row is not None and await _engaged_call(connection, tenant, prefer) is None:
            return _counselor(row)
    passed_over = list(without)
    while row := await connection.fetchrow(_LONGEST_IDLE, *asked, passed_over):
        chosen = _counselor(row)
        # A claim committed while the statement above ran is visible only to a new statement.
        if await _engaged_call(connection, tenant, chosen.id) is None:
            return chosen
        passed_over.append(chosen.id)
    return None


async def next_free_at(
    connection: "Connection", tenant: TenantId, program: ProgramId, now: datetime
) -> datetime | None:
    """When the next wrap-up or cool-down of the program's counselors ends by itself."""
    free_at: datetime | None = await connection.fetchval(
        """SELECT min(greatest(wrap_up_until, cooldown_until)) FROM counselors
           WHERE tenant = $1 AND presence = 'available' AND lease_until > $2
             AND $3 = ANY (programs) AND greatest(wrap_up_until, cooldown_until) > $2""",
        *(tenant, now, program),
    )
    return free_at


async def save_counselor(
    connection: "Connection",
    tenant: TenantId,
    counselor: Counselor,
    *,
    claimed_by: CallId | None = None,
) -> None:
    """Write what a call or the counselor's console changes: presence, lease, untaken offers ..

    `claimed_by`: the call that takes them now.
    """
    await connection.execute(
        """UPDATE counselors SET presence = $3, lease_until = $4, wrap_up_until = $5,
             cooldown_until = $6, idle_since = $7, untaken = $8, sent_away_at = $9,
             offered_call = coalesce($10, offered_call)
           WHERE tenant = $1 AND id = $2""",
        *(tenant, counselor.id, counselor.presence, counselor.lease_until),
        *(counselor.wrap_up_until, counselor.cooldown_until, counselor.idle_since),
        *(write_untaken(counselor.untaken), counselor.sent_away_at, claimed_by),
    )


async def last_claimed_by(
    connection: "Connection", tenant: TenantId, counselor: CounselorId
) -> CallId | None:
    """The call that took them last, whatever became of it."""
    return _call(
        await connection.fetchval(
            "SELECT offered_call FROM counselors WHERE tenant = $1 AND id = $2",
            *(tenant, counselor),
        )
    )


async def list_counselors(
    connection: "Connection",
    tenant: TenantId,
    requirement: Requirement,
    now: datetime,
    *,
    limit: int,
    after: CounselorId | None = None,
) -> list[Listed]:
    """A page of the qualified counselors, by id, those behind `after` (A02)."""
    rows = await connection.fetch(
        f"""SELECT c.*, {_ENGAGED_CALL} AS engaged FROM counselors c
            WHERE c.tenant = $1 AND c.id > $11 AND {_QUALIFIED} ORDER BY c.id LIMIT $12""",
        *_asked(tenant, requirement, now),
        *(after or "", limit),
    )
    return [_listed(row, now) for row in rows]


async def list_present(
    connection: "Connection", tenant: TenantId, now: datetime, *, limit: int
) -> list[tuple[Counselor, CallId | None]]:
    """Everybody at work, on a break included, and whoever a call still holds; by id."""
    rows = await connection.fetch(
        f"""SELECT c.*, {_ENGAGED_CALL} AS engaged FROM counselors c
            WHERE c.tenant = $1
              AND ((c.presence <> 'offline' AND c.lease_until > $2) OR {_ENGAGED_CALL} IS NOT NULL)
            ORDER BY c.id LIMIT $3""",
        *(tenant, now, limit),
    )
    return [(_counselor(row), _call(row["engaged"])) for row in rows]


async def list_all(
    connection: "Connection",
    tenant: TenantId,
    now: datetime,
    *,
    limit: int,
    after: CounselorId | None = None,
    activity: Activity | None = None,
) -> list[tuple[Counselor, CallId | None]]:
    """A page of the roster, or of those who do this now, and the calls that hold them; by id."""
    rows = await connection.fetch(
        f"""SELECT * FROM (SELECT c.*, {_ENGAGED_CALL} AS engaged FROM counselors c
                WHERE c.tenant = $1 AND c.id > $3) AS told
            WHERE $5::text IS NULL OR {_ACTIVITY} = $5 ORDER BY id LIMIT $4""",
        *(tenant, now, after or "", limit, activity),
    )
    return [(_counselor(row), _call(row["engaged"])) for row in rows]


async def program_strength(
    connection: "Connection", tenant: TenantId, program: ProgramId, now: datetime
) -> int:
    """How many counselors are at work on the program, busy ones included."""
    strength = await connection.fetchval(
        """SELECT count(*) FROM counselors
           WHERE tenant = $1 AND presence = 'available' AND lease_until > $2
             AND $3 = ANY (programs)""",
        *(tenant, now, program),
    )
    assert isinstance(strength, int)
    return strength


async def lapse_leases(
    connection: "Connection", tenant: TenantId, now: datetime
) -> list[CounselorId]:
    """Write down as offline whose lease has run out, and tell who.

    Housekeeping: they have been offline since then anyway. It keeps the index of the idle short.
    """
    rows = await connection.fetch(
        """UPDATE counselors SET presence = 'offline', lease_until = NULL, sent_away_at = NULL
           WHERE (tenant, id) IN (
             SELECT tenant, id FROM counselors
             WHERE tenant = $1 AND presence <> 'offline' AND lease_until <= $2
             ORDER BY id FOR UPDATE SKIP LOCKED)
           RETURNING id""",
        *(tenant, now),
    )
    return [CounselorId(row["id"]) for row in rows]


async def _engaged_call(
    connection: "Connection", tenant: TenantId, counselor: CounselorId
) -> CallId | None:
    return _call(
        await connection.fetchval(
            "SELECT call FROM engaged_counselors WHERE tenant = $1 AND counselor = $2 LIMIT 1",
            *(tenant, counselor),
        )
    )


def _asked(tenant: TenantId, requirement: Requirement, now: datetime) -> Sequence[object]:
    """Parameters $1 to $10 of the statements above."""
    return (
        tenant,
        now,
        requirement.program,
        requirement.role,
        sorted(requirement.skills),
        sorted(requirement.staff_types),
        int(requirement.least_grade),
        int(requirement.least_hospital),
        requirement.credential_required,
        requirement.training_required,
    )


def _listed(row: "Record", now: datetime) -> Listed:
    counselor = _counselor(row)
    return Listed(counselor=counselor, state=state_of(counselor, _call(row["engaged"]), now))


def _call(value: str | None) -> CallId | None:
    return CallId(value) if value is not None else None


def _counselor(row: "Record") -> Counselor:
    return Counselor(
        id=CounselorId(row["id"]),
        name=row["name"],
        programs=frozenset(ProgramId(program) for program in row["programs"]),
        roles=frozenset(row["roles"]),
        idle_since=row["idle_since"],
        number_sealed=row["phone_sealed"],
        skills=frozenset(row["skills"]),
        staff_type=StaffType(row["staff_type"]),
        grade=Grade(row["grade"]),
        hospital=Hospital(row["hospital"]),
        credential=row["credential"],
        credential_verified_at=row["credential_verified_at"],
        credential_valid_until=row["credential_valid_until"],
        training=Training(
            theory_class_hours=row["theory_class_hours"],
            theory_passed_on=row["theory_passed_on"],
            practice_days=row["practice_days"],
            practice_passed_on=row["practice_passed_on"],
            assessment_passed_on=row["assessment_passed_on"],
        ),
        presence=Presence(row["presence"]),
        lease_until=row["lease_until"],
        wrap_up_until=row["wrap_up_until"],
        cooldown_until=row["cooldown_until"],
        untaken=read_untaken(row["untaken"]),
        sent_away_at=row["sent_away_at"],
    )
