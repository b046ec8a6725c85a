"""The carrier on Asterisk: orders as ARI requests."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from uuid import uuid4

from dialer.carriers import CarrierRefused, CarrierUnreachable, LiveLeg, Receive
from dialer.carriers.asterisk.ari import Ari, NotDone
from dialer.carriers.asterisk.listening import Believe, Listener, believe_nothing
from dialer.carriers.asterisk.names import bridge_of, channel_of, is_dialled_in, is_our_bridge
from dialer.carriers.asterisk.prompts import Prompts
from dialer.carriers.asterisk.standing import Standing, standing
from dialer.carriers.asterisk.telling import Teller
from terms.ids import CallId, LegId
from terms.phone import PhoneNumber

_RING_GRACE_SECONDS = 5
_GONE, _EXISTS = "404", "409"
_NOT_YET = frozenset({"409", "412", "422"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where Asterisk is, and who we are there. Prompts lie in `prompts`, a directory of *its*
    machine, as `LANGUAGE/KEY.wav`.
    """

    url: str
    user: str
    password: str = field(repr=False)
    prompts: str
    app: str = "warmline"
    trunk: str = "warmline-trunk"


class AsteriskCarrier:
    """A `Carrier`. One process at a time may have it open for one app of one Asterisk."""

    name = "asterisk"

    def __init__(
        self,
        address: Address,
        *,
        believe: Believe = believe_nothing,
        may_connect: Callable[[], bool] = lambda: True,
    ) -> None:
        """`believe` tells which legs are thought to stand, so that a process which starts anew is
        told of those that ended. Nothing is listened to unless `may_connect`.
        """
        self._address = address
        self._teller = Teller()
        self._prompts = Prompts(uuid4().hex[:8])
        self._listener = Listener(
            self._teller.tell, believe, may_connect, prompt_over=self._prompts.finished
        )
        self._ari: Ari | None = None

    @property
    def is_listening(self) -> bool:
        """Whether events reach us now."""
        return self._listener.connected.is_set()

    @property
    def is_replaced(self) -> bool:
        """Whether somebody else took our app over: nothing is heard until `open` again."""
        return self._listener.is_replaced

    @property
    def listening_since(self) -> float | None:
        """Since when, by the loop's clock; None while nothing is heard."""
        return self._listener.listening_since

    @property
    def deaf_since(self) -> float | None:
        """Since when nothing is heard, by the loop's clock; None while it is, or not open."""
        return self._listener.deaf_since

    @property
    def untold(self) -> int:
        """How many pieces of news wait to be stored."""
        return self._teller.untold

    async def open(self, receive: Receive) -> None:
        """Listen; returns once events come. Raises CarrierUnreachable after 2 s.

        Even then it goes on trying in the background until `close`.
        """
        at = self._address
        self._ari = Ari(at.url, at.user, at.password, at.app)
        self._teller.start(receive)
        await self._listener.start(self._ari)

    async def close(self) -> None:
        """Stop listening. Live legs stay up; news not stored yet waits for the next `open`."""
        await self._listener.stop()
        await self._teller.stop()
        if self._ari is not None:
            await self._ari.close()
            self._ari = None

    async def ring(self, leg: LegId, to: PhoneNumber, *, shows: str, ring_seconds: int) -> None:
        """Originate a channel of the leg's own name: at the softphone of that number, if Asterisk
        has one, else over the trunk.

        A trunk that does not answer Asterisk's own question is refused as 503, a softphone that is
        not there as 480.
        """
        ari = self._open()
        if self._listener.is_over(leg):
            return
        at = self._address
        softphone = await self._softphone(to)
        originate = {
            "endpoint": softphone or f"PJSIP/{to.digits}@{at.trunk}",
            "app": at.app,
            "appArgs": "out",
            "channelId": channel_of(leg),
            "callerId": shows,
            "timeout": ring_seconds + _RING_GRACE_SECONDS,
            "variables": {"CHANNEL(hangup_handler_push)": "warmline-ended,s,1"},
        }
        try:
            await ari.ask("POST", "channels", body=originate)
        except CarrierRefused as refusal:
            if refusal.code != _EXISTS:
                raise
        except NotDone:  # so it is with a trunk that is away: whether it rings can be asked
            if not await self._exists(leg):
                raise _away(softphone) from None

    async def answer(self, leg: LegId) -> None:
        """Take a leg that dialled in, and lift the limit on its waiting to be taken."""
        stands = await self._standing(leg)
        if stands.up:
            return
        if not is_dialled_in(leg):
            raise CarrierRefused("not_a_dial_in")
        await self._limit(stands.channel, 0)
        await self._order(leg, "POST", "channels", stands.channel, "answer")

    async def bridge(self, call: CallId, legs: tuple[LegId, ...], *, limit_seconds: int) -> None:
        """Set each leg's limit and join all that are not in the call's bridge yet.

        Who is being told something hears the others at once instead. The limit is Asterisk's own,
        so that it holds while we are dead. A leg already in the bridge keeps its limit: an order
        repeated must not prolong a talk.
        """
        name = bridge_of(call)
        found = await self._standing_at(name, legs)
        joining = []
        for leg in legs:
            stands = found.get(channel_of(leg))
            if stands is None:
                raise CarrierRefused("leg_gone", sip=481)
            if not (stands.up and stands.takes_orders):
                raise CarrierRefused("leg_not_answered")
            if stands.bridge != name:
                joining.append(stands)
        if not joining:
            return
        await asyncio.gather(
            *(self._limit(stands.channel, limit_seconds) for stands in joining),
            *(self._hush(stands.leg) for stands in joining),
        )
        try:
            await self._join(name, joining)
        except CarrierRefused as refusal:
            if refusal.code != _GONE:
                raise _spoken(refusal) from refusal
            await self._join(name, joining)  # it stood empty, and was just being torn down

    async def part(self, leg: LegId) -> None:
        """Take a leg out of its bridge and keep it on the line."""
        call, is_ours, _ = leg.partition("/")
        if not is_ours:  # it dialled in: its name does not tell which call it is on
            await self._part(await self._standing(leg))
            return
        found = await self._standing_at(bridge_of(CallId(call)), (leg,))
        if channel_of(leg) not in found:
            raise CarrierRefused("leg_gone", sip=481)
        await self._part(found[channel_of(leg)])

    async def say(self, leg: LegId, prompt: str, *, language: str) -> None:
        """Play the prompt's file to the leg, over the bridge where it is in one.

        A file that is not there is told by the log alone: Asterisk takes the order all the same.
        """
        channel, playback = channel_of(leg), self._prompts.begin(leg)
        query = {"media": f"sound:{self._address.prompts}/{language}/{prompt}"}
        try:
            await self._order(leg, "POST", "channels", channel, "play", playback, query=query)
        except CarrierRefused:
            self._prompts.finished(playback)
            raise

    async def limit(self, leg: LegId, *, limit_seconds: int) -> None:
        """Replace the leg's absolute limit, counted from now."""
        await self._limit(channel_of(leg), limit_seconds)

    async def hang_up(self, leg: LegId) -> None:
        """Let the leg go, ringing or talking."""
        ari = self._open()
        try:
            await ari.ask("DELETE", "channels", channel_of(leg), query={"reason_code": "16"})
        except CarrierRefused as refusal:
            if refusal.code != _GONE:
                raise

    async def live_legs(self) -> tuple[LiveLeg, ...]:
        """Every channel of ours. Raises CarrierUnknown."""
        return tuple(one.live for one in (await self._all_standing()).values())

    def _open(self) -> Ari:
        if self._ari is None:
            raise CarrierUnreachable("the carrier is not open")
        return self._ari

    async def _softphone(self, number: PhoneNumber) -> str | None:
        try:
            await self._open().ask("GET", "endpoints", "PJSIP", number.digits)
        except CarrierRefused as refusal:
            if refusal.code == _GONE:
                return None
            raise
        return f"PJSIP/{number.digits}"

    async def _exists(self, leg: LegId) -> bool:
        try:
            await self._open().ask("GET", "channels", channel_of(leg))
        except CarrierRefused as refusal:
            if refusal.code == _GONE:
                return False
            raise
        return True

    async def _all_standing(self) -> dict[str, Standing]:
        ari = self._open()
        channels = await ari.ask("GET", "channels")
        return standing(channels, await ari.ask("GET", "bridges"), self._address.app)

    async def _standing_at(self, bridge: str, legs: tuple[LegId, ...]) -> dict[str, Standing]:
        """These legs alone, and which of them are in this bridge: a busy house has many others."""
        asked = [("channels", channel_of(leg)) for leg in legs]
        *channels, at = await asyncio.gather(
            *(self._find(*one) for one in (*asked, ("bridges", bridge)))
        )
        return standing(channels, [at], self._address.app)

    async def _find(self, kind: str, name: str) -> object:
        try:
            return await self._open().ask("GET", kind, name)
        except CarrierRefused as refusal:
            if refusal.code == _GONE:
                return None
            raise

    async def _standing(self, leg: LegId) -> Standing:
        found = (await self._all_standing()).get(channel_of(leg))
        if found is None:
            raise CarrierRefused("leg_gone", sip=481)
        return found

    async def _join(self, name: str, joining: list[Standing]) -> None:
        ari = self._open()
        # proxy_media: a bridge that passes packets through plays nothing to some phones.
        query = {"type": "mixing,proxy_media"}
        try:
            await ari.ask("POST", "bridges", name, query=query)
        except CarrierRefused as refusal:
            if refusal.code != _EXISTS:
                raise
        channels = ",".join(stands.channel for stands in joining)
        await ari.ask("POST", "bridges", name, "addChannel", query={"channel": channels})

    async def _hush(self, leg: LegId) -> None:
        """Stop what the leg is being told: it would join only afterwards."""
        for playback in self._prompts.of(leg):
            self._prompts.finished(playback)
            with suppress(CarrierRefused):  # it was over just now
                await self._open().ask("DELETE", "playbacks", playback)

    async def _part(self, stands: Standing) -> None:
        if is_our_bridge(stands.bridge):
            query = {"channel": stands.channel}
            await self._order(
                stands.leg, "POST", "bridges", stands.bridge, "removeChannel", query=query
            )

    async def _limit(self, channel: str, seconds: int) -> None:
        query = {"variable": "TIMEOUT(absolute)", "value": str(seconds)}
        ari = self._open()
        try:
            await ari.ask("POST", "channels", channel, "variable", query=query)
        except CarrierRefused as refusal:
            raise _spoken(refusal) from refusal

    async def _order(
        self, leg: LegId, method: str, *path: str, query: dict[str, str] | None = None
    ) -> None:
        ari = self._open()
        try:
            await ari.ask(method, *path, query=query)
        except CarrierRefused as refusal:
            raise _spoken(refusal) from refusal


def _away(softphone: str | None) -> CarrierRefused:
    if softphone is not None:
        return CarrierRefused("phone_away", q850=20, sip=480)
    return CarrierRefused("trunk_away", q850=38, sip=503)


def _spoken(refusal: CarrierRefused) -> CarrierRefused:
    if refusal.code == _GONE:
        return CarrierRefused("leg_gone", sip=481)
    return CarrierRefused("leg_not_answered") if refusal.code in _NOT_YET else refusal
