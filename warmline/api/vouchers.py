"""Vouchers as those see them who hold them: redeemed by a code, listed, and told about."""

from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from billing.store.pasts import pasts_of
from billing.store.vouchers import list_vouchers, load_voucher
from routing.guessing import TriedBy
from terms.ids import CallerId, VoucherId
from terms.refusals import RefusalCode, Refused
from warmline.api.parts import DESK
from warmline.api.voucher_views import VoucherStoryView, VoucherView
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import ID, Model
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.problems import NotFound
from warmline.http.who import CALLER, AppKey, Caller, Staff
from warmline.redeeming import Asker, find_by_code, in_account, take_into_account, tries_from

if TYPE_CHECKING:
    from billing.voucher import Voucher

vouchers = Operations("Vouchers")

TypedCode = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
"""A code as somebody typed it; form and check character are looked at where misses are counted."""


class CodeToRedeem(Model):
    """A voucher's code."""

    code: TypedCode
    """As it was received: spaces, dashes and small letters do not matter."""


@vouchers("GET", "/v1/vouchers", who=(CALLER,), returns={200: PageOf[VoucherView]})
async def list_own_vouchers(asked: Asked, who: Caller, query: Page) -> PageOf[VoucherView]:
    """My vouchers with their states and times, newest first."""
    after = start_after(asked, query)
    async with asked.borrow() as connection:
        rows, _ = await list_vouchers(
            connection,
            asked.tenant,
            who.id,
            limit=query.fetch,
            cursor=None if after is None else str(after[0]),
        )
        pasts = await pasts_of(connection, asked.tenant, rows)
    items, cursor = page_of(
        asked,
        query,
        rows,
        show=lambda voucher: VoucherView.of(voucher, pasts[voucher.id]),
        key=lambda voucher: (voucher.id,),
    )
    return PageOf[VoucherView](items=items, next_cursor=cursor)


@vouchers("GET", "/v1/vouchers/{voucher}", who=(CALLER,), returns={200: VoucherStoryView})
async def get_own_voucher(
    asked: Asked, who: Caller, voucher: Annotated[VoucherId, ID]
) -> VoucherStoryView:
    """One of my vouchers, and what happened to it from its issue on."""
    async with asked.borrow() as connection:
        found = await load_voucher(connection, asked.tenant, voucher)
        if found is None or found.holder != who.id:
            raise NotFound
        pasts = await pasts_of(connection, asked.tenant, [found])
    return VoucherStoryView.of(found, pasts[found.id])


@vouchers(
    "POST",
    "/v1/vouchers/redeem",
    who=(CALLER,),
    returns={200: VoucherView},
    refuses=(
        RefusalCode.VOUCHER_INVALID,
        RefusalCode.VOUCHER_IN_USE,
        RefusalCode.RATE_LIMITED,
    ),
)
async def redeem_voucher(acting: Acting, who: Caller, body: CodeToRedeem) -> VoucherView | Refused:
    """Bring a voucher into my account by its code, without opening an order (A14).

    Whoever redeems it first owns it from then on. Codes that do not exist are counted per device,
    number and address; after too many of them the answer is 429 with Retry-After.
    """
    found = await find_by_code(
        acting.connection,
        acting.frame.seal,
        acting.tenant,
        body.code,
        asker(acting, who, who.id),
        acting.now,
    )
    if isinstance(found, Refused):
        return found
    redeemed = await take_into_account(acting.connection, acting.tenant, found, who.id, acting.now)
    pasts = await pasts_of(acting.connection, acting.tenant, [redeemed])
    return VoucherView.of(redeemed, pasts[redeemed.id])


async def voucher_given(
    acting: Acting, who: Caller | AppKey, given: str, caller: CallerId
) -> "Voucher | Refused":
    """The voucher meant by an id in the account or by a code, now in the account and locked.

    Return the refusal, do not raise it: see `find_by_code`. Raises Refused as `redeem` does.
    """
    own = await in_account(acting.connection, acting.tenant, given, caller)
    if own is not None:
        return own
    found = await find_by_code(
        acting.connection,
        acting.frame.seal,
        acting.tenant,
        given,
        asker(acting, who, caller),
        acting.now,
    )
    if isinstance(found, Refused):
        return found
    return await take_into_account(acting.connection, acting.tenant, found, caller, acting.now)


def asker(asked: Asked, who: Caller | AppKey | Staff, caller: CallerId | None) -> Asker:
    """Whose tries these are. An app's address is the app's own, and stands for no customer."""
    tried_by: dict[TriedBy, bytes] = {}
    metrics = asked.part(DESK).metrics

    def missed(how: str) -> None:
        metrics.voucher_code_misses.labels(how).inc()

    if caller is not None:
        tried_by[TriedBy.NUMBER] = caller.encode()
    match who:
        case Caller(device=device):
            tried_by[TriedBy.DEVICE] = device.encode()
        case Staff(id=id_):
            tried_by[TriedBy.STAFF] = id_.encode()
        case AppKey():
            return Asker(tried_by=tried_by, missed=missed)
    tried_by[TriedBy.ADDRESS] = tries_from(asked.frame.seal, asked.address)
    return Asker(tried_by=tried_by, missed=missed)
