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
from warmline.findings import Finding, FindingCode, Health, found
from warmline.http.address import is_loopback
from warmline.programs import load_programs
from warmline.settings import Settings

_PROBE = aiohttp.ClientTimeout(total=8)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

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
        return found(FindingCode.TWILIO_ACCOUNT_UNTOLD, why=untold)
    if str(account.status) != "active":
        return found(FindingCode.TWILIO_ACCOUNT_INACTIVE, status=account.status)
    if str(account.type) == "Trial":
        return found(FindingCode.TWILIO_ACCOUNT_TRIAL)
    return found(FindingCode.TWILIO_ACCOUNT_GOOD)


async def _number(client: Any, number: str, settings: Settings, public_url: str) -> Finding:
    ending = number[-4:]
    try:
        listed = await _asked(
            lambda: client.incoming_phone_numbers.list_async(
                phone_number=number, limit=1, page_size=1
            )
        )
    except Untold as untold:
        return found(FindingCode.TWILIO_NUMBER_UNTOLD, ending=ending, why=untold)
    if not listed:
        return found(FindingCode.TWILIO_NUMBER_FOREIGN, ending=ending)
    able = listed[0].capabilities or {}
    if settings.carrier == "twilio" and not able.get("voice"):
        return found(FindingCode.TWILIO_NUMBER_SILENT, ending=ending)
    if _sends_sms(number, settings) and not able.get("sms"):
        return found(FindingCode.TWILIO_NUMBER_WITHOUT_SMS, ending=ending)
    if settings.carrier == "twilio":
        return _webhooks(ending, listed[0], public_url)
    return found(FindingCode.TWILIO_NUMBER_GOOD, ending=ending)


def _sends_sms(number: str, settings: Settings) -> bool:
    return (
        settings.sms == "twilio"
        and settings.twilio_messaging_service is None
        and number == settings.twilio_numbers[0]
    )


def _webhooks(ending: str, number: Any, public_url: str) -> Finding:
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
        what = " and ".join(wrong)
        return found(FindingCode.TWILIO_NUMBER_ELSEWHERE, ending=ending, what=what)
    return found(FindingCode.TWILIO_NUMBER_OURS, ending=ending)


async def _profile(client: Any) -> Finding:
    try:
        profiles = await _asked(
            lambda: client.trusthub.v1.customer_profiles.list_async(limit=50, page_size=50)
        )
    except Untold as untold:
        return found(FindingCode.TWILIO_PROFILE_UNTOLD, why=untold)
    if any(str(profile.status) == "twilio-approved" for profile in profiles):
        return found(FindingCode.TWILIO_PROFILE_GOOD)
    return found(FindingCode.TWILIO_PROFILE_MISSING)


async def _verify(client: Any, service: str) -> Finding:
    try:
        verify = await _asked(lambda: client.verify.v2.services(service).fetch_async())
    except Untold as untold:
        return found(FindingCode.TWILIO_VERIFY_UNTOLD, why=untold)
    if not verify.custom_code_enabled:
        return found(FindingCode.TWILIO_VERIFY_NO_CODES)
    return found(FindingCode.TWILIO_VERIFY_GOOD)


async def _address(access: Access, public_url: str) -> Finding:
    """Whether our public address leads here, and a signature still holds when it arrives.

    Asked from here: whether the whole Internet reaches it, the first webhook tells.
    """
    parts = urlsplit(public_url)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        return found(FindingCode.TWILIO_WEBHOOKS_PLAIN)
    url = public_url + CALLS
    fields = {"AccountSid": access.account_sid, "Asks": "doctor"}
    signature = RequestValidator(access.auth_token).compute_signature(url, fields)
    try:
        async with aiohttp.ClientSession(timeout=_PROBE) as session:
            forged = await _posted(session, url, fields, "forged")
            signed = await _posted(session, url, fields, signature)
    except (aiohttp.ClientError, TimeoutError, OSError) as fault:
        why = type(fault).__name__
        return found(FindingCode.TWILIO_WEBHOOKS_NOBODY, url=public_url, why=why)
    return _judged(public_url, forged, signed)


def _judged(public_url: str, forged: int, signed: int) -> Finding:
    if {forged, signed} & _REDIRECTS:
        return found(FindingCode.TWILIO_WEBHOOKS_REDIRECTED, url=public_url)
    if (forged, signed) == (403, 204):
        return found(FindingCode.TWILIO_WEBHOOKS_GOOD)
    if (forged, signed) == (403, 403):
        return found(FindingCode.TWILIO_WEBHOOKS_UNSIGNED)
    return found(FindingCode.TWILIO_WEBHOOKS_STRANGE, url=public_url, status=signed)


def calls_per_second(count: int) -> Finding:
    """What the settings say; Twilio's API does not tell what the account is allowed."""
    if count == 1:
        return found(FindingCode.TWILIO_RATE_OF_ONE)
    return found(FindingCode.TWILIO_RATE_GOOD, count=count)


def shown_numbers(settings: Settings, numbers: tuple[str, ...]) -> Finding:
    """Whether people see the number that their program names. Raises Unusable."""
    programs = load_programs(settings.programs)
    others = sorted(id_ for id_, program in programs.items() if program.dialer.shows not in numbers)
    if others:
        told = ", ".join(others)
        return found(FindingCode.TWILIO_SHOWN_FOREIGN, programs=told, ending=numbers[0][-4:])
    return found(FindingCode.TWILIO_SHOWN_GOOD)


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
