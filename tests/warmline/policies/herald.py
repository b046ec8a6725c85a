"""Everybody who tells customers of a change, for tests, and what they told."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry

from billing.policies.changes import Change, ChangeKind
from billing.store.vouchers import insert_vouchers, load_voucher, save_voucher
from billing.voucher import Voucher, issue, prepare, redeem, void
from routing.store.callers import get_or_create_caller
from terms.ids import CallerId, ProgramId, VoucherId
from terms.phone import PhoneNumber
from terms.values import replace
from tests.people import LISTENING, TENANT
from tests.warmline.notices.kit import ZONES, Airwaves
from warmline.clock import VirtualClock
from warmline.ids import new_id
from warmline.notices.delivery import Delivery, NoticeMetrics
from warmline.notices.senders import Sender, Sms
from warmline.notices.status import RecordedPusher
from warmline.policies.accounts import AccountTeller
from warmline.policies.covers import covers_of
from warmline.policies.keeping import PolicyKeeper
from warmline.policies.store import Reached, reached_by_change
from warmline.policies.withholding import withholding_by_template
from warmline.programs import Program, load_shipped
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

EFFECTIVE = date(2025, 6, 1)
TEN = datetime(2025, 5, 1, 2, tzinfo=UTC)
"""10:00 in China on the day the change is announced."""

CHANGE = Change(
    kind=ChangeKind.CHANGE,
    effective_on=EFFECTIVE,
    announced_on=date(2025, 5, 1),
    zh="通话时间改为9点至21点",
    en="talks from 9:00 to 21:00",
)


def announcing(*changes: Change) -> dict[ProgramId, Program]:
    """The shipped programs, of which the listening talk announces these; it gives no voucher by
    itself, so that nothing else is sent."""
    programs = load_shipped()
    sheet = programs[LISTENING]
    cover = replace(sheet.billing.cover, changes=changes, vouchers_per_policy_year=0)
    programs[LISTENING] = replace(sheet, billing=replace(sheet.billing, cover=cover))
    return programs


@dataclass(slots=True)
class Herald:
    """Keeper, teller and sender of one installation, each made anew at every step."""

    pool: "Pool[Record]"
    seal: AesSeal
    clock: VirtualClock
    air: Airwaves
    programs: dict[ProgramId, Program] = field(default_factory=lambda: announcing(CHANGE))

    def keeper(self) -> PolicyKeeper:
        """Who tells policyholders."""
        return PolicyKeeper(
            self.pool, self.seal, self.clock, self.programs, new_id=new_id, sent=lambda: None
        )

    def teller(self) -> AccountTeller:
        """Who tells accounts."""
        return AccountTeller(
            self.pool, TENANT, self.clock, self.programs, new_id=new_id, sent=lambda: None
        )

    async def look(self, at: datetime | None = None) -> None:
        """A process that has just started looks at everything."""
        if at is not None:
            self.clock.move_to(at)
        await self.keeper().look()
        await self.teller().look()

    async def send(self, sender: Sender | None = None) -> list[Sms]:
        """Have everything sent that waits; all SMS that were sent so far."""
        delivery = Delivery(
            pool=self.pool,
            seal=self.seal,
            clock=self.clock,
            sender=sender or self.air,
            pusher=RecordedPusher(self.pool, self.seal, self.clock),
            zones=ZONES,
            metrics=NoticeMetrics(CollectorRegistry()),
            withholding=withholding_by_template(covers_of(self.programs)),
        )
        for row in await self.pool.fetch("SELECT id FROM notices WHERE outcome IS NULL"):
            await delivery.deliver(TENANT, row["id"])
        return self.air.sent

    async def numbers_told(self, at: datetime | None = None) -> list[str]:
        """Look and send; the last digits of everybody who was told so far, in order."""
        await self.look(at)
        return sorted(sms.to.digits[-4:] for sms in await self.send())

    async def pushed(self) -> list[dict[str, Any]]:
        """What apps were told."""
        rows = await self.pool.fetch(
            "SELECT text_sealed FROM sim_messages WHERE kind = 'status' ORDER BY id"
        )
        return [json.loads(self.seal.open_text(row["text_sealed"], "message")) for row in rows]

    async def account(self, number: str) -> CallerId:
        """The account of a number."""
        async with self.pool.acquire() as connection:
            caller = await get_or_create_caller(
                connection,
                self.seal,
                TENANT,
                PhoneNumber(number),
                lambda: CallerId(new_id("caller")),
                self.clock.now(),
            )
        return caller.id

    async def voucher(self, number: str, *, good_for: timedelta = timedelta(days=365)) -> Voucher:
        """One of a batch, redeemed by the account of a number."""
        now, id_ = self.clock.now(), VoucherId(new_id("voucher"))
        prepared = prepare(
            id=id_,
            program=LISTENING,
            code_hash=id_.encode().ljust(32)[-32:],
            code_ending="ABCD",
            valid_until=now + good_for,
            now=now,
        )
        issued = issue(prepared[0], now)
        caller = await self.account(number)
        async with self.pool.acquire() as connection, connection.transaction():
            await insert_vouchers(connection, TENANT, [[prepared, issued]])
            redeemed, entry = redeem(issued[0], caller, now)
            assert entry is not None
            await save_voucher(connection, TENANT, redeemed, entry)
        return redeemed

    async def void(self, voucher: VoucherId) -> None:
        """An operator puts an unused voucher out of use."""
        async with self.pool.acquire() as connection, connection.transaction():
            found = await load_voucher(connection, TENANT, voucher)
            assert found is not None
            fallen, entry = void(found, reason="by hand", now=self.clock.now())
            assert entry is not None
            await save_voucher(connection, TENANT, fallen, entry)

    async def reached(self, change: Change = CHANGE) -> Reached:
        """What an operator reads of it."""
        async with self.pool.acquire() as connection:
            found = await reached_by_change(connection, TENANT, LISTENING)
        return found.get(change.key, Reached(known_at=None))


def counts(reached: Reached) -> Sequence[int]:
    """Told, waiting, failed, withheld."""
    return reached.told, reached.waiting, reached.failed, reached.withheld
