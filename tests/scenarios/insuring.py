"""Programs for the insured, and lists that name them."""

from pathlib import Path

from terms.ids import CallerId, OrderId, PersonId, ProgramId
from tests.billing.policies.lists import cells
from tests.house import House
from tests.people import DOCTOR, TENANT
from tests.warmline.policies.kit import APPLY, Office, as_csv
from warmline.desk.opening import Wish
from warmline.programs import load_shipped

INSURED_DOCTOR = ProgramId("insured-doctor")
EXPERT = ProgramId("insured-expert")
FAMILY_EXPERT = ProgramId("family-expert")
STRICT_EXPERT = ProgramId("strict-expert")

HOLDER, INSURED, GUARDIAN = "+8613800000001", "+8613900000002", "+8613700000003"

_DOCTOR = """
entitlement = "required"
products = ["mind-care"]
waiting_anchor = "effect"
waiting_days = 15
"""
_EXPERT = (
    _DOCTOR
    + """
quota_uses = 1
quota_period = "policy_year"
"""
)
_FAMILY = _EXPERT + 'quota_per = "policyholder"\n'


def write_programs(folder: Path) -> Path:
    """A doctor without limit, an expert once a policy year, one for the whole family, and one who
    may not be kept waiting twice."""
    shipped = load_shipped()[DOCTOR].body
    head = shipped.partition('entitlement = "none"')[0]
    head = head.replace('["+862100000015"]', "[]")
    for id_, cover in (
        (INSURED_DOCTOR, _DOCTOR),
        (EXPERT, _EXPERT),
        (FAMILY_EXPERT, _FAMILY),
        (STRICT_EXPERT, _EXPERT),
    ):
        body = head.replace('id = "family-doctor"', f'id = "{id_}"') + cover
        if id_ == STRICT_EXPERT:
            body = body.replace("no_contact_consumes = false", "no_contact_consumes = true")
        (folder / f"{id_}.toml").write_text(body, encoding="utf-8")
    return folder


async def listed(house: House, *rows: dict[str, str | None]) -> None:
    """A list comes in. Days before noon: purchase and effect on 1 and 2 January 2029."""
    told = {"purchased_on": "2029-01-01", "effective_on": "2029-01-02", "ends_on": "2039-01-01"}
    office = Office(house.pool, house.seal, house.clock.now())
    raw = as_csv([cells(**told | row) for row in rows or ({},)])
    found, applied = await office.take(raw, APPLY)
    assert applied, found.rejected


async def order(
    house: House, caller: CallerId, program: ProgramId, insured: PersonId | None = None
) -> OrderId:
    """Ask for a talk, as the app or the caller does."""
    wish = Wish(program=house.programs[program], caller=caller, insured=insured)
    async with house.pool.acquire() as connection, connection.transaction():
        opened, committed = await house.desk.open_order(connection, TENANT, wish)
    house.desk.tell(committed)
    return opened.id
