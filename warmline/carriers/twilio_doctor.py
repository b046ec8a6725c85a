"""What `warmline doctor` asks of Twilio, and what stands between it and the first real call.

It changes nothing there. What only a real call can prove, `warmline carrier twilio smoke` tries.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urldefrag, urlsplit

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from dialer.carriers.twilio.access import Access
from dialer.carriers.twilio.api import client_of
from dialer.carriers.twilio.http import OnceHttp
from dialer.carriers.twilio.names import CALLS, INBOUND
from warmline.carriers.twilio import access_of, numbers_of, public_url_of
from warmline.doctor import Finding, Health
from warmline.http.address import is_loopback
from warmline.programs import load_programs
from warmline.settings import Settings

_PROBE = aiohttp.ClientTimeout(total=8)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_GOING_LIVE = "Before going live:"

Answer = TypeVar("Answer")


class Untold(Exception):
    """Twilio did not say; the text says why, for the operator."""


async def examine_twilio(settings: Settings) -> AsyncIterator[Finding]:
    """Account, numbers, address, limits. Raises SettingsInvalid."""
    access, public_url = access_of(settings), public_url_of(settings)
    numbers = numbers_of(settings)
    http = OnceHttp(access.api_url)
    try:
        account = await _account(access, http)
        yield account
        if account.health is not Health.WRONG:
            client = client_of(access, http)
            for number in numbers:
                yield await _number(client, number, settings, public_url)
            yield await _profile(client)
            if settings.twilio_verify_service is not None:
                yield await _verify(client, settings.twilio_verify_service)
    finally:
        await http.close()
    yield await _address(access, public_url)
    if settings.carrier == "twilio":
        yield calls_per_second(settings.twilio_calls_per_second)
        yield shown_numbers(settings, numbers)


async def _account(access: Access, http: OnceHttp) -> Finding:
    """By the token, which signs the webhooks, whether or not requests go by a key."""
    by_token = client_of(replace(access, api_key=None, api_secret=None), http)
    try:
        account = await _asked(
            lambda: by_token.api.v2010.accounts(access.account_sid).fetch_async()
        )
        if access.api_key is not None:
            by_key = client_of(access, http)
            await _asked(lambda: by_key.incoming_phone_numbers.list_async(limit=1, page_size=1))
    except Untold as untold:
        text = (
            f"{untold}: mend WARMLINE_TWILIO_ACCOUNT_SID, _AUTH_TOKEN, _API_KEY and _API_SECRET, "
            "or the way to Twilio."
        )
        return Finding("twilio account", Health.WRONG, text)
    if str(account.status) != "active":
        text = f"The account is {account.status}: see to it in Twilio's console."
        return Finding("twilio account", Health.WRONG, text)
    if str(account.type) == "Trial":
        text = (
            f"{_GOING_LIVE} upgrade the trial account. Until then Twilio ends every call after ten "
            "minutes, rings verified numbers alone, and says so before anybody is connected."
        )
        return Finding("twilio account", Health.WARNING, text)
    return Finding("twilio account", Health.GOOD, "active, and the token is the account's")


async def _number(client: Any, number: str, settings: Settings, public_url: str) -> Finding:
    subject = f"twilio number ..{number[-4:]}"
    try:
        found = await _asked(
            lambda: client.incoming_phone_numbers.list_async(
                phone_number=number, limit=1, page_size=1
            )
        )
    except Untold as untold:
        return Finding(subject, Health.WARNING, f"{untold}: it could not be looked at.")
    if not found:
        text = "It is not a number of this account: mend WARMLINE_TWILIO_NUMBERS, or buy it."
        return Finding(subject, Health.WRONG, text)
    able = found[0].capabilities or {}
    if settings.carrier == "twilio" and not able.get("voice"):
        return Finding(subject, Health.WRONG, "It carries no voice: take another number.")
    if _sends_sms(number, settings) and not able.get("sms"):
        text = (
            "It sends no SMS: name one that does first in WARMLINE_TWILIO_NUMBERS, or set "
            "WARMLINE_TWILIO_MESSAGING_SERVICE."
        )
        return Finding(subject, Health.WRONG, text)
    if settings.carrier == "twilio":
        return _webhooks(subject, found[0], public_url)
    return Finding(subject, Health.GOOD, "it is the account's")


def _sends_sms(number: str, settings: Settings) -> bool:
    return (
        settings.sms == "twilio"
        and settings.twilio_messaging_service is None
        and number == settings.twilio_numbers[0]
    )


def _webhooks(subject: str, number: Any, public_url: str) -> Finding:
    """Whether who dials the number comes to us, and we are told when they hang up."""
    wanted = {
        "A call comes in": (public_url + INBOUND, number.voice_url),
        "Call status changes": (public_url + CALLS, number.status_callback),
    }
    wrong = [
        f"{name!r} to {ours}"
        for name, (ours, theirs) in wanted.items()
        if urldefrag(theirs or "").url != ours
    ]
    if number.voice_application_sid or number.trunk_sid:
        wrong.append("and take its application or trunk away")
    if wrong:
        text = (
            "Who dials it does not reach us: in Twilio's console, at this number, set "
            f"{' and '.join(wrong)} (webhook, HTTP POST)."
        )
        return Finding(subject, Health.WARNING, text)
    return Finding(subject, Health.GOOD, "it is the account's, and its webhooks are ours")


async def _profile(client: Any) -> Finding:
    subject = "twilio profile"
    blocked = (
        f"{_GOING_LIVE} have a Business Primary Customer Profile approved (console, Trust Hub). "
        "Without one Twilio lets two calls stand at a time, which is one conversation, and does "
        "not raise the calls per second."
    )
    try:
        found = await _asked(
            lambda: client.trusthub.v1.customer_profiles.list_async(limit=50, page_size=50)
        )
    except Untold as untold:
        return Finding(subject, Health.WARNING, f"{untold}. {blocked}")
    if any(str(profile.status) == "twilio-approved" for profile in found):
        return Finding(subject, Health.GOOD, "a customer profile is approved; that it is the "
                       "business one, only the console tells")  # fmt: skip
    return Finding(subject, Health.WARNING, blocked)


async def _verify(client: Any, service: str) -> Finding:
    subject = "twilio verify"
    try:
        found = await _asked(lambda: client.verify.v2.services(service).fetch_async())
    except Untold as untold:
        text = f"{untold}: mend WARMLINE_TWILIO_VERIFY_SERVICE, or leave it out."
        return Finding(subject, Health.WRONG, text)
    if not found.custom_code_enabled:
        text = (
            "It takes no codes of ours, so they go by plain SMS: have Twilio's support enable "
            "custom codes for it, or leave WARMLINE_TWILIO_VERIFY_SERVICE out."
        )
        return Finding(subject, Health.WARNING, text)
    return Finding(subject, Health.GOOD, "it takes our codes")


async def _address(access: Access, public_url: str) -> Finding:
    """Whether our public address leads here, and a signature still holds when it arrives.

    Asked from here: whether the whole Internet reaches it, the first webhook tells.
    """
    subject = "twilio webhooks"
    parts = urlsplit(public_url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        text = "WARMLINE_PUBLIC_URL must begin with https://: what Twilio tells names people."
        return Finding(subject, Health.WRONG, text)
    url = public_url + CALLS
    fields = {"AccountSid": access.account_sid, "Asks": "doctor"}
    signature = RequestValidator(access.auth_token).compute_signature(url, fields)
    try:
        async with aiohttp.ClientSession(timeout=_PROBE) as session:
            forged = await _posted(session, url, fields, "forged")
            signed = await _posted(session, url, fields, signature)
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        text = (
            f"Nobody answers at {public_url} ({type(fault).__name__}): start `warmline serve`, and "
            "see that the address leads to it."
        )
        return Finding(subject, Health.WARNING, text)
    return _judged(subject, public_url, forged, signed)


def _judged(subject: str, public_url: str, forged: int, signed: int) -> Finding:
    if {forged, signed} & _REDIRECTS:
        text = f"{public_url} answers with a redirection: Twilio loses what it sends there."
        return Finding(subject, Health.WRONG, text)
    if (forged, signed) == (403, 204):
        return Finding(subject, Health.GOOD, "they arrive, and forged ones are turned away")
    if (forged, signed) == (403, 403):
        text = (
            "A signature does not hold when it arrives: WARMLINE_PUBLIC_URL must be the address as "
            "Twilio sees it, a proxy may not change the path, and the service must run with this "
            "WARMLINE_TWILIO_AUTH_TOKEN."
        )
        return Finding(subject, Health.WRONG, text)
    text = (
        f"Somebody else answers at {public_url} (status {signed}), or a service that does not "
        "stand on Twilio: see where the address leads."
    )
    return Finding(subject, Health.WRONG, text)


def calls_per_second(count: int) -> Finding:
    """What the settings say; Twilio's API does not tell what the account is allowed."""
    subject = "twilio calls per second"
    if count == 1:
        text = (
            f"{_GOING_LIVE} one call a second connects thirty conversations a minute at best, and "
            "leaves none free for an agency. Raise it in Twilio's console (Voice, Settings, "
            "General), then set WARMLINE_TWILIO_CALLS_PER_SECOND to the same."
        )
        return Finding(subject, Health.WARNING, text)
    text = f"{count} by the settings, one of them kept for an agency; the console has the real one"
    return Finding(subject, Health.GOOD, text)


def shown_numbers(settings: Settings, numbers: tuple[str, ...]) -> Finding:
    """Whether people see the number that their program names. Raises Unusable."""
    programs = load_programs(settings.programs)
    others = sorted(id_ for id_, program in programs.items() if program.dialer.shows not in numbers)
    if others:
        text = (
            f"{', '.join(others)}: the number they show is none of WARMLINE_TWILIO_NUMBERS, so "
            f"people see the one that ends in {numbers[0][-4:]}. Mend `shows` in the program."
        )
        return Finding("twilio shown number", Health.WARNING, text)
    return Finding("twilio shown number", Health.GOOD, "every program shows a number of ours")


async def _posted(
    session: aiohttp.ClientSession, url: str, fields: dict[str, str], signature: str
) -> int:
    headers = {SIGNATURE_HEADER: signature}
    async with session.post(url, data=fields, headers=headers, allow_redirects=False) as answer:
        return answer.status


async def _asked(request: Callable[[], Awaitable[Answer]]) -> Answer:
    try:
        return await request()
    except TwilioRestException as refusal:
        raise Untold(f"Twilio says no ({refusal.status}, {refusal.code})") from None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as fault:
        raise Untold(f"Twilio does not answer ({type(fault).__name__})") from None
    except TwilioException:
        raise Untold("Twilio says no") from None
