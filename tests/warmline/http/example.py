"""A tiny application on the real frame: notes that a caller writes and an operator reads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from aiohttp import web
from pydantic import Field

from terms.ids import CallerId, DeviceId, OrderId, StaffId, TenantId
from terms.refusals import RefusalCode, Refused
from warmline.bus.in_process import InProcessRateLimits
from warmline.clock import VirtualClock
from warmline.http.api import Operations
from warmline.http.asked import Acting, Asked, Frame
from warmline.http.model import Instant, Line, Model, Phone
from warmline.http.paging import Page, PageOf, page_of, start_after
from warmline.http.problems import NotFound
from warmline.http.who import ANY_STAFF, APP, CALLER, AppKey, Caller, Principal, Staff, TokenKinds
from warmline.http.who import staff as staff_of
from warmline.people import StaffRole
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Pool, Record

TENANT = TenantId("default")
CREATE = """CREATE TABLE notes (id text PRIMARY KEY, owner text NOT NULL, text text NOT NULL,
                                phone text, tries integer NOT NULL DEFAULT 0)"""

notes = Operations("Notes")


class WriteNote(Model):
    """A note to keep."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9]{1,20}$")]
    text: Line
    phone: Phone | None = None
    stars: Annotated[int, Field(ge=0, le=5)] = 0
    at: Instant | None = None


class Note(Model):
    """A kept note."""

    id: str
    text: str
    phone: str | None
    tries: int


NotePage = PageOf[Note]


@notes(
    "POST",
    "/v1/notes",
    who=(CALLER, APP),
    returns={201: Note},
    refuses=(RefusalCode.VOUCHER_IN_USE, RefusalCode.RATE_LIMITED),
)
async def write_note(acting: Acting, who: Caller | AppKey, body: WriteNote) -> Note:
    """Write a note. It is refused when its text says so."""
    written = await acting.connection.execute(
        """INSERT INTO notes (id, owner, text, phone) VALUES ($1, $2, $3, $4)
           ON CONFLICT (id) DO NOTHING""",
        body.id,
        who.label,
        body.text,
        _shown(body),
    )
    if written == "INSERT 0 0":
        raise Refused(RefusalCode.VOUCHER_IN_USE, "There is such a note.")
    match body.text:
        case "in use":
            raise Refused(RefusalCode.VOUCHER_IN_USE, "Somebody else uses it.")
        case "too often":
            raise Refused(RefusalCode.RATE_LIMITED, "Slowly.", retry_after_seconds=7)
        case "mistake":
            raise RuntimeError("the secret of the house")
        case "blocked until deadlock":
            await acting.connection.execute("SELECT meet_a_deadlock()")
    acting.after_commit(lambda: acting.part(TOLD).append(body.id))
    return Note(id=body.id, text=body.text, phone=_shown(body), tries=0)


@notes(
    "POST",
    "/v1/notes/{note}/guess",
    who=(CALLER,),
    returns={200: Note},
    refuses=(RefusalCode.CODE_WRONG,),
)
async def guess_note(acting: Acting, who: Caller, note: str, body: WriteNote) -> Note | Refused:
    """Guess what a note says. Every wrong guess is counted."""
    row = await acting.connection.fetchrow(
        "UPDATE notes SET tries = tries + 1 WHERE id = $1 AND owner = $2 RETURNING *",
        note,
        who.label,
    )
    if row is None:
        raise NotFound
    if row["text"] != body.text:
        return Refused(RefusalCode.CODE_WRONG, "That is not what it says.")
    return _note(row)


@notes("POST", "/v1/notes/{note}/secret", who=(CALLER,), returns={201: Note}, secret=True)
async def make_secret(acting: Acting, who: Caller, note: OrderId) -> Note:
    """Answer with something that must not be kept in the open."""
    return Note(id=note, text="the token itself", phone=None, tries=0)


@notes("GET", "/v1/notes", who=(CALLER,), returns={200: NotePage})
async def list_notes(asked: Asked, who: Caller, query: Page) -> NotePage:
    """List one's own notes."""
    after = start_after(asked, query) or ("",)
    async with asked.borrow() as connection:
        rows = await connection.fetch(
            "SELECT * FROM notes WHERE owner = $1 AND id > $2 ORDER BY id LIMIT $3",
            who.label,
            after[0],
            query.fetch,
        )
    items, cursor = page_of(asked, query, rows, show=_note, key=lambda row: (row["id"],))
    return NotePage(items=items, next_cursor=cursor)


@notes("GET", "/v1/notes/{note}", who=(CALLER, ANY_STAFF), returns={200: Note})
async def read_note(asked: Asked, who: Caller | Staff, note: str) -> Note:
    """Read one note of one's own."""
    async with asked.borrow() as connection:
        row = await connection.fetchrow("SELECT * FROM notes WHERE id = $1", note)
    if row is None or (isinstance(who, Caller) and row["owner"] != who.label):
        raise NotFound
    return _note(row)


@notes("DELETE", "/v1/notes/{note}", who=(staff_of(StaffRole.OPERATOR),), returns={204: None})
async def burn_note(acting: Acting, note: str) -> None:
    """Burn a note."""
    await acting.connection.execute("DELETE FROM notes WHERE id = $1", note)


@notes("GET", "/v1/weather", returns={200: Note})
async def tell_weather(asked: Asked) -> Note:
    """Tell the weather to anybody."""
    return Note(id="weather", text=asked.tenant, phone=None, tries=0)


TOLD = web.AppKey("told", list[str])


@dataclass
class TokenList:
    """Tokens of a test, in memory."""

    holders: dict[str, Principal]

    async def holder(self, token: str, now: datetime) -> Principal | None:
        """Whoever the test gave this token to."""
        return self.holders.get(token)


ANA = Caller(tenant=TENANT, id=CallerId("ana"), device=DeviceId("ana-phone"))
BEN = Caller(tenant=TENANT, id=CallerId("ben"), device=DeviceId("ben-phone"))
SHOP = AppKey(tenant=TENANT, id="shop")
OLGA = Staff(tenant=TENANT, id=StaffId("olga"), roles=frozenset({StaffRole.OPERATOR}))
CARL = Staff(tenant=TENANT, id=StaffId("carl"), roles=frozenset({StaffRole.COUNSELOR}))
HOLDERS: dict[str, Principal] = {
    "wd_ana": ANA,
    "wd_ben": BEN,
    "wk_shop": SHOP,
    "ws_olga": OLGA,
    "ws_carl": CARL,
}


def frame_on(pool: "Pool[Record]", seal: AesSeal, now: datetime) -> Frame:
    """The frame with tokens in memory."""
    tokens = TokenList(HOLDERS)
    return Frame(
        pool=pool,
        clock=VirtualClock(now),
        tenant=TENANT,
        tokens=TokenKinds({"wd_": tokens, "wk_": tokens, "ws_": tokens}),
        limits=InProcessRateLimits(),
        seal=seal,
        public_url="http://warmline.test",
    )


def _shown(body: WriteNote) -> str | None:
    return None if body.phone is None else str(body.phone)


def _note(row: "Record") -> Note:
    return Note(id=row["id"], text=row["text"], phone=row["phone"], tries=row["tries"])


Wait = Callable[[], None]
