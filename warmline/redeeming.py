"""From what somebody typed to a voucher: the one way in for codes, and the lock on its door."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

import structlog

from billing.code import read
from billing.store.vouchers import (
    load_voucher,
    lock_voucher,
    lock_voucher_by_code,
    save_voucher,
)
from billing.voucher import Voucher, redeem
from routing.guessing import Miss, TriedBy, refusal
from routing.store.guesses import code_locked_until, count_miss
from terms.ids import CallerId, TenantId, VoucherId
from terms.refusals import RefusalCode, Refused
from warmline.seal import AesSeal
from warmline.vouchers import code_digest

if TYPE_CHECKING:
    from warmline.database import Connection

_ADDRESS_PURPOSE = "guesser's address"
_LOCKED = "locked"
_IPV6_PREFIX = 64  # what one household or phone is given

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who types a code, in every way in which misses are counted; `missed` tells operators."""

    tried_by: Mapping[TriedBy, bytes] = field(repr=False)
    missed: Callable[[str], None]


def tries_from(seal: AesSeal, address: str) -> bytes:
    """The subject under which an address is counted: keyed, and for IPv6 its whole network."""
    try:
        parsed = ip_address(address)
    except ValueError:
        parsed = None
    if isinstance(parsed, IPv6Address):
        address = str(ip_network((parsed, _IPV6_PREFIX), strict=False))
    return seal.sign(address.encode(), _ADDRESS_PURPOSE)


async def find_by_code(
    connection: "Connection",
    seal: AesSeal,
    tenant: TenantId,
    typed: str,
    asker: Asker,
    now: datetime,
) -> Voucher | Refused:
    """The voucher behind what was typed, locked; or why not, and then the miss is counted.

    Return the refusal from the endpoint, do not raise it: what is rolled back was a free guess.
    Whoever is locked out is refused before anything is looked up.
    """
    until = await code_locked_until(connection, tenant, asker.tried_by, now)
    if until is not None:
        _log.warning("voucher_codes_locked", tried_by=sorted(asker.tried_by), until=str(until))
        asker.missed(_LOCKED)
        return refusal(until, now)
    try:
        code = read(typed)
    except Refused as slip:
        await count_miss(connection, tenant, asker.tried_by, Miss.SLIP, now)
        asker.missed(Miss.SLIP)
        return slip
    found = await lock_voucher_by_code(connection, tenant, code_digest(seal, code))
    if found is None:
        await count_miss(connection, tenant, asker.tried_by, Miss.GUESS, now)
        asker.missed(Miss.GUESS)
        return Refused(
            RefusalCode.VOUCHER_INVALID, "There is no such voucher; check the code you received."
        )
    return found


async def take_into_account(
    connection: "Connection",
    tenant: TenantId,
    found: Voucher,
    caller: CallerId,
    now: datetime,
) -> Voucher:
    """The voucher in the account of whoever redeems it first (A14, X14).

    `found` is locked. Raises Refused as `billing.voucher.redeem` does.
    """
    redeemed, entry = redeem(found, caller, now)
    if entry is not None:
        await save_voucher(connection, tenant, redeemed, entry)
    return redeemed


async def in_account(
    connection: "Connection", tenant: TenantId, given: str, caller: CallerId
) -> Voucher | None:
    """The voucher of this id, locked, if it is in the caller's account: no code is tried then."""
    seen = await load_voucher(connection, tenant, VoucherId(given))
    if seen is None or seen.holder != caller:
        return None
    return await lock_voucher(connection, tenant, seen.id)
