"""Programs that take appointments, and how they are booked."""

from datetime import datetime
from pathlib import Path

from billing.store.ledger import entries_of
from billing.voucher import voucher_book
from terms.ids import CallerId, CounselorId, OrderId, ProgramId
from tests.house import House
from tests.people import LISTENING, TENANT
from tests.scenarios.insuring import EXPERT, write_programs
from warmline.desk.opening import Wish
from warmline.programs import load_shipped

CANCELS = ProgramId("cancels-unreached")

TAKES_APPOINTMENTS = "\nappointments = true\n"


def write_appointed(folder: Path) -> Path:
    """The listening talk and the insured's expert by appointment; a listening talk that is
    cancelled when nobody can be reached."""
    write_programs(folder)
    expert = folder / f"{EXPERT}.toml"
    text = expert.read_text(encoding="utf-8").replace('hours = "24h"', 'hours = "10:00-22:00"')
    expert.write_text(text + TAKES_APPOINTMENTS, encoding="utf-8")
    body = load_shipped()[LISTENING].body + TAKES_APPOINTMENTS
    (folder / "listening.toml").write_text(body, encoding="utf-8")
    cancels = body.replace(f'id = "{LISTENING}"', f'id = "{CANCELS}"')
    cancels = cancels.replace('["+862100000025"]', "[]").replace('"keep"', '"cancel"')
    (folder / "cancels.toml").write_text(cancels, encoding="utf-8")
    return folder


async def book(
    house: House,
    caller: CallerId,
    program: ProgramId,
    starts_at: datetime,
    counselor: CounselorId | None = None,
) -> OrderId:
    """Ask for an appointment without a voucher, as the app or the caller does."""
    wish = Wish(
        program=house.programs[program], caller=caller, counselor=counselor, starts_at=starts_at
    )
    async with house.pool.acquire() as connection, connection.transaction():
        opened, committed = await house.desk.open_order(connection, TENANT, wish)
    house.desk.tell(committed)
    return opened.id


async def reasons(house: House, order: OrderId) -> list[str]:
    """What the book of whatever pays for the order tells of it, in order."""
    seen = await house.see_order(order)
    book_id = seen.quota if seen.voucher is None else voucher_book(seen.voucher)
    assert book_id is not None
    async with house.pool.acquire() as connection:
        entries = await entries_of(connection, TENANT, book_id)
    return [entry.reason for entry in entries if entry.order == order]
