"""Twilio in use: orders by its REST interface, news by webhooks that any process may take."""

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

import structlog
from aiohttp import web

from dialer.carriers import Receive
from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.backlog import Backlog
from dialer.carriers.twilio.budget import Budget, Hit
from dialer.carriers.twilio.carrier import Presence, TwilioCarrier
from dialer.carriers.twilio.documents import Words
from dialer.carriers.twilio.numbers import is_e164
from dialer.carriers.twilio.webhooks import Signatures, routes
from terms.ids import CallId
from warmline.bus import RateLimits
from warmline.bus.in_process import InProcessRateLimits
from warmline.carriers.in_use import Place
from warmline.carriers.twilio_book import StoredBook
from warmline.clock import machine_now
from warmline.prompts.standing import prompts_of
from warmline.settings import Settings, SettingsInvalid
from warmline.workers.hold import Hold, SharedHold

_KEPT_FOR = timedelta(days=90)
_PRUNES_EVERY_SECONDS = 3600.0
_SECRET_BYTES = 16

_log = structlog.get_logger()


def check_twilio(settings: Settings) -> None:
    """Whether the settings are enough for calls. Raises SettingsInvalid."""
    access_of(settings)
    numbers_of(settings)
    public_url_of(settings)


def access_of(settings: Settings) -> Access:
    """The account. Raises SettingsInvalid."""
    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    missing = [
        name
        for name, value in (
            ("WARMLINE_TWILIO_ACCOUNT_SID", sid),
            ("WARMLINE_TWILIO_AUTH_TOKEN", token),
        )
        if value is None
    ]
    if sid is None or token is None:
        raise SettingsInvalid(f"Twilio needs {' and '.join(missing)} (docs/twilio.md).")
    if (settings.twilio_api_key is None) != (settings.twilio_api_secret is None):
        raise SettingsInvalid(
            "WARMLINE_TWILIO_API_KEY and WARMLINE_TWILIO_API_SECRET belong together: set both or "
            "neither."
        )
    if (settings.twilio_edge is None) != (settings.twilio_region is None):
        raise SettingsInvalid(
            "WARMLINE_TWILIO_EDGE and WARMLINE_TWILIO_REGION belong together: set both or neither."
        )
    secret = settings.twilio_api_secret
    return Access(
        account_sid=sid,
        auth_token=token.get_secret_value(),
        api_key=settings.twilio_api_key,
        api_secret=None if secret is None else secret.get_secret_value(),
        api_url=settings.twilio_api_url,
        edge=settings.twilio_edge,
        region=settings.twilio_region,
    )


def numbers_of(settings: Settings) -> tuple[str, ...]:
    """Our numbers. Raises SettingsInvalid."""
    numbers = settings.twilio_numbers
    if not numbers or not all(map(is_e164, numbers)):
        raise SettingsInvalid(
            "WARMLINE_TWILIO_NUMBERS must be your numbers at Twilio, each with + and the country "
            "code, separated by commas."
        )
    return numbers


def public_url_of(settings: Settings) -> str:
    """Where Twilio reaches us; its signatures are over this address. Raises SettingsInvalid."""
    if settings.public_url is None:
        raise SettingsInvalid(
            "Twilio calls WARMLINE_PUBLIC_URL: set it to the address that reaches this service "
            "from the Internet, https:// in front."
        )
    return settings.public_url.rstrip("/")


def signatures_of(settings: Settings) -> Signatures:
    """Whose webhooks are taken. Raises SettingsInvalid."""
    other = settings.twilio_auth_token_secondary
    tokens = [access_of(settings).auth_token]
    if other is not None:
        tokens.append(other.get_secret_value())
    return Signatures(public_url_of(settings), tokens)


def words_of(settings: Settings) -> Words:
    """What prompts say here. Raises Unusable, for programs that are faulty."""
    texts = {prompt.key: prompt.texts for prompt in prompts_of(settings)}

    @cache
    def words(prompt: str, language: str) -> str | None:
        return texts.get(prompt, {}).get(language)

    return words


def budget_of(settings: Settings, limits: RateLimits) -> Budget:
    """The account's calls per second, shared by all that count with `limits`."""
    return Budget(_hit(settings, limits), settings.twilio_calls_per_second)


def _hit(settings: Settings, limits: RateLimits) -> Hit:
    account = settings.twilio_account_sid

    async def hit(name: str, most: int) -> bool:
        key = f"twilio:{account}:{name}"
        rate = await limits.hit(key, limit=most, window_seconds=1, now=machine_now())
        return rate.allowed

    return hit


@dataclass(frozen=True, slots=True)
class TwilioHold(SharedHold):
    """Every process gives orders. Of a call of which Twilio told something that waits here, nothing
    is concluded from silence: the phone that seems not to have been answered may have been, seconds
    ago.
    """

    backlog: Backlog

    def awaits(self, call: CallId) -> bool:
        """Whether something of this call waits to be believed."""
        return self.backlog.has_of(call)

    @property
    def is_behind(self) -> bool:
        """Whether Twilio tells more than we can take."""
        return self.backlog.is_long


class TwilioInUse:
    """Every process takes webhooks and gives orders; what they must share is in the database."""

    hands = None

    def __init__(self, place: Place) -> None:
        settings = place.settings
        self._book = StoredBook(place.pool, settings.seal(), settings.tenant, place.clock.now)
        self._now = place.clock.now
        self.carrier = TwilioCarrier(
            access_of(settings),
            self._book,
            Presence(
                public_url=public_url_of(settings),
                numbers=numbers_of(settings),
                words=words_of(settings),
                fallback_url=settings.twilio_fallback_url,
            ),
            budget_of(settings, _limits(settings, place)),
            now=place.clock.now,
            new_secret=lambda: secrets.token_hex(_SECRET_BYTES),
        )
        self.hold: Hold = TwilioHold(self.carrier.backlog)
        self.routes: Sequence[web.RouteDef] = routes(
            self.carrier.ear, signatures_of(settings), self.carrier.backlog
        )
        self._pruning: asyncio.Task[None] | None = None

    async def check(self) -> str | None:
        """Whether orders can be given. Whether Twilio obeys them, the doctor asks."""
        return None if self.carrier.is_open else "the carrier is not open"

    async def open(self, receive: Receive) -> None:
        """Begin to tell what Twilio tells."""
        await self.carrier.open(receive)
        self._pruning = asyncio.create_task(self._prune_for_ever())

    async def close(self) -> None:
        """Tell no more. Live calls stay up."""
        if self._pruning is not None:
            self._pruning.cancel()
            with suppress(asyncio.CancelledError):
                await self._pruning
        await self.carrier.close()

    async def _prune_for_ever(self) -> None:
        while True:
            try:
                await self._book.prune(self._now() - _KEPT_FOR)
            except Exception as fault:
                _log.warning("twilio_not_pruned", fault=type(fault).__name__)
            await asyncio.sleep(_PRUNES_EVERY_SECONDS)


def _limits(settings: Settings, place: Place) -> RateLimits:
    if settings.redis_url is None:
        return InProcessRateLimits()
    from warmline.bus.redis import RedisRateLimits, connect  # few need it: start sooner

    client = connect(settings.redis_url)
    place.stack.push_async_callback(client.aclose)
    return RedisRateLimits(client)
