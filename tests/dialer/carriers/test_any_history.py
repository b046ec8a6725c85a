"""Any orders, hands and faults in any order: no leg leaks, every ring ends."""

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dialer.carriers import (
    CarrierRefused,
    CarrierUnknown,
    KeyPressed,
    LegAnswered,
    LegBridged,
    LegEnded,
    MediaHeard,
    MediaLost,
    Report,
)
from dialer.carriers.simulated.faults import Faults
from dialer.carriers.simulated.handset import NotPossible
from dialer.carriers.simulated.orders import (
    Answer,
    Bridge,
    HangUp,
    Limit,
    Order,
    Part,
    Ring,
)
from dialer.carriers.simulated.script import Answers, EndsBy, Script
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber
from tests.dialer.carriers.talks import (
    NOON,
    a_world,
)

PHONES = [PhoneNumber(f"+8613800000{n:03}") for n in range(4)]
RATE = st.sampled_from([0.0, 0.0, 0.2, 1.0])


class AnyHistory(RuleBasedStateMachine):
    """Whatever orders, hands and faults come, in whatever order: the world keeps its promises."""

    def __init__(self) -> None:
        super().__init__()
        self.world = a_world()
        self.now = NOON
        self.told: list[Report] = []
        self.names: list[LegId] = []
        self.faulty = False

    def obey(self, order: Order) -> None:
        try:
            self.told += self.world.order(order, self.now)
        except CarrierRefused:
            pass
        except CarrierUnknown:
            assert self.faulty

    def some_leg(self, number: int) -> LegId:
        standing = [leg.leg for leg in self.world.standing_legs()]
        everybody = standing * 3 + self.names or [LegId("never/was/1")]
        return everybody[number % len(everybody)]

    @rule(phone=st.sampled_from(PHONES), again=st.booleans(), ring_seconds=st.integers(0, 60))
    def ring(self, phone: PhoneNumber, again: bool, ring_seconds: int) -> None:
        leg = LegId(f"c{len(self.names) // 2}/role/{len(self.names)}")
        if again and self.names:
            leg = self.names[-1]
        else:
            self.names.append(leg)
        self.obey(Ring(leg=leg, to=phone, shows="95", ring_seconds=ring_seconds))

    @rule(one=st.integers(0, 99), other=st.integers(0, 99), limit=st.integers(0, 900))
    def bridge(self, one: int, other: int, limit: int) -> None:
        legs = (self.some_leg(one), self.some_leg(other))
        self.obey(Bridge(call=CallId(f"c{one % 2}"), legs=legs, limit_seconds=limit))

    @rule(number=st.integers(0, 99), what=st.sampled_from([Answer, Part, HangUp]))
    def command(self, number: int, what: type[Answer | Part | HangUp]) -> None:
        self.obey(what(leg=self.some_leg(number)))

    @rule(number=st.integers(0, 99), limit=st.integers(0, 900))
    def limit(self, number: int, limit: int) -> None:
        self.obey(Limit(leg=self.some_leg(number), limit_seconds=limit))

    @rule(
        phone=st.sampled_from(PHONES),
        script=st.builds(
            Script,
            answers=st.sampled_from(Answers),
            after_seconds=st.sampled_from([0.0, 3.0, 50.0]),
            presses=st.sampled_from(["", "1", "12"]),
            talks_for_seconds=st.sampled_from([None, 0.0, 30.0]),
            ends_by=st.sampled_from(EndsBy),
            waits_for_seconds=st.sampled_from([None, 10.0]),
            silent_after_seconds=st.sampled_from([None, 0.0, 20.0]),
            silent_for_seconds=st.sampled_from([0.0, 4.0, 30.0]),
        ),
    )
    def teach(self, phone: PhoneNumber, script: Script) -> None:
        self.world.script(phone.digits, script)

    @rule(
        phone=st.sampled_from(PHONES),
        hand=st.sampled_from(
            ["pick_up", "put_down", "drop", "plug_out", "fall_silent", "speak", "press", "dial"]
        ),
    )
    def work_by_hand(self, phone: PhoneNumber, hand: str) -> None:
        try:
            match hand:
                case "press":
                    self.world.press(phone.digits, "5", self.now)
                case "dial":
                    self.names.append(self.world.dial(phone.digits, "95", self.now))
                case _:
                    getattr(self.world, hand)(phone.digits, self.now)
        except NotPossible:
            pass

    @rule(lose=RATE, duplicate=RATE, reorder=RATE, refuse=RATE, unknown=RATE, half_open=RATE)
    def spoil(self, **rates: float) -> None:
        self.faulty = True
        self.world.set_faults(Faults(**rates, delay_ms=500))

    @rule(seconds=st.floats(0, 120))
    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.told += self.world.advance(self.now)

    @invariant()
    def one_phone_is_on_one_leg(self) -> None:
        standing = {leg.leg for leg in self.world.standing_legs()}
        on_phones = [v.leg for v in self.world.handsets() if v.leg is not None]
        assert len(on_phones) == len(set(on_phones))
        assert set(on_phones) <= standing

    @invariant()
    def hearing_is_mutual(self) -> None:
        hears = {v.number: set(v.hears) for v in self.world.handsets()}
        for number, voices in hears.items():
            assert number not in voices
            assert all(number in hears[other] for other in voices)

    @invariant()
    def no_report_is_made_up(self) -> None:
        assert {report.news.leg for report in self.told} <= set(self.names)

    def teardown(self) -> None:
        """With the carrier healed and every leg let go, the world comes to rest."""
        self.world.set_faults(Faults())
        for leg in self.world.standing_legs():
            self.told += self.world.order(HangUp(leg=leg.leg), self.now)
        self.told += self.world.advance(self.now + timedelta(seconds=60))
        assert self.world.standing_legs() == ()
        assert self.world.next_due() is None
        assert all(view.state == "idle" for view in self.world.handsets())
        ends = {r.id: r.news.leg for r in self.told if isinstance(r.news, LegEnded)}
        assert len(set(ends.values())) == len(ends)
        if not self.faulty:
            assert set(ends.values()) == set(self.names)
            self.nothing_comes_after_the_end()

    def nothing_comes_after_the_end(self) -> None:
        over: set[LegId] = set()
        answered: set[LegId] = set()
        for news in (report.news for report in self.told):
            assert news.leg not in over
            if isinstance(news, LegEnded):
                over.add(news.leg)
            if isinstance(news, LegAnswered):
                assert news.leg not in answered
                answered.add(news.leg)
            if isinstance(news, KeyPressed | LegBridged | MediaLost | MediaHeard):
                assert news.leg in answered


AnyHistory.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAnyHistory = AnyHistory.TestCase
