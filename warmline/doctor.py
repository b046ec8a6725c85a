"""What is wrong with this installation, and what to do about each thing."""

import stat
import time
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from billing.store.lapsing import count_put_off
from routing.store.calendar import load_workdays
from routing.store.callers import any_sealed_number
from terms.ids import TenantId
from warmline.database import migrate
from warmline.database.pool import connected, database_url
from warmline.exits import Unusable
from warmline.findings import Finding, FindingCode, Health, found
from warmline.notices.choosing import check_sms
from warmline.notices.queue import count_job_faults, is_queue_ready
from warmline.policies.examining import not_told_ahead
from warmline.programs import load_programs
from warmline.prompts.recordings import State
from warmline.prompts.standing import folder_of, standings
from warmline.seal import SealBroken
from warmline.settings import Settings, SettingsInvalid
from warmline.tenants import known_tenants
from warmline.workers.sending import LANGUAGE

if TYPE_CHECKING:
    from warmline.database import Connection

HOLIDAYS_AHEAD = timedelta(days=90)

_MOST_SKEW_SECONDS = 1.0
_PLAYS_FILES = frozenset({"asterisk"})
_NAMED = 3
_PROBE = aiohttp.ClientTimeout(total=5)


async def examine(settings: Settings, today: date) -> tuple[Finding, ...]:
    """Look at everything and change nothing but what starting up would make anyway."""
    findings = [
        found(FindingCode.SETTINGS_GOOD),
        _data_dir(settings),
        secret_file(settings.secret_file, given=settings.secret_key is not None),
        sms_fits_carrier(settings),
        await carrier(settings),
        prompts(settings),
        await redis(settings),
    ]
    findings.extend([finding async for finding in _twilio(settings)])
    findings.extend([finding async for finding in _database(settings, today)])
    return tuple(findings)


def worst(findings: tuple[Finding, ...]) -> Health:
    """The worst of them."""
    healths = {finding.health for finding in findings}
    return next((h for h in (Health.WRONG, Health.WARNING) if h in healths), Health.GOOD)


def _data_dir(settings: Settings) -> Finding:
    try:
        return found(FindingCode.DATA_DIR_GOOD, folder=settings.prepare_data_dir())
    except Unusable as refused:
        return found(FindingCode.DATA_DIR_WRONG, why=refused)


def secret_file(file: Path, *, given: bool) -> Finding:
    """Whether the secret can be read by its owner alone."""
    if given:
        return found(FindingCode.SECRET_GIVEN)
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        return found(FindingCode.SECRET_TO_COME, file=file)
    except OSError as refused:
        return found(FindingCode.SECRET_UNREADABLE, file=file, why=refused.strerror)
    if mode & 0o077:
        return found(FindingCode.SECRET_OPEN, file=file, mode=f"{mode:o}")
    return found(FindingCode.SECRET_GOOD, file=file)


def sms_fits_carrier(settings: Settings) -> Finding:
    """Real phones need real messages: a code that only we can read verifies nobody."""
    try:
        gateway = check_sms(settings)
    except SettingsInvalid as refused:
        return found(FindingCode.SMS_WRONG, why=refused)
    if settings.sms == "http":
        return found(FindingCode.SMS_GATEWAY)
    if settings.sms == "twilio":
        return found(FindingCode.SMS_TWILIO)
    if settings.carrier != "simulated":
        return found(FindingCode.SMS_NOT_SENT, carrier=settings.carrier)
    if gateway is not None:
        return found(FindingCode.SMS_GATEWAY_UNUSED)
    return found(FindingCode.SMS_SIMULATED)


async def carrier(settings: Settings) -> Finding:
    """Whether the carrier is one we have, and answers."""
    if settings.carrier == "asterisk":
        return await _asterisk(settings)
    if settings.carrier == "twilio":
        return _twilio_settings(settings)
    if settings.handsets_url is None:
        return found(FindingCode.CARRIER_SIMULATED)
    if await _answers(settings.handsets_url):
        return found(FindingCode.CARRIER_HANDSETS, url=settings.handsets_url)
    return found(FindingCode.CARRIER_NO_HANDSETS, url=settings.handsets_url)


async def _asterisk(settings: Settings) -> Finding:
    from warmline.carriers.examining import examine_asterisk  # few need it: start sooner

    try:
        return await examine_asterisk(settings)
    except Unusable as wrong:
        return found(FindingCode.CARRIER_WRONG, why=wrong)


def _twilio_settings(settings: Settings) -> Finding:
    from warmline.carriers.twilio import check_twilio

    try:
        check_twilio(settings)
    except Unusable as wrong:
        return found(FindingCode.CARRIER_WRONG, why=wrong)
    return found(FindingCode.CARRIER_TWILIO)


async def _twilio(settings: Settings) -> AsyncIterator[Finding]:
    if "twilio" not in (settings.carrier, settings.sms):
        return
    from warmline.carriers.twilio_doctor import examine_twilio

    try:
        async for finding in examine_twilio(settings):
            yield finding
    except Unusable as wrong:
        if settings.carrier != "twilio":  # else it is said of the carrier
            yield found(FindingCode.TWILIO_WRONG, why=wrong)


def prompts(settings: Settings) -> Finding:
    """Whether a carrier that plays files has one for everything that callers are told."""
    if settings.carrier not in _PLAYS_FILES:
        return found(FindingCode.PROMPTS_UNUSED)
    try:
        standing = standings(settings, folder_of(settings), (LANGUAGE,))
    except Unusable as refused:
        return found(FindingCode.PROMPTS_WRONG, why=refused)
    missing = [one.prompt.key for one in standing if one.state is State.MISSING]
    if missing:
        some = ", ".join(missing[:_NAMED])
        return found(FindingCode.PROMPTS_MISSING, count=len(missing), some=some)
    unplayable = [one.detail for one in standing if one.state is State.UNPLAYABLE]
    if unplayable:
        return found(FindingCode.PROMPTS_UNPLAYABLE, which="; ".join(unplayable))
    outdated = sum(one.state is State.OUTDATED for one in standing)
    if outdated:
        return found(FindingCode.PROMPTS_OUTDATED, count=outdated)
    own = sum(one.state is State.OWN for one in standing)
    return found(FindingCode.PROMPTS_GOOD, count=len(standing), own=own)


async def redis(settings: Settings) -> Finding:
    """Whether Redis answers, where it is named. It may be away: nothing is lost with it."""
    if settings.redis_url is None:
        return found(FindingCode.REDIS_UNUSED)
    from warmline.bus.redis import is_there  # few need it: start sooner

    if await is_there(settings.redis_url):
        return found(FindingCode.REDIS_GOOD)
    return found(FindingCode.REDIS_AWAY)


async def _answers(url: str) -> bool:
    try:
        async with (
            aiohttp.ClientSession(timeout=_PROBE) as session,
            session.get(f"{url.rstrip('/')}/health"),
        ):
            return True  # whatever it says: it is there
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _database(settings: Settings, today: date) -> AsyncIterator[Finding]:
    try:
        async with database_url(settings) as url, connected(url) as connection:
            version = await connection.fetchval("SHOW server_version")
            yield found(FindingCode.DATABASE_GOOD, version=version)
            level = await migrations(connection)
            yield level
            yield await clock(connection)
            if level.health is Health.GOOD:
                yield await queue(connection)
                yield await secret_opens(connection, settings)
                yield await rest(connection)
                yield await changes(connection, settings, today)
                for tenant in await known_tenants(connection, settings.tenant):
                    known_until = (await load_workdays(connection, tenant)).known_until
                    yield holidays(known_until, today, tenant)
    except Unusable as refused:
        yield found(FindingCode.DATABASE_WRONG, why=refused)


async def migrations(connection: "Connection") -> Finding:
    """Whether the database and this version belong together."""
    try:
        migrate.check_server(connection)
        missing = await migrate.pending(connection, migrate.shipped())
    except migrate.MigrationError as wrong:
        return found(FindingCode.MIGRATIONS_WRONG, why=wrong)
    if missing:
        return found(FindingCode.MIGRATIONS_MISSING, count=len(missing))
    return found(FindingCode.MIGRATIONS_GOOD)


async def clock(connection: "Connection") -> Finding:
    """Whether this machine and the database agree about the time."""
    asked = time.time()
    told: datetime = await connection.fetchval("SELECT clock_timestamp()")
    skew = told.timestamp() - (asked + time.time()) / 2
    return clock_skew(skew)


def clock_skew(seconds: float) -> Finding:
    """What a difference of `seconds` (positive: the database is ahead) means."""
    if abs(seconds) > _MOST_SKEW_SECONDS:
        return found(FindingCode.CLOCK_OFF, seconds=f"{seconds:+.1f}")
    return found(FindingCode.CLOCK_GOOD)


async def queue(connection: "Connection") -> Finding:
    """Whether PgQueuer's own tables are there, and whether a job failed of late."""
    if not await is_queue_ready(connection):
        return found(FindingCode.QUEUE_WRONG)
    failed = await count_job_faults(connection, timedelta(days=1))
    if failed:
        return found(FindingCode.QUEUE_FAILED, count=failed)
    return found(FindingCode.QUEUE_GOOD)


async def secret_opens(connection: "Connection", settings: Settings) -> Finding:
    """Whether the numbers that are stored can be read with the secret that is here."""
    sealed = await any_sealed_number(connection)
    if sealed is None:
        return found(FindingCode.NUMBERS_NONE)
    if settings.secret_key is None and not settings.secret_file.exists():
        return found(FindingCode.NUMBERS_WITHOUT_SECRET, file=settings.secret_file)
    try:
        settings.seal().open(sealed)
    except SealBroken:
        return found(FindingCode.NUMBERS_OTHER_SECRET)
    return found(FindingCode.NUMBERS_GOOD)


async def rest(connection: "Connection") -> Finding:
    """Whether everything whose time was over came to rest."""
    count = await count_put_off(connection)
    if count:
        return found(FindingCode.REST_PUT_OFF, count=count)
    return found(FindingCode.REST_GOOD)


async def changes(connection: "Connection", settings: Settings, today: date) -> Finding:
    """Whether customers are told ahead of what programs announce (B04)."""
    try:
        programs = load_programs(settings.programs)
    except Unusable as refused:
        return found(FindingCode.CHANGES_WRONG, why=refused)
    wrong = await not_told_ahead(connection, settings.tenant, programs.values(), today)
    if wrong:
        return found(FindingCode.CHANGES_UNTOLD, which="; ".join(wrong))
    return found(FindingCode.CHANGES_GOOD)


def holidays(known_until: date | None, today: date, tenant: TenantId) -> Finding:
    """Whether the holiday table speaks for the days to come; without it a weekday is a guess (X17).

    A year's holidays are announced in the autumn before it.
    """
    if known_until is None:
        return found(FindingCode.HOLIDAYS_NONE, tenant=tenant)
    if known_until >= today + HOLIDAYS_AHEAD:
        return found(FindingCode.HOLIDAYS_GOOD, year=known_until.year, tenant=tenant)
    return found(FindingCode.HOLIDAYS_ENDING, year=known_until.year + 1, tenant=tenant)


def local_today() -> date:
    """Today where the doctor is asked."""
    return datetime.now(UTC).astimezone().date()
