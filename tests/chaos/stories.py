"""What two people's phones do, and how it must therefore end, whatever happens to us meanwhile."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from billing.order import State as OrderState
from dialer.carriers.simulated.script import Answers, EndsBy, Script
from routing.store.targets import put_target
from routing.transfer import AgencyKind, TransferTarget
from terms.ids import CounselorId, OrderId, ProgramId, StaffId, TargetId
from terms.phone import PhoneNumber
from terms.verdict import EndedBy, VerdictKind
from tests.chaos.programs import POOL, SHORT, TALK
from tests.chaos.world import World
from tests.people import TENANT, device_token
from warmline.people import StaffRole
from warmline.people.store import StaffMember

STAYS = Script(answers=Answers.YES, after_seconds=0.5, presses="1")
ACCEPTS = Script(answers=Answers.YES, after_seconds=0.5, presses="1")
GONE = Script(answers=Answers.OFF)


def leaves(after_seconds: float, presses: str = "1", ends_by: EndsBy = EndsBy.HANGUP) -> Script:
    """Answers, talks for a while, and is gone."""
    return Script(
        answers=Answers.YES,
        after_seconds=0.5,
        presses=presses,
        talks_for_seconds=after_seconds,
        ends_by=ends_by,
    )


def does(answers: Answers) -> Script:
    """Takes no call."""
    return Script(answers=answers, after_seconds=0.3)


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays one story."""

    order: OrderId
    caller: str
    counselor: str
    agency: str
    counselor_id: CounselorId | None


Act = Callable[[World, Cast], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`counted`: attempts that the caller's phone makes fail. `order`: its state before time ends
    it, `after`: once it has.
    """

    name: str
    caller: Script = STAYS
    counselor: Script = ACCEPTS
    act: Act | None = None
    verdict: VerdictKind = VerdictKind.NOT_CONNECTED
    by: frozenset[EndedBy] = field(default_factory=lambda: frozenset({EndedBy.CALLER}))
    talked: bool = False
    counted: int = 0
    after: OrderState = OrderState.EXPIRED
    program: ProgramId = TALK
    brings_counselor: bool = True


# -- what people do while they talk ---------------------------------------------------------


async def drop_the_caller(world: World, cast: Cast) -> None:
    """The network loses the caller's line for good."""
    await world.hears_somebody(cast.caller)
    await world.hands.script(PhoneNumber(cast.caller), GONE)
    await world.hands.drop(PhoneNumber(cast.caller))


async def drop_the_counselor(world: World, cast: Cast) -> None:
    """The network loses the counselor's line for good."""
    await world.hears_somebody(cast.counselor)
    await world.hands.script(PhoneNumber(cast.counselor), GONE)
    await world.hands.drop(PhoneNumber(cast.counselor))


async def pull_the_plug(world: World, cast: Cast) -> None:
    """The caller's phone dies without a word."""
    await world.hears_somebody(cast.caller)
    await world.hands.script(PhoneNumber(cast.caller), GONE)
    await world.hands.plug_out(PhoneNumber(cast.caller))


async def drop_and_come_back(world: World, cast: Cast) -> None:
    """The caller's line is lost, found again, and then put down."""
    await world.hears_somebody(cast.caller)
    await world.hands.script(PhoneNumber(cast.caller), leaves(1.5))
    await world.hands.drop(PhoneNumber(cast.caller))


async def hang_up_in_the_app(world: World, cast: Cast) -> None:
    """The caller presses hang-up; pressed again when the answer is lost."""
    await world.hears_somebody(cast.caller)
    await world.call_is(cast.order, "bridged")
    path = f"/v1/orders/{cast.order}/calls/current"
    status, said = await world.ask("DELETE", path, token=device_token(cast.caller))
    assert status in (202, 404), said  # 404: done before, and the answer was lost


async def hand_over(world: World, cast: Cast) -> None:
    """A crisis: the counselor brings in an agency and leaves; the caller ends the talk with it."""
    await world.hears_somebody(cast.caller)
    await world.call_is(cast.order, "bridged")
    (call,) = await world.calls_of(cast.order)
    for path, body in (("crisis", None), ("transfer", {"target": _target(cast)})):
        status, said = await _command(world, cast, call, path, body)
        assert status == 200, said
    await world.hears_somebody(cast.agency)

    async def joined() -> bool:
        record = await world.pool.fetchval(
            "SELECT record->'transfer'->>'joined' FROM calls WHERE id = $1", call
        )
        return record is None or record == "true"

    await world.until(joined)
    await _command(world, cast, call, "transfer/confirm", None)
    await world.hands.hang_up(PhoneNumber(cast.caller))


async def _command(
    world: World, cast: Cast, call: str, path: str, body: object
) -> tuple[int, dict[str, object]]:
    return await world.ask(
        "POST",
        f"/v1/calls/{call}/{path}",
        token=_token(cast.counselor_id),
        body=body,
        key=f"{call}-{path}",
    )


def _token(counselor: CounselorId | None) -> str:
    return f"ws_{counselor}".ljust(46, "x")


def _target(cast: Cast) -> TargetId:
    return TargetId(f"target-{cast.agency.removeprefix('+')}")


async def _sign_in(world: World, cast: Cast) -> None:
    member = StaffMember(
        tenant=TENANT,
        id=StaffId(f"staff-{cast.counselor_id}"),
        email=f"{cast.counselor_id}@example.org",
        roles=frozenset({StaffRole.COUNSELOR}),
        counselor=cast.counselor_id,
        password_hash="$argon2id$never",
    )
    await world.sign_in(member, _token(cast.counselor_id))


async def _add_agency(world: World, cast: Cast) -> None:
    await world.hands.script(PhoneNumber(cast.agency), STAYS)
    agency = TransferTarget(id=_target(cast), name="Agency", kind=AgencyKind.POLICE)
    async with world.pool.acquire() as connection:
        await put_target(connection, world.people.seal, TENANT, agency, PhoneNumber(cast.agency))


# -- the stories ----------------------------------------------------------------------------


def _unanswered(answers: Answers) -> Story:
    return Story(name=f"caller {answers}", caller=does(answers), counted=3)


STORIES: tuple[Story, ...] = (
    Story(
        name="caller hangs up",
        caller=leaves(2),
        verdict=VerdictKind.PARTY_ENDED,
        talked=True,
        after=OrderState.COMPLETED,
    ),
    Story(
        name="counselor hangs up",
        counselor=leaves(2, "1"),
        verdict=VerdictKind.PARTY_ENDED,
        by=frozenset({EndedBy.COUNSELOR}),
        talked=True,
        after=OrderState.COMPLETED,
    ),
    Story(
        name="both talk on to the cap",
        program=SHORT,
        verdict=VerdictKind.CAP_REACHED,
        by=frozenset({EndedBy.PLATFORM, EndedBy.CARRIER}),  # whichever guard was alive
        talked=True,
        after=OrderState.COMPLETED,
    ),
    Story(
        name="caller is lost",
        act=drop_the_caller,
        verdict=VerdictKind.SYSTEM_DROP,
        by=frozenset({EndedBy.CARRIER}),
        talked=True,
        after=OrderState.CLOSED,
    ),
    Story(
        name="counselor is lost",
        act=drop_the_counselor,
        verdict=VerdictKind.SYSTEM_DROP,
        by=frozenset({EndedBy.CARRIER}),
        talked=True,
        after=OrderState.CLOSED,
    ),
    Story(
        name="caller falls silent",
        act=pull_the_plug,
        verdict=VerdictKind.SYSTEM_DROP,
        by=frozenset({EndedBy.CARRIER}),
        talked=True,
        after=OrderState.CLOSED,
    ),
    Story(
        name="caller is lost and found",
        act=drop_and_come_back,
        verdict=VerdictKind.PARTY_ENDED,
        talked=True,
        after=OrderState.COMPLETED,
    ),
    Story(
        name="caller hangs up in the app",
        act=hang_up_in_the_app,
        verdict=VerdictKind.PARTY_ENDED,
        talked=True,
        after=OrderState.COMPLETED,
    ),
    Story(
        name="agency takes over",
        act=hand_over,
        verdict=VerdictKind.PARTY_ENDED,
        talked=True,
        after=OrderState.COMPLETED,
    ),
    _unanswered(Answers.NO_ANSWER),
    _unanswered(Answers.BUSY),
    _unanswered(Answers.REJECTS),
    _unanswered(Answers.OFF),
    Story(
        name="counselor's voicemail",
        counselor=Script(answers=Answers.YES, after_seconds=0.5),
        by=frozenset({EndedBy.COUNSELOR}),
    ),
    Story(
        name="counselor does not answer",
        counselor=does(Answers.NO_ANSWER),
        by=frozenset({EndedBy.COUNSELOR}),
    ),
    Story(
        name="caller waits for whoever is free",
        program=POOL,
        caller=leaves(2),
        verdict=VerdictKind.PARTY_ENDED,
        talked=True,
        after=OrderState.COMPLETED,
        brings_counselor=False,
    ),
    Story(
        name="a counselor of the pool comes",
        program=POOL,
        caller=leaves(2),
        verdict=VerdictKind.PARTY_ENDED,
        talked=True,
        after=OrderState.COMPLETED,
    ),
)


@dataclass(frozen=True, slots=True)
class Played:
    """A story, and the order it was played on."""

    story: Story
    order: OrderId


async def cast_for(world: World, story: Story, number: int) -> Cast:
    """Find the people, and teach their phones."""
    caller, counselor = f"+86138{number:08}", f"+86139{number:08}"
    await world.hands.script(PhoneNumber(caller), story.caller)
    await world.hands.script(PhoneNumber(counselor), story.counselor)
    people = world.people
    counselor_id = None
    if story.brings_counselor:
        counselor_id = await people.counselor(counselor, program=story.program)
    order = await people.order(await people.caller(caller), counselor_id, program=story.program)
    cast = Cast(order, caller, counselor, f"+8610{number:08}", counselor_id)
    if story.act is hand_over:
        await _sign_in(world, cast)
        await _add_agency(world, cast)
    return cast


async def act_out(world: World, story: Story, cast: Cast, *, at: int = 0) -> Played:
    """Press the button, and do what people do in between."""
    status, said = await world.press(cast.order, cast.caller, at=at)
    # The answer to a press that was accepted may die with the process that gave it.
    assert status == 202 or (status, said["code"]) == (409, "voucher_in_use"), said
    if story.act is not None:
        with suppress(TimeoutError):  # then the reckoning tells what became of it
            await story.act(world, cast)
    return Played(story, cast.order)


async def play(world: World, story: Story, number: int) -> Played:
    """All of it."""
    return await act_out(world, story, await cast_for(world, story, number))


SETTLES_WITHIN = timedelta(minutes=10)
"""Longer than any story takes when nobody disturbs it."""
