"""Staff sign in and out; wrong tries tell nothing and are counted."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from prometheus_client import CollectorRegistry

from terms.ids import CounselorId, StaffId
from tests.warmline.http.conftest import Client
from tests.warmline.http.example import TENANT
from tests.warmline.http.test_frame import problem
from warmline.bus.in_process import InProcessBus, InProcessRateLimits
from warmline.clock import VirtualClock
from warmline.http.api import Operations
from warmline.http.app import make_app
from warmline.http.asked import Asked, Frame
from warmline.http.holders import ApiKeys, StaffTokens
from warmline.http.model import Model
from warmline.http.second_factor import second_factor
from warmline.http.sessions import PASSWORDS, TOTP_PURPOSE, sessions
from warmline.http.who import ANY_STAFF, APP, AppKey, Staff, TokenKinds
from warmline.live.sign_ins import OPEN_CONSOLES, OpenConsoles
from warmline.people import StaffRole, store
from warmline.people.leaving import LEAVING, end_expired
from warmline.people.passwords import Passwords
from warmline.people.store import TOKEN_LIVES, TOKEN_RESTS, StaffMember, TokenEnd
from warmline.people.tokens import TokenKind, new_token, token_hash
from warmline.people.totp import code_at, code_now, step_of
from warmline.seal import AesSeal

if TYPE_CHECKING:
    from asyncpg import Connection, Pool, Record

SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238's, in base 32
WHO = {"email": "vera@example.org", "password": "correct horse"}
TINY = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

mirror = Operations("Mirror")


class Me(Model):
    """Who asks."""

    label: str


@mirror("GET", "/v1/mirror", who=(ANY_STAFF, APP), returns={200: Me})
async def tell_who(asked: Asked, who: Staff | AppKey) -> Me:
    """Tell who asks."""
    return Me(label=who.label)


class Left:
    """Notes whose sign-ins ended."""

    def __init__(self) -> None:
        self.ended: list[TokenEnd] = []

    async def __call__(
        self, connection: "Connection[Record]", ended: Sequence[TokenEnd], now: datetime
    ) -> None:
        self.ended += ended


@pytest.fixture
def left() -> Left:
    return Left()


@pytest.fixture
def clock(noon: datetime) -> VirtualClock:
    return VirtualClock(noon)


@pytest.fixture
async def client(
    database: "Pool[Record]", seal: AesSeal, left: Left, clock: VirtualClock
) -> AsyncIterator[Client]:
    for number, totp in enumerate((None, SECRET)):
        member = StaffMember(
            tenant=TENANT,
            id=StaffId(f"s{number}"),
            email=("vera", "wang")[number] + "@example.org",
            roles=frozenset({StaffRole.COUNSELOR, StaffRole.STEWARD}),
            counselor=CounselorId(f"c{number}"),
            password_hash=TINY.hash("correct horse"),
            totp_secret=seal.seal_text(totp, TOTP_PURPOSE) if totp else None,
        )
        async with database.acquire() as connection:
            await store.add_staff(cast("Connection[Record]", connection), member, clock.now())
    frame = Frame(
        pool=database,
        clock=clock,
        tenant=TENANT,
        tokens=TokenKinds({"wk_": ApiKeys(database), "ws_": StaffTokens(database)}),
        limits=InProcessRateLimits(),
        seal=seal,
        public_url="https://warmline.test",
        machine_now=clock.now,
    )
    table = [*sessions, *second_factor, *mirror]
    app = make_app(frame, table, version="1", registry=CollectorRegistry(), checks={})
    app[PASSWORDS], app[LEAVING] = Passwords(TINY), left
    app[OPEN_CONSOLES] = OpenConsoles(InProcessBus())
    async with TestClient(TestServer(app)) as client:
        yield client
    app[PASSWORDS].close()


async def sign_in(client: Client, **others: Any) -> dict[str, Any]:
    response = await client.post("/v1/sessions", json={**WHO, **others})
    assert response.status == 201
    told: dict[str, Any] = await response.json()
    return told


async def status(client: Client, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return (await client.get("/v1/mirror", headers=headers)).status


async def test_a_right_password_gives_a_token_that_lets_in(client: Client) -> None:
    told = await sign_in(client, email="Vera@Example.org")

    assert told["roles"] == ["counselor", "steward"]
    assert await status(client, told["token"]) == 200


async def test_a_wrong_password_and_an_unknown_person_are_told_the_same(client: Client) -> None:
    wrong = await client.post("/v1/sessions", json={**WHO, "password": "wrong"})
    unknown = await client.post("/v1/sessions", json={**WHO, "email": "nobody@example.org"})

    assert (wrong.status, (await problem(wrong))["code"]) == (401, "sign_in_failed")
    assert await wrong.text() == await unknown.text()


async def test_an_unknown_person_costs_a_hash_as_well() -> None:
    checked: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Any:
            checked.append(str(hash))
            return super().verify(hash, password)

    passwords = Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1))

    assert not await passwords.fits(None, "nobody's password")
    assert [hashed.partition("$v=")[0] for hashed in checked] == ["$argon2id"]
    passwords.close()


async def test_too_many_tries_are_refused_until_the_window_has_passed(
    client: Client, clock: VirtualClock
) -> None:
    for _ in range(10):
        assert (await client.post("/v1/sessions", json={**WHO, "password": "x"})).status == 401
    refused = await client.post("/v1/sessions", json=WHO)
    other = await client.post("/v1/sessions", json={**WHO, "email": "wang@example.org"})

    assert (refused.status, (await problem(refused))["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == "900"
    assert other.status == 401
    clock.advance(900)
    assert (await client.post("/v1/sessions", json=WHO)).status == 201


async def test_with_a_second_factor_the_password_is_not_enough(
    client: Client, noon: datetime
) -> None:
    wang = {**WHO, "email": "wang@example.org"}
    code = code_at(SECRET, int(noon.timestamp()) // 30)
    wrong = "000000" if code != "000000" else "111111"

    missing = await client.post("/v1/sessions", json=wang)
    mistyped = await client.post("/v1/sessions", json={**wang, "totp": wrong})
    guessed = await client.post("/v1/sessions", json={**wang, "password": "x", "totp": code})

    assert (missing.status, (await problem(missing))["code"]) == (401, "totp_required")
    assert (mistyped.status, (await problem(mistyped))["code"]) == (401, "sign_in_failed")
    assert (guessed.status, (await problem(guessed))["code"]) == (401, "sign_in_failed")
    assert await sign_in(client, email="wang@example.org", totp=code)


@pytest.mark.parametrize("role", ["support", "supervisor", "operator"])
async def test_who_sees_others_calls_sets_up_a_second_factor_before_anything_else(
    client: Client, database: "Pool[Record]", role: str, noon: datetime
) -> None:
    await database.execute("UPDATE staff SET roles = ARRAY[$1, 'counselor']", role)
    held = {"Authorization": f"Bearer {(await sign_in(client))['token']}"}

    refused = await client.get("/v1/mirror", headers=held)
    assert (refused.status, (await problem(refused))["code"]) == (403, "second_factor_due")
    assert await _second_factor(client, held) == "due"
    offered = await (await client.post(_SECOND_FACTOR, headers=held)).json()
    assert offered["secret"] in offered["address"]
    for wrong, then in (("12345a", 422), ("000000", 422)):
        assert (await _confirm(client, held, wrong)).status == then
    code = code_now(offered["secret"], noon)
    assert (await _confirm(client, held, code)).status == 200

    assert await _second_factor(client, held) == "on"
    assert (await client.get("/v1/mirror", headers=held)).status == 200
    assert (await client.post("/v1/sessions", json=WHO)).status == 401
    again = await client.post("/v1/sessions", json={**WHO, "totp": code})
    assert again.status == 401  # the code that confirmed is spent
    next_code = code_now(offered["secret"], noon + timedelta(seconds=30))
    assert await sign_in(client, totp=next_code)


async def test_a_second_factor_is_set_up_once_and_guessed_at_five_times(client: Client) -> None:
    held = {"Authorization": f"Bearer {(await sign_in(client))['token']}"}
    assert await _second_factor(client, held) == "none"

    early = await _confirm(client, held, "000000")
    assert (early.status, (await problem(early))["code"]) == (409, "not_now")
    for _ in range(4):
        assert (await _confirm(client, held, "000000")).status == 409
    assert (await _confirm(client, held, "000000")).status == 429


async def test_an_authenticator_that_is_there_is_not_replaced_by_whoever_is_signed_in(
    client: Client, noon: datetime
) -> None:
    code = code_now(SECRET, noon)
    token = (await sign_in(client, email="wang@example.org", totp=code))["token"]

    refused = await client.post(_SECOND_FACTOR, headers={"Authorization": f"Bearer {token}"})

    assert (refused.status, (await problem(refused))["code"]) == (409, "not_now")


_SECOND_FACTOR = "/v1/sessions/current/second-factor"


async def _second_factor(client: Client, held: dict[str, str]) -> str:
    response = await client.get("/v1/sessions/current", headers=held)
    return str((await response.json())["second_factor"])


async def _confirm(client: Client, held: dict[str, str], code: str) -> ClientResponse:
    return await client.post(f"{_SECOND_FACTOR}/confirm", headers=held, json={"code": code})


async def test_a_one_time_code_counts_once_also_at_the_same_moment(
    client: Client, noon: datetime
) -> None:
    step = int(noon.timestamp()) // 30
    wang = {**WHO, "email": "wang@example.org", "totp": code_at(SECRET, step)}

    answers = await asyncio.gather(*(client.post("/v1/sessions", json=wang) for _ in range(4)))

    assert sorted(answer.status for answer in answers) == [201, 401, 401, 401]
    earlier = {**wang, "totp": code_at(SECRET, step - 1)}
    assert (await client.post("/v1/sessions", json=earlier)).status == 401
    later = {**wang, "totp": code_at(SECRET, step + 1)}
    assert (await client.post("/v1/sessions", json=later)).status == 201


@pytest.mark.parametrize(
    ("seconds", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    assert code_at(SECRET, seconds // 30) == code


def test_a_code_counts_one_step_early_or_late_and_no_longer(noon: datetime) -> None:
    step = int(noon.timestamp()) // 30
    code = code_at(SECRET, step)

    late = [step_of(SECRET, code, noon + timedelta(seconds=30 * n)) for n in (-2, -1, 0, 1, 2)]
    assert late == [None, step, step, step, None]


async def test_signing_out_ends_the_token_and_tells_of_the_last_one(
    client: Client, left: Left
) -> None:
    first, second = [(await sign_in(client))["token"] for _ in range(2)]

    for token in (first, second):
        headers = {"Authorization": f"Bearer {token}"}
        assert (await client.delete("/v1/sessions/current", headers=headers)).status == 204
        assert await status(client, token) == 401

    assert [(end.counselor, end.last) for end in left.ended] == [("c0", False), ("c0", True)]


async def test_a_sign_in_ends_by_itself_unused_or_not(
    client: Client, clock: VirtualClock, left: Left, database: "Pool[Record]"
) -> None:
    used, unused = [(await sign_in(client))["token"] for _ in range(2)]
    for _ in range(4):
        clock.advance((TOKEN_RESTS - timedelta(hours=1)).total_seconds())
        last = await status(client, used)
    assert last == 401
    assert await status(client, unused) == 401

    async with database.acquire() as connection:
        raw = cast("Connection[Record]", connection)
        assert await end_expired(raw, left, clock.now()) == 1
        assert await end_expired(raw, left, clock.now()) == 0
    assert [(end.counselor, end.last) for end in left.ended] == [("c0", True)]


async def test_use_keeps_a_sign_in_alive_up_to_its_end(client: Client, clock: VirtualClock) -> None:
    token = (await sign_in(client))["token"]
    a_day = timedelta(days=1)
    for _ in range(TOKEN_LIVES // a_day - 1):
        clock.advance(a_day.total_seconds())
        assert await status(client, token) == 200
    clock.advance(a_day.total_seconds())

    assert await status(client, token) == 401


async def test_disabled_staff_are_out_at_once(client: Client, database: "Pool[Record]") -> None:
    token = (await sign_in(client))["token"]
    await database.execute("UPDATE staff SET disabled_at = now()")

    assert await status(client, token) == 401
    assert (await client.post("/v1/sessions", json=WHO)).status == 401


async def test_a_page_of_ours_is_given_the_token_as_a_cookie_no_script_can_read(
    client: Client,
) -> None:
    ours = {"Origin": "https://warmline.test"}

    response = await client.post("/v1/sessions", json=WHO, headers=ours)
    plain = await client.post("/v1/sessions", json=WHO)
    evil = await client.post("/v1/sessions", json=WHO, headers={"Origin": "https://evil.test"})

    cookie = response.headers["Set-Cookie"]
    assert cookie.startswith("__Host-warmline=ws_")
    for part in ("HttpOnly", "Secure", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Set-Cookie" not in plain.headers
    assert evil.status == 403
    signed_in = {"Cookie": cookie.partition(";")[0]}
    assert (await client.get("/v1/mirror", headers=signed_in)).status == 200
    out = await client.delete("/v1/sessions/current", headers={**signed_in, **ours})
    assert (out.status, "Max-Age=0" in out.headers["Set-Cookie"]) == (204, True)


async def test_an_api_key_counts_until_it_is_revoked(
    client: Client, database: "Pool[Record]", clock: VirtualClock
) -> None:
    key = new_token(TokenKind.APP)
    async with database.acquire() as connection:
        raw = cast("Connection[Record]", connection)
        await store.add_api_key(raw, TENANT, "k1", "shop", token_hash(key), clock.now())
        assert await status(client, key) == 200
        assert await store.revoke_api_key(raw, TENANT, "k1", clock.now())
        assert not await store.revoke_api_key(raw, TENANT, "k1", clock.now())

    assert await status(client, key) == 401


async def test_no_token_and_no_password_is_stored_in_the_open(
    client: Client, database: "Pool[Record]"
) -> None:
    token = (await sign_in(client))["token"]

    stored = await database.fetchval(
        """SELECT string_agg(t::text, ' ') || (SELECT string_agg(s::text, ' ') FROM staff AS s)
           FROM staff_tokens AS t"""
    )
    for secret in (token, "correct horse", SECRET):
        assert secret not in stored
        assert secret.encode().hex() not in stored
