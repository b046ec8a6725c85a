"""The settlement by another path: plain Python over raw rows, one at a time."""

from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from billing.settlement import GivenBack, Grade, GradeLine, Month, graded
from dialer.records import use_of
from dialer.store.calls import calls_of
from terms.ids import CallId, CounselorId, OrderId, ProgramId
from tests.people import TENANT

if TYPE_CHECKING:
    from warmline.database import Connection

SHANGHAI = ZoneInfo("Asia/Shanghai")

Sums = dict[tuple[str, ...], dict[str, int]]


def month_of(instant: datetime) -> str:
    """The month on the wall of Shanghai."""
    return f"{instant.astimezone(SHANGHAI):%Y-%m}"


async def recount_counselors(connection: "Connection", month: Month) -> Sums:
    """Per month concerned, program and counselor."""
    sums: Sums = defaultdict(Counter)
    for line in graded(await _lines(connection), await _given_back(connection)):
        if month_of(line.at) != str(month):
            continue
        told = sums[month_of(line.ended_at), line.program, line.counselor or ""]
        told["talk_seconds"] += line.talked_seconds
        for grade, units in ((line.to_grade, 1), (line.from_grade, -1)):
            if grade is not Grade.NONE:
                told["calls"] += units
                told[f"{grade}_calls"] += units
    return {about: dict(told) for about, told in sums.items()}


async def recount_programs(connection: "Connection", month: Month) -> Sums:
    """Per month concerned and program, from every entry of the ledger in its order."""
    programs = {
        f"{kind}/{row['id']}": row["program"]
        for kind, table in (("voucher", "vouchers"), ("talk", "orders"))
        for row in await connection.fetch(f"SELECT id, program FROM {table}")
    }
    entries = await connection.fetch("SELECT * FROM ledger_entries ORDER BY book, number")
    put: dict[tuple[str, str], datetime] = {}
    sums: Sums = defaultdict(Counter)
    for entry in entries:
        kind, program = entry["book"].partition("/")[0], programs[entry["book"]]
        taken_back = put.get((entry["book"], entry["from_account"]))
        if entry["from_account"] not in ("consumed", "talked", "lapsed"):
            taken_back = None
        put[entry["book"], entry["to_account"]] = entry["at"]
        if month_of(entry["at"]) != str(month):
            continue
        told = sums[month_of(taken_back or entry["at"]), program]
        _book(told, kind, entry["from_account"], entry["to_account"], entry["units"])
    return {about: dict(told) for about, told in sums.items()}


_WORDS = {
    ("voucher", "issued"): "vouchers_issued",
    ("voucher", "consumed"): "vouchers_used",
    ("voucher", "returned"): "vouchers_returned",
    ("voucher", "reissued"): "vouchers_reissued",
    ("voucher", "expired"): "vouchers_expired",
    ("voucher", "voided"): "vouchers_voided",
    ("talk", "talked"): "talked_seconds",
    ("talk", "lapsed"): "lapsed_seconds",
}


def _book(told: dict[str, int], kind: str, giver: str, taker: str, units: int) -> None:
    if (came := _WORDS.get((kind, taker))) is not None:
        told[came] += units
    if giver in ("consumed", "talked", "lapsed"):
        told[_WORDS[kind, giver]] -= units
    if kind == "talk" and giver == "issuer":
        told["granted_seconds"] += units
    if kind == "talk" and taker == "issuer":
        told["granted_seconds"] -= units


async def recount_legs(connection: "Connection", month: Month) -> dict[str, int]:
    """All legs of all calls, by what the dialer itself reads from them."""
    told: dict[str, int] = Counter()
    for row in await connection.fetch("SELECT id FROM orders"):
        for call in await calls_of(connection, TENANT, OrderId(row["id"])):
            for use in map(use_of, call.legs):
                if month_of(use.rung_at) == str(month):
                    told["legs"] += 1
                    told["answered_legs"] += use.answered
                    told["billed_seconds"] += use.billed_seconds
    return dict(told)


async def talked_by_the_phones(connection: "Connection") -> int:
    """What all calls came to, by their legs."""
    total = 0
    for row in await connection.fetch("SELECT id FROM orders"):
        for call in await calls_of(connection, TENANT, OrderId(row["id"])):
            assert call.ended_at is not None
            total += int(call.talked(call.ended_at).total_seconds())
    return total


async def _lines(connection: "Connection") -> list[GradeLine]:
    rows = await connection.fetch("SELECT * FROM call_grades ORDER BY order_id, entry")
    return [
        GradeLine(
            call=CallId(row["call"]),
            order=OrderId(row["order_id"]),
            program=ProgramId(row["program"]),
            counselor=None if row["counselor"] is None else CounselorId(row["counselor"]),
            ended_at=row["ended_at"],
            from_grade=Grade(row["from_grade"]),
            to_grade=Grade(row["to_grade"]),
            talked_seconds=row["talked_seconds"],
            at=row["at"],
        )
        for row in rows
    ]


async def _given_back(connection: "Connection") -> list[GivenBack]:
    found = []
    for row in await connection.fetch("SELECT * FROM claims WHERE call IS NOT NULL"):
        for stage in ("", "appeal_"):
            if row[f"{stage}decision"] in ("resume", "reissue"):
                at = row["decided_at" if not stage else "appeal_decided_at"]
                found.append(GivenBack(OrderId(row["order_id"]), CallId(row["call"]), at))
    for row in await connection.fetch(
        """SELECT order_id, at FROM ledger_entries
           WHERE from_account = 'consumed' AND units > 0 AND order_id IS NOT NULL"""
    ):
        found.append(GivenBack(OrderId(row["order_id"]), None, row["at"]))
    return found
