"""Vouchers as operators and support work with them: issued, found, looked at, voided, replaced."""

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from billing.code import spaced
from billing.history import Past
from billing.order import LIVE
from billing.remedy import reissued
from billing.store.orders import save_settlement
from billing.store.pasts import pasts_of
from billing.store.vouchers import list_vouchers, load_voucher, lock_voucher, save_voucher
from billing.voucher import State, Voucher, void
from routing.store.callers import find_caller, load_caller
from terms.ids import CallerId, ProgramId, TenantId, VoucherId
from terms.phone import PhoneNumber
from terms.refusals import RefusalCode, Refused
from warmline.api.parts import DESK, PROGRAMS
from warmline.api.voucher_views import StaffVoucherStoryView, StaffVoucherView
from warmline.api.vouchers import TypedCode, asker
from warmline.audit import Deed, deeds_about, note_deed
from warmline.desk.writing import Committed
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked
from warmline.http.model import ID, Instant, Line, Model, Phone
from warmline.http.paging import Key, Page, PageOf, page_of, start_after
from warmline.http.problems import BadInput, InputFault, NotFound
from warmline.http.who import Staff, staff
from warmline.people import StaffRole
from warmline.redeeming import find_by_code
from warmline.reissuing import replace_voucher
from warmline.vouchers import MOST_AT_ONCE, VALID_BEFORE, issue_vouchers, new_codes

if TYPE_CHECKING:
    from warmline.database import Connection

voucher_office = Operations("Voucher office")

OPERATOR = staff(StaffRole.OPERATOR)
MAY_REPLACE = staff(StaffRole.SUPPORT, StaffRole.SUPERVISOR)
MAY_LOOK = staff(StaffRole.SUPPORT, StaffRole.SUPERVISOR, StaffRole.OPERATOR)

VOIDED_BY_OPERATOR = "voided_by_operator"
"""The ledger's word; why in somebody's own words is in the record of what staff did."""


class VouchersToIssue(Model):
    """How many vouchers of which program, and until when they are good."""

    program: Annotated[ProgramId, ID]
    count: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)]
    valid_until: Instant
    """The first moment at which they are no longer good."""


class IssuedVoucher(Model):
    """A new voucher."""

    id: str
    code: str
    """As it is sent: groups of four with dashes."""


class IssuedVouchers(Model):
    """New vouchers. Their codes are nowhere else, and are not shown again."""

    program: str
    valid_until: Instant
    vouchers: list[IssuedVoucher]


class VoucherSought(Model):
    """What to look for: exactly one of these."""

    code: TypedCode | None = None
    """As the person reads it out. It is looked up and not kept."""

    voucher: Annotated[VoucherId, ID] | None = None
    phone: Phone | None = None
    """The number of the account that holds it."""


class Why(Model):
    """Why something is done, for whoever looks later."""

    reason: Line


class ReplacedVoucher(Model):
    """The voucher that was put away, and the one in its place."""

    replaced: StaffVoucherView
    replacement: StaffVoucherView


@voucher_office(
    "POST",
    "/v1/vouchers",
    who=(OPERATOR,),
    returns={201: IssuedVouchers},
    secret=True,
)
async def create_vouchers(acting: Acting, who: Staff, body: VouchersToIssue) -> IssuedVouchers:
    """Issue vouchers. Their codes are in this answer alone: only keyed hashes are kept.

    Send an `Idempotency-Key`: the same request under the same key is given the same codes for 24
    hours, from an answer kept under seal. Without a key a lost answer is lost.
    """
    _check(acting, body)
    codes = new_codes(body.count)
    issued = await issue_vouchers(
        acting.connection,
        acting.frame.seal,
        acting.tenant,
        program=body.program,
        codes=codes,
        valid_until=body.valid_until,
        now=acting.now,
    )
    await _note(acting, who, "vouchers.issued", issued[0].id, f"{len(issued)} of {body.program}")
    return IssuedVouchers(
        program=body.program,
        valid_until=body.valid_until,
        vouchers=[
            IssuedVoucher(id=voucher.id, code=spaced(code))
            for voucher, code in zip(issued, codes, strict=True)
        ],
    )


def _check(acting: Acting, body: VouchersToIssue) -> None:
    faults = []
    program = acting.part(PROGRAMS).get(body.program)
    if program is None or program.billing.voucher != "required":
        faults.append(_fault("/program", "no program of that id takes vouchers"))
    if body.valid_until <= acting.now:
        faults.append(_fault("/valid_until", "is over: choose a time to come"))
    if body.valid_until >= VALID_BEFORE:
        faults.append(_fault("/valid_until", f"must be before the year {VALID_BEFORE.year}"))
    if faults:
        raise BadInput(*faults)


@voucher_office(
    "POST",
    "/v1/staff/vouchers/search",
    who=(MAY_LOOK,),
    returns={200: PageOf[StaffVoucherView]},
    refuses=(RefusalCode.VOUCHER_INVALID, RefusalCode.RATE_LIMITED),
)
async def search_vouchers(
    acting: Acting, who: Staff, query: Page, body: VoucherSought
) -> PageOf[StaffVoucherView] | Refused:
    """Find vouchers by code, by id or by their holder's number, newest first.

    A POST, for a code never stands in an address. Who looked is on record. A code that does not
    exist is refused and counted, as it is for callers.
    """
    _must_name_one(body)
    rows = await _sought(acting, who, query, body)
    if isinstance(rows, Refused):
        return rows
    for row in rows[: query.limit]:
        await _note(acting, who, "voucher.searched", row.id)
    shown = {row.id: await _shown(acting, acting.connection, row) for row in rows}
    items, cursor = page_of(
        acting, query, rows, show=lambda row: shown[row.id], key=lambda row: (row.id,)
    )
    return PageOf[StaffVoucherView](items=items, next_cursor=cursor)


async def _sought(
    acting: Acting, who: Staff, query: Page, body: VoucherSought
) -> list[Voucher] | Refused:
    connection, tenant = acting.connection, acting.tenant
    after = start_after(acting, query)
    if body.code is not None:
        seal, tries = acting.frame.seal, asker(acting, who, None)
        found = await find_by_code(connection, seal, tenant, body.code, tries, acting.now)
        return found if isinstance(found, Refused) else [found]
    if body.voucher is not None:
        one = await load_voucher(connection, tenant, body.voucher)
        return [] if one is None else [one]
    assert body.phone is not None
    return await _of_number(acting, body.phone, query, after)


async def _of_number(
    acting: Acting, phone: PhoneNumber, query: Page, after: Key | None
) -> list[Voucher]:
    caller = await find_caller(acting.connection, acting.frame.seal, acting.tenant, phone)
    if caller is None:
        return []
    rows, _ = await list_vouchers(
        acting.connection,
        acting.tenant,
        caller.id,
        limit=query.fetch,
        cursor=None if after is None else str(after[0]),
    )
    return rows


@voucher_office(
    "GET",
    "/v1/staff/vouchers/{voucher}",
    who=(MAY_LOOK,),
    returns={200: StaffVoucherStoryView},
)
async def get_voucher(
    asked: Asked, who: Staff, voucher: Annotated[VoucherId, ID]
) -> StaffVoucherStoryView:
    """One voucher with its history and what staff did about it. Reading it is on record."""
    async with asked.borrow() as connection, connection.transaction():
        found = await load_voucher(connection, asked.tenant, voucher)
        if found is None:
            raise NotFound
        await note_deed(
            connection,
            asked.frame.seal,
            asked.tenant,
            Deed(staff=who.id, action="voucher.read", subject=found.id),
            now=asked.now,
            new_id=asked.part(DESK).new_id,
        )
        past = await _past(connection, asked.tenant, found)
        number = await _number(asked, connection, found.holder)
        deeds = await deeds_about(connection, asked.frame.seal, asked.tenant, found.id)
    return StaffVoucherStoryView.told(found, past, number, deeds)


@voucher_office(
    "POST",
    "/v1/vouchers/{voucher}/void",
    who=(OPERATOR,),
    returns={200: StaffVoucherView},
    refuses=(RefusalCode.VOUCHER_INVALID, RefusalCode.VOUCHER_IN_USE),
)
async def void_voucher(
    acting: Acting, who: Staff, voucher: Annotated[VoucherId, ID], body: Why
) -> StaffVoucherView:
    """Put an unused voucher out of use for good. One that an order relies on is never cut off."""
    found = await lock_voucher(acting.connection, acting.tenant, voucher)
    if found is None:
        raise NotFound
    voided, entry = void(found, reason=VOIDED_BY_OPERATOR, now=acting.now)
    if entry is None:
        raise _cannot_void(found)
    await save_voucher(acting.connection, acting.tenant, voided, entry)
    await _note(acting, who, "voucher.voided", voided.id, body.reason)
    return await _shown(acting, acting.connection, voided)


def _cannot_void(voucher: Voucher) -> Refused:
    if voucher.state is State.HELD:
        return Refused(
            RefusalCode.VOUCHER_IN_USE, "An order relies on it; wait for the order's end."
        )
    return Refused(RefusalCode.VOUCHER_INVALID, f"This voucher is {voucher.state} already.")


@voucher_office(
    "POST",
    "/v1/vouchers/{voucher}/reissue",
    who=(MAY_REPLACE,),
    returns={201: ReplacedVoucher},
    refuses=(
        RefusalCode.VOUCHER_INVALID,
        RefusalCode.VOUCHER_IN_USE,
        RefusalCode.QUOTA_USED,
    ),
)
async def reissue_voucher(
    acting: Acting, who: Staff, voucher: Annotated[VoucherId, ID], body: Why
) -> ReplacedVoucher:
    """Give a new voucher in place of this one: the same end date, the code by SMS (A36, X10).

    The code goes to the holder's number and is shown to nobody here. Support may do it once; a
    voucher that is a replacement already takes a supervisor.
    """
    found = await _locked_at_rest(acting, voucher)
    desk = acting.part(DESK)
    replacement = await replace_voucher(
        acting.connection,
        acting.frame.seal,
        acting.tenant,
        found,
        by_supervisor=StaffRole.SUPERVISOR in who.roles,
        now=acting.now,
        new_id=desk.new_id,
    )
    await _note(acting, who, "voucher.reissued", found.id, body.reason)
    acting.after_commit(lambda: desk.tell(Committed(tenant=acting.tenant, notices=True)))
    put_away = await load_voucher(acting.connection, acting.tenant, found.id)
    assert put_away is not None
    return ReplacedVoucher(
        replaced=await _shown(acting, acting.connection, put_away),
        replacement=await _shown(acting, acting.connection, replacement),
    )


async def _locked_at_rest(acting: Acting, id_: VoucherId) -> Voucher:
    """The voucher, locked after the order it paid for, whose last call nobody judges any more.

    Raises NotFound, and Refused(voucher_in_use) while that order still gives something.
    """
    seen = await load_voucher(acting.connection, acting.tenant, id_)
    if seen is None:
        raise NotFound
    if seen.order is not None:
        slice_, _ = await acting.part(DESK).lock(acting.connection, acting.tenant, seen.order)
        if slice_.order.state in LIVE:
            raise Refused(
                RefusalCode.VOUCHER_IN_USE, "Its order is not over; what is left of it can be used."
            )
        settlement = reissued(slice_.order, slice_.voucher, acting.now)
        await save_settlement(acting.connection, acting.tenant, settlement)
    found = await lock_voucher(acting.connection, acting.tenant, id_)
    assert found is not None
    if found.order not in (None, seen.order):
        raise Refused(RefusalCode.VOUCHER_IN_USE, "An order was opened with it a moment ago.")
    return found


async def _note(
    acting: Acting, who: Staff, action: str, subject: str, reason: str | None = None
) -> None:
    await note_deed(
        acting.connection,
        acting.frame.seal,
        acting.tenant,
        Deed(staff=who.id, action=action, subject=subject, reason=reason),
        now=acting.now,
        new_id=acting.part(DESK).new_id,
    )


async def _shown(asked: Asked, connection: "Connection", voucher: Voucher) -> StaffVoucherView:
    past = await _past(connection, asked.tenant, voucher)
    return StaffVoucherView.seen(voucher, past, await _number(asked, connection, voucher.holder))


async def _past(connection: "Connection", tenant: TenantId, voucher: Voucher) -> Past:
    return (await pasts_of(connection, tenant, [voucher]))[voucher.id]


async def _number(
    asked: Asked, connection: "Connection", holder: CallerId | None
) -> PhoneNumber | None:
    if holder is None:
        return None
    caller = await load_caller(connection, asked.frame.seal, asked.tenant, holder)
    return None if caller is None else caller.number


def _must_name_one(sought: VoucherSought) -> None:
    if sum(one is not None for one in (sought.code, sought.voucher, sought.phone)) != 1:
        raise BadInput(_fault("", "name exactly one of code, voucher and phone"))


def _fault(pointer: str, detail: str) -> InputFault:
    return InputFault(place="body", pointer=pointer, detail=detail)
