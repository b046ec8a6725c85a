"""A keeper of policies for tests, and what it did."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from billing.code import read
from billing.store.vouchers import load_voucher
from billing.voucher import Voucher
from terms.ids import VoucherId
from tests.billing.policies.lists import cells
from tests.people import TENANT
from tests.warmline.notices.kit import ZONES, Airwaves
from tests.warmline.policies.kit import Office, as_csv
from warmline.clock import VirtualClock
from warmline.ids import new_id
from warmline.notices.delivery import Delivery, NoticeMetrics
from warmline.notices.senders import Sms
from warmline.notices.status import RecordedPusher
from warmline.policies.covers import covers_of
from warmline.policies.keeping import PolicyKeeper
from warmline.policies.withholding import withholding_by_template
from warmline.programs import load_shipped
from warmline.seal import AesSeal
from warmline.vouchers import code_digest

if TYPE_CHECKING:
    from asyncpg import Pool, Record

DUE = datetime(2025, 2, 1, 2, tzinfo=UTC)
"""10:00 in China, when the wait of a policy bought like this is over."""

BOUGHT = {"purchased_on": "2025-01-01", "effective_on": "2025-01-02"}
SECRET = b"a secret that only the tests know, 0123456789"


def keeper(
    pool: "Pool[Record]", seal: AesSeal, clock: VirtualClock, *, vouchers_a_year: int = 1
) -> PolicyKeeper:
    """With the shipped programs."""
    programs = load_shipped()
    for id_, program in programs.items():
        if program.billing.cover.vouchers_per_policy_year:
            cover = replace(program.billing.cover, vouchers_per_policy_year=vouchers_a_year)
            programs[id_] = replace(program, billing=replace(program.billing, cover=cover))
    return PolicyKeeper(pool, seal, clock, programs, new_id=new_id, sent=lambda: None)


@dataclass(frozen=True, slots=True)
class Kept:
    """The keeper, the sender, and the clock that both go by."""

    pool: "Pool[Record]"
    seal: AesSeal
    clock: VirtualClock
    air: Airwaves

    async def look(self, at: datetime | None = None) -> datetime | None:
        """Have the keeper look, at `at` or now; when it means to look again."""
        if at is not None:
            self.clock.move_to(at)
        return await keeper(self.pool, self.seal, self.clock).look()

    async def send(self) -> list[Sms]:
        """Have everything sent that waits; all that was sent so far."""
        delivery = Delivery(
            pool=self.pool,
            seal=self.seal,
            clock=self.clock,
            sender=self.air,
            pusher=RecordedPusher(self.pool, self.seal, self.clock),
            zones=ZONES,
            metrics=NoticeMetrics(CollectorRegistry()),
            withholding=withholding_by_template(covers_of(load_shipped())),
        )
        for row in await self.pool.fetch("SELECT id FROM notices WHERE outcome IS NULL"):
            await delivery.deliver(TENANT, row["id"])
        return self.air.sent

    async def vouchers(self) -> list[Voucher]:
        """All there are, oldest first."""
        found = []
        async with self.pool.acquire() as connection:
            for row in await connection.fetch("SELECT id FROM vouchers ORDER BY id"):
                voucher = await load_voucher(connection, TENANT, VoucherId(row["id"]))
                assert voucher is not None
                found.append(voucher)
        return found

    def opens(self, sms: Sms, voucher: Voucher) -> bool:
        """Whether the code in the text is this voucher's."""
        words = (word for word in sms.text.replace("，", " ").split() if "-" in word)
        code = read(next(words).removeprefix("兑换码")[-19:])
        return code_digest(self.seal, code) == voucher.code_hash


async def listed(kept: Kept, *numbers: str, **changed: str | None) -> None:
    """A list comes in that names these policies."""
    rows = [cells(policy_number=number, **BOUGHT | changed) for number in numbers or ("P-1",)]
    office = Office(kept.pool, kept.seal, kept.clock.now())
    _, applied = await office.take(as_csv(rows))
    assert applied
