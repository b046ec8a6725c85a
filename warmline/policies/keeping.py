"""What policies are due, given when it is due: vouchers issued, codes sent, unused ones voided,
their holders told of changes ahead.

Any number of processes look at once: each takes policies that nobody else holds, and what was given
for a policy year is a row that cannot be written twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from billing.code import spaced
from billing.policies.announcing import Announced
from billing.policies.issuing import Attention, Due, attend
from billing.store.changes import policyholder_addresses
from billing.store.policy_vouchers import (
    POLICY_ENDED,
    DuePolicy,
    gives_otherwise,
    lock_due_policies,
    look_at_some,
    next_policy_due_at,
    note_covers,
    note_given,
    note_looked_at,
    policyholder_phones,
    tenants_with_policies,
)
from billing.store.vouchers import insert_vouchers, lock_voucher, save_voucher
from billing.voucher import Moved, Voucher, issue, prepare, revive, void
from routing.store.callers import accounts_of, load_caller
from terms.ids import PolicyId, ProgramId, TenantId, VoucherId
from warmline.clock import Clock
from warmline.notices.codes import send_voucher_code
from warmline.notices.texts import VOUCHER_CODE, VOUCHER_REVIVED
from warmline.policies.announcing import Addressee, tell
from warmline.policies.covers import covers_of, digest_of
from warmline.programs import Program
from warmline.seal import AesSeal
from warmline.vouchers import code_digest, ending_of, new_codes
from warmline.workers.looking import Looker

if TYPE_CHECKING:
    from asyncpg import Pool

    from warmline.desk.store import Connection, Record

_log = structlog.get_logger()

AT_ONCE = 200
DUE_AT_ONCE = 5000
REINSTATED = "policy_reinstated"
"""Why there is a voucher in place of one that fell, in the ledger."""

_AFTER_A_FAULT = timedelta(minutes=10)
_SENSELESS = (TypeError, ValueError, ArithmeticError, AssertionError, LookupError)


@dataclass(slots=True)
class _Round:
    """What one transaction did."""

    policies: int = 0
    given: int = 0
    voided: int = 0
    revived: int = 0
    told: int = 0


class PolicyKeeper(Looker):
    """Looks at every policy whose time has come (A05, A16, A17, A20, A21, B04, X15)."""

    name = "policies"

    def __init__(
        self,
        pool: "Pool[Record]",
        seal: AesSeal,
        clock: Clock,
        programs: Mapping[ProgramId, Program],
        *,
        new_id: Callable[[str], str],
        sent: Callable[[], None],
    ) -> None:
        super().__init__(clock)
        self._pool = pool
        self._seal = seal
        self._covers = covers_of(programs)
        self._new_id = new_id
        self._sent = sent
        self._knows_programs = False

    async def look(self) -> datetime | None:
        """Some policies after the other, until none is due that is not in another's hands."""
        if not self._knows_programs:
            await self._notice_programs()
            self._knows_programs = True
        while await self._attend_to_some():
            pass
        async with self._pool.acquire() as connection:
            return await next_policy_due_at(connection)

    async def _notice_programs(self) -> None:
        """Programs that give something else than when policies were last looked at: all of them
        are due, some thousands at a time, so that nobody waits long for one of them."""
        digest = digest_of(self._covers)
        async with self._pool.acquire() as connection:
            for tenant in await tenants_with_policies(connection):
                if not await gives_otherwise(connection, tenant, digest):
                    continue
                now, last = self.clock.now(), None
                while last := await look_at_some(connection, tenant, last, now, DUE_AT_ONCE):
                    pass
                await note_covers(connection, tenant, digest)

    async def _attend_to_some(self) -> bool:
        try:
            done = await self._attend(AT_ONCE)
        except _SENSELESS:
            _log.exception("policies_cannot_be_attended_to")
            return await self._attend_to_one()
        if done.given or done.revived or done.told:
            self._sent()
        if done.given or done.voided or done.revived or done.told:
            _log.info("policies_attended_to", **_told(done))
        return done.policies > 0

    async def _attend_to_one(self) -> bool:
        """One policy that we cannot make sense of must not stop the others."""
        try:
            return (await self._attend(1)).policies > 0
        except _SENSELESS:
            now = self.clock.now()
            async with self._pool.acquire() as connection, connection.transaction():
                due = await lock_due_policies(connection, now, 1)
                for one in due:
                    _log.exception("policy_put_off", policy=one.id, tenant=one.tenant)
                    await note_looked_at(connection, one.tenant, [(one.id, now + _AFTER_A_FAULT)])
            return bool(due)

    async def _attend(self, limit: int) -> _Round:
        now = self.clock.now()
        async with self._pool.acquire() as connection, connection.transaction():
            due = await lock_due_policies(connection, now, limit)
            if not due:
                return _Round()
            tenant = due[0].tenant
            attended = [
                (one, attend(one.sponsor, one.terms, one.given, self._covers, now)) for one in due
            ]
            voided = await self._void(connection, tenant, attended, now)
            given = await self._give(connection, tenant, attended, now)
            revived = await self._revive(connection, tenant, attended, now)
            told = await self._tell(connection, tenant, attended, now)
            await note_looked_at(
                connection, tenant, [(one.id, attention.look_at) for one, attention in attended]
            )
        return _Round(policies=len(due), given=given, voided=voided, revived=revived, told=told)

    async def _void(
        self,
        connection: "Connection",
        tenant: TenantId,
        attended: Sequence[tuple[DuePolicy, Attention]],
        now: datetime,
    ) -> int:
        """Unused vouchers fall with their policy; a held one is never cut off (X15)."""
        voided = 0
        for id_ in sorted(voucher for _, attention in attended for voucher in attention.void):
            voucher = await lock_voucher(connection, tenant, id_)
            assert voucher is not None
            fallen, entry = void(voucher, reason=POLICY_ENDED, now=now)
            if entry is not None:
                await save_voucher(connection, tenant, fallen, entry)
                voided += 1
        return voided

    async def _give(
        self,
        connection: "Connection",
        tenant: TenantId,
        attended: Sequence[tuple[DuePolicy, Attention]],
        now: datetime,
    ) -> int:
        """A voucher for each that is due, its code on its way to the policyholder."""
        wanted = [(one.id, due) for one, attention in attended for due in attention.give]
        if not wanted:
            return 0
        phones = await policyholder_phones(connection, tenant, [policy for policy, _ in wanted])
        codes = new_codes(len(wanted))
        made = [
            _issued(self._seal, VoucherId(self._new_id("voucher")), due, code, now)
            for (_, due), code in zip(wanted, codes, strict=True)
        ]
        await insert_vouchers(connection, tenant, made)
        given: list[tuple[PolicyId, Due, VoucherId]] = []
        for (policy, due), moves, code in zip(wanted, made, codes, strict=True):
            voucher = moves[-1][0]
            given.append((policy, due, voucher.id))
            await self._send(connection, tenant, voucher, code, phones[policy], VOUCHER_CODE, now)
        await note_given(connection, tenant, given, now)
        return len(given)

    async def _revive(
        self,
        connection: "Connection",
        tenant: TenantId,
        attended: Sequence[tuple[DuePolicy, Attention]],
        now: datetime,
    ) -> int:
        """In place of what fell with a policy that is in force again: a new code, the old end."""
        wanted = [(one.id, old) for one, attention in attended for old in attention.revive]
        if not wanted:
            return 0
        phones = await policyholder_phones(connection, tenant, [policy for policy, _ in wanted])
        for policy, id_ in wanted:
            fallen = await lock_voucher(connection, tenant, id_)
            assert fallen is not None
            (code,) = new_codes(1)
            prepared = revive(
                fallen,
                id=VoucherId(self._new_id("voucher")),
                code_hash=code_digest(self._seal, code),
                code_ending=ending_of(code),
                reason=REINSTATED,
                now=now,
            )
            issued = issue(prepared[0], now)
            await insert_vouchers(connection, tenant, [[prepared, issued]])
            to = await self._address(connection, tenant, fallen, phones[policy])
            await self._send(connection, tenant, issued[0], code, to, VOUCHER_REVIVED, now)
        return len(wanted)

    async def _tell(
        self,
        connection: "Connection",
        tenant: TenantId,
        attended: Sequence[tuple[DuePolicy, Attention]],
        now: datetime,
    ) -> int:
        """Policyholders learn ahead of what will be otherwise, each number once (B04)."""
        wanted: dict[Announced, list[PolicyId]] = {}
        for one, attention in attended:
            for announced in attention.tell:
                wanted.setdefault(announced, []).append(one.id)
        if not wanted:
            return 0
        of_whom = {policy for policies in wanted.values() for policy in policies}
        addresses = await policyholder_addresses(connection, tenant, of_whom)
        accounts = await accounts_of(connection, tenant, [one.index for one in addresses.values()])
        told = 0
        # In one order, so that two keepers who tell the same numbers do not wait in a circle.
        for announced, policies in sorted(
            wanted.items(), key=lambda one: (one[0].program, one[0].change.key)
        ):
            holders = [addresses[policy] for policy in policies if policy in addresses]
            told += await tell(
                connection,
                tenant,
                announced,
                self._covers[announced.program][1],
                [
                    Addressee(
                        phone_index=one.index,
                        caller=accounts.get(one.index),
                        address_sealed=one.sealed,
                    )
                    for one in holders
                ],
                now=now,
                new_id=self._new_id,
            )
        return told

    async def _address(
        self, connection: "Connection", tenant: TenantId, fallen: Voucher, policyholder: bytes
    ) -> bytes:
        """Whose voucher it is by now, sealed: its holder's, else the policyholder's (A05, X14)."""
        if fallen.holder is None:
            return policyholder
        holder = await load_caller(connection, self._seal, tenant, fallen.holder)
        return policyholder if holder is None else self._seal.seal(holder.number)

    async def _send(
        self,
        connection: "Connection",
        tenant: TenantId,
        voucher: Voucher,
        code: str,
        address_sealed: bytes,
        template: str,
        now: datetime,
    ) -> None:
        """A code on its way, not before the program's hour and not after (X12)."""
        await send_voucher_code(
            connection,
            self._seal,
            tenant,
            voucher.id,
            spaced(code),
            template=template,
            hours=self._covers[voucher.program][1],
            address_sealed=address_sealed,
            valid_until=voucher.valid_until,
            now=now,
            new_id=self._new_id,
        )


def _issued(seal: AesSeal, id_: VoucherId, due: Due, code: str, now: datetime) -> list[Moved]:
    prepared = prepare(
        id=id_,
        program=due.program,
        code_hash=code_digest(seal, code),
        code_ending=ending_of(code),
        valid_until=due.valid_until,
        now=now,
    )
    return [prepared, issue(prepared[0], now)]


def _told(done: _Round) -> dict[str, int]:
    return {
        "looked_at": done.policies,
        "given": done.given,
        "voided": done.voided,
        "revived": done.revived,
        "told": done.told,
    }
