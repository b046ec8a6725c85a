"""The reckoning: what must be true once a world has come to rest. Each finding is a sentence."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from yarl import URL

from billing.ledger import ISSUER
from billing.voucher import State as VoucherState
from dialer.carriers.simulated.wire import JsonObject
from dialer.store.calls import calls_of
from tests.chaos.programs import ATTEMPTS
from tests.chaos.stories import Played
from tests.chaos.world import World
from tests.people import TENANT

if TYPE_CHECKING:
    from asyncpg import Record


_NEVER = "9999"  # later than any time as it is written


async def reckon(world: World, played: Sequence[Played]) -> list[str]:
    """Everything that is not as it must be."""
    with suppress(TimeoutError):  # what is left hanging is told below
        await world.all_at_rest()
    found = [line for one in played for line in await _order(world, one)]
    found += await vouchers(world, played)
    found += await nothing_left(world)
    found += rings(await world.read_events())
    return found


async def _order(world: World, played: Played) -> list[str]:
    """One order came to rest as its story says."""
    story, order = played.story, await world.people.see_order(played.order)
    async with world.pool.acquire() as connection:
        calls = await calls_of(connection, TENANT, played.order)
    found = _differs(played, "order", order.state, story.after)
    found += _differs(played, "calls", len(calls), 1)
    for call in calls[-1:]:
        if call.verdict is None:
            found.append(f"{_name(played)}: still {call.state}")
            continue
        verdict, ends = (call.verdict.kind, call.verdict.by), call.end_reason
        if call.verdict.kind is not story.verdict or call.verdict.by not in story.by:
            found.append(f"{_name(played)}: verdict {verdict} {call.verdict.reasons} ({ends})")
        found += _differs(played, "final", call.verdict_is_final, True)
        found += _differs(played, "counted", call.counted, story.counted)
        found += _differs(played, "talked", call.connected_at is not None, story.talked)
    failed = await world.pool.fetch(
        "SELECT data FROM timeline WHERE order_id = $1 AND kind = 'attempt_failed'", played.order
    )
    if sum('"counts": true' in str(row["data"]) for row in failed) > ATTEMPTS:
        found.append(f"{_name(played)}: more than {ATTEMPTS} attempts were counted")
    return found


async def vouchers(world: World, played: Iterable[Played]) -> list[str]:
    """A voucher is used exactly when they talked, once, and its book sums to zero."""
    found: list[str] = []
    for one in played:
        order = await world.people.see_order(one.order)
        rows = await world.pool.fetch(
            """SELECT vouchers.state, from_account, to_account FROM vouchers
               JOIN ledger_entries AS entry
                 ON entry.tenant = vouchers.tenant AND entry.book = 'voucher/' || vouchers.id
               WHERE vouchers.id = $1 ORDER BY number""",
            order.voucher,
        )
        wanted = VoucherState.CONSUMED if one.story.talked else VoucherState.RETURNED
        found += _differs(one, "voucher", rows[0]["state"], wanted)
        found += _differs(one, "balances", _balances(rows), {ISSUER: -1, rows[0]["state"]: 1})
        uses = sum(row["to_account"] == VoucherState.CONSUMED for row in rows)
        found += _differs(one, "times used", uses, int(one.story.talked))
    return found


def _balances(entries: "Iterable[Record]") -> dict[str, int]:
    accounts: Counter[str] = Counter()
    for moved in entries:
        accounts[moved["from_account"]] -= 1
        accounts[moved["to_account"]] += 1
    return {account: units for account, units in accounts.items() if units}


_LEFT_OVER = {
    "calls that have not ended": "SELECT id FROM calls WHERE state <> 'ended'",
    "counselors still engaged": "SELECT counselor FROM engaged_counselors",
    "timers left": "SELECT call || ' ' || kind FROM timers",
    "orders to the carrier still pending": (
        "SELECT call || ' ' || body::text FROM carrier_orders WHERE outcome IS NULL"
    ),
    "news not folded": "SELECT id || ' ' || coalesce(fault, '') FROM news WHERE folded_at IS NULL",
    "news that once failed": "SELECT id || ' ' || body::text FROM news WHERE tries > 0",
    "orders not at rest": (
        "SELECT id FROM orders WHERE state IN ('open', 'in_call', 'interrupted')"
    ),
    "places in a queue": "SELECT call FROM queue_places",
}


async def nothing_left(world: World) -> list[str]:
    """No call, counselor, timer, order, news, queue place or leg is left hanging."""
    found = [
        f"{what}: {[row[0] for row in rows]}"
        for what, asked in _LEFT_OVER.items()
        if (rows := await world.pool.fetch(asked))
    ]
    legs = [view.leg for view in await world.hands.handsets() if view.leg is not None]
    return found + ([f"legs alive at the carrier: {legs}"] if legs else [])


async def presence(world: World) -> list[str]:
    """Before their lease ends, everybody who meant to work still does, and is free to."""
    rows = await world.pool.fetch(
        """SELECT id FROM counselors WHERE presence <> 'available'
              OR wrap_up_until > $1 OR lease_until <= $1""",
        world.now(),
    )
    return [f"counselors who are kept away: {[row['id'] for row in rows]}"] if rows else []


@dataclass(frozen=True, slots=True)
class Rung:
    """That the carrier was asked to ring a leg, and said that it does: when, and at which port the
    service that asked is reached.
    """

    at: str
    by: int | None


def rung(events: Iterable[JsonObject]) -> dict[str, list[Rung]]:
    """Of each leg, oldest first."""
    asked: defaultdict[str, list[Rung]] = defaultdict(list)
    for event in events:
        if event.get("order") == "ring" and event["outcome"] == {"done": True}:
            asked[str(event["leg"])].append(Rung(str(event["at"]), URL(str(event["by"])).port))
    return asked


def rings(events: Sequence[JsonObject]) -> list[str]:
    """Every leg was rung once, and of one role in one call never two stood at a time.

    That a leg was rung which is over already only its news can tell. Where that is late the order
    is given again, under the same name, which the carrier takes for done.
    """
    asked = {leg: [one.at for one in all_] for leg, all_ in rung(events).items()}
    rang: defaultdict[str, set[object]] = defaultdict(set)
    ended: dict[str, str] = {}
    for event in events:
        news: Any = event.get("news") or {}
        if news.get("kind") == "ringing":
            rang[news["leg"]].add(event["id"])
        elif news.get("kind") == "ended":
            ended[news["leg"]] = news["at"]
    found = [
        f"{leg} was rung {len(at)} times"
        for leg, at in asked.items()
        if len([again for again in at if again < ended.get(leg, _NEVER)]) > 1
    ]
    found += [f"{leg} rang {len(ids)} times" for leg, ids in rang.items() if len(ids) > 1]
    for leg, (first, *_) in asked.items():
        found += [
            f"{leg} was rung while {other} stood"
            for other, (before, *_) in asked.items()
            if _place(other) == _place(leg) and before < first < ended.get(other, first)
        ]
    return found


def caller_rings(events: Iterable[JsonObject], call: str) -> int:
    """How often the caller's phone was really rung for a call."""
    orders = [event for event in events if event.get("order") == "ring"]
    return sum(
        str(event["leg"]).startswith(f"{call}/caller/") and event["outcome"] == {"done": True}
        for event in orders
    )


def _place(leg: str) -> str:
    return leg.rpartition("/")[0]


def _differs(played: Played, what: str, is_: object, should_be: object) -> list[str]:
    return [] if is_ == should_be else [f"{_name(played)}: {what} {is_!r}, not {should_be!r}"]


def _name(played: Played) -> str:
    return f"{played.story.name} ({played.order})"
