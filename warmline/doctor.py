"""What is wrong with this installation, and what to do about each thing."""

import stat
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
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


class Health(StrEnum):
    """How one thing is. Only `wrong` keeps Warmline from working."""

    GOOD = "good"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; when it is not good, the text says what to do."""

    subject: str
    health: Health
    text: str


async def examine(settings: Settings, today: date) -> tuple[Finding, ...]:
    """Look at everything and change nothing but what starting up would make anyway."""
    findings = [
        Finding("settings", Health.GOOD, "every setting is known and can be used"),
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
    found = {finding.health for finding in findings}
    return next((h for h in (Health.WRONG, Health.WARNING) if h in found), Health.GOOD)


def _data_dir(settings: Settings) -> Finding:
    try:
        return Finding("data directory", Health.GOOD, f"{settings.prepare_data_dir()} is writable")
    except Unusable as refused:
        return Finding("data directory", Health.WRONG, str(refused))


def secret_file(file: Path, *, given: bool) -> Finding:
    """Whether the secret can be read by its owner alone."""
    if given:
        return Finding("secret", Health.GOOD, "given by WARMLINE_SECRET_KEY")
    try:
        mode = stat.S_IMODE(file.stat().st_mode)
    except FileNotFoundError:
        return Finding("secret", Health.GOOD, f"will be made in {file} at the first start")
    except OSError as refused:
        text = f"{file} cannot be read ({refused.strerror}): mend its owner and mode."
        return Finding("secret", Health.WRONG, text)
    if mode & 0o077:
        text = f"{file} can be read by others (mode {mode:o}): run chmod 600 {file}."
        return Finding("secret", Health.WRONG, text)
    return Finding("secret", Health.GOOD, f"{file} is ours alone")


def sms_fits_carrier(settings: Settings) -> Finding:
    """Real phones need real messages: a code that only we can read verifies nobody."""
    try:
        gateway = check_sms(settings)
    except SettingsInvalid as refused:
        return Finding("sms", Health.WRONG, str(refused))
    if settings.sms == "http":
        return Finding("sms", Health.GOOD, "sent by the gateway that WARMLINE_SMS_URL names")
    if settings.sms == "twilio":
        return Finding("sms", Health.GOOD, "sent by Twilio")
    if settings.carrier != "simulated":
        text = (
            f"WARMLINE_CARRIER={settings.carrier} reaches real people, but WARMLINE_SMS=log sends "
            "them nothing: set WARMLINE_SMS=http, and WARMLINE_SMS_URL and WARMLINE_SMS_SECRET to "
            "those of your gateway, or WARMLINE_SMS=twilio."
        )
        return Finding("sms", Health.WRONG, text)
    if gateway is not None:
        text = (
            "WARMLINE_SMS_URL names a gateway, but WARMLINE_SMS=log sends it nothing: set "
            "WARMLINE_SMS=http, or leave the address out."
        )
        return Finding("sms", Health.WARNING, text)
    return Finding("sms", Health.GOOD, "simulated: messages are shown at GET /sim/messages")


async def carrier(settings: Settings) -> Finding:
    """Whether the carrier is one we have, and answers."""
    if settings.carrier == "asterisk":
        return await _asterisk(settings)
    if settings.carrier == "twilio":
        return _twilio_settings(settings)
    if settings.handsets_url is None:
        return Finding("carrier", Health.GOOD, "simulated: no phone line is used")
    if await _answers(settings.handsets_url):
        return Finding("carrier", Health.GOOD, f"simulated, at {settings.handsets_url}")
    text = (
        f"No handsets answer at {settings.handsets_url}: start `warmline handsets` there, or mend "
        "WARMLINE_HANDSETS_URL."
    )
    return Finding("carrier", Health.WRONG, text)


async def _asterisk(settings: Settings) -> Finding:
    from warmline.carriers.examining import examine_asterisk  # few need it: start sooner

    try:
        found = await examine_asterisk(settings)
    except Unusable as wrong:
        return Finding("carrier", Health.WRONG, str(wrong))
    health = Health.WARNING if found.is_worrying else Health.GOOD
    return Finding("carrier", health, found.text)


def _twilio_settings(settings: Settings) -> Finding:
    from warmline.carriers.twilio import check_twilio

    try:
        check_twilio(settings)
    except Unusable as wrong:
        return Finding("carrier", Health.WRONG, str(wrong))
    return Finding("carrier", Health.GOOD, "twilio: what is set is enough to ask it")


async def _twilio(settings: Settings) -> AsyncIterator[Finding]:
    if "twilio" not in (settings.carrier, settings.sms):
        return
    from warmline.carriers.twilio_doctor import examine_twilio

    try:
        async for finding in examine_twilio(settings):
            yield finding
    except Unusable as wrong:
        if settings.carrier != "twilio":  # else it is said of the carrier
            yield Finding("twilio", Health.WRONG, str(wrong))


def prompts(settings: Settings) -> Finding:
    """Whether a carrier that plays files has one for everything that callers are told."""
    if settings.carrier not in _PLAYS_FILES:
        return Finding("prompts", Health.GOOD, "not used: this carrier plays no files")
    try:
        found = standings(settings, folder_of(settings), (LANGUAGE,))
    except Unusable as refused:
        return Finding("prompts", Health.WRONG, str(refused))
    missing = [one.prompt.key for one in found if one.state is State.MISSING]
    if missing:
        text = (
            f"{len(missing)} prompts have no recording, so people hear nothing there "
            f"({', '.join(missing[:_NAMED])} ..): run `warmline prompts build`."
        )
        return Finding("prompts", Health.WRONG, text)
    unplayable = [one.detail for one in found if one.state is State.UNPLAYABLE]
    if unplayable:
        return Finding("prompts", Health.WRONG, f"cannot be played: {'; '.join(unplayable)}.")
    outdated = sum(one.state is State.OUTDATED for one in found)
    if outdated:
        text = f"{outdated} recordings say an earlier text: run `warmline prompts build`."
        return Finding("prompts", Health.WARNING, text)
    own = sum(one.state is State.OWN for one in found)
    return Finding("prompts", Health.GOOD, f"{len(found)} are recorded, {own} of them your own")


async def redis(settings: Settings) -> Finding:
    """Whether Redis answers, where it is named. It may be away: nothing is lost with it."""
    if settings.redis_url is None:
        return Finding("redis", Health.GOOD, "not used: one process serves")
    from warmline.bus.redis import is_there  # few need it: start sooner

    if await is_there(settings.redis_url):
        return Finding("redis", Health.GOOD, "answers")
    text = (
        "Redis does not answer, so live feeds are late and limits count per process: start it or "
        "mend WARMLINE_REDIS_URL."
    )
    return Finding("redis", Health.WARNING, text)


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
            yield Finding("database", Health.GOOD, f"PostgreSQL {version} answers")
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
        yield Finding("database", Health.WRONG, str(refused))


async def migrations(connection: "Connection") -> Finding:
    """Whether the database and this version belong together."""
    try:
        migrate.check_server(connection)
        missing = await migrate.pending(connection, migrate.shipped())
    except migrate.MigrationError as wrong:
        return Finding("migrations", Health.WRONG, str(wrong))
    if missing:
        text = f"{len(missing)} migrations are missing: run `warmline migrate`."
        return Finding("migrations", Health.WARNING, text)
    return Finding("migrations", Health.GOOD, "all are applied")


async def clock(connection: "Connection") -> Finding:
    """Whether this machine and the database agree about the time."""
    asked = time.time()
    told: datetime = await connection.fetchval("SELECT clock_timestamp()")
    skew = told.timestamp() - (asked + time.time()) / 2
    return clock_skew(skew)


def clock_skew(seconds: float) -> Finding:
    """What a difference of `seconds` (positive: the database is ahead) means."""
    if abs(seconds) > _MOST_SKEW_SECONDS:
        text = f"The database's clock is {seconds:+.1f} s off ours: let both follow one NTP server."
        return Finding("clock", Health.WARNING, text)
    return Finding("clock", Health.GOOD, "the database's clock agrees with ours")


async def queue(connection: "Connection") -> Finding:
    """Whether PgQueuer's own tables are there, and whether a job failed of late."""
    if not await is_queue_ready(connection):
        text = "PgQueuer's tables are missing or of another version: run `warmline migrate`."
        return Finding("queue", Health.WRONG, text)
    failed = await count_job_faults(connection, timedelta(days=1))
    if failed:
        text = (
            f"{failed} background jobs failed within a day: see the table job_faults and the log."
        )
        return Finding("queue", Health.WARNING, text)
    return Finding("queue", Health.GOOD, "its tables are there, and no job failed within a day")


async def secret_opens(connection: "Connection", settings: Settings) -> Finding:
    """Whether the numbers that are stored can be read with the secret that is here."""
    sealed = await any_sealed_number(connection)
    if sealed is None:
        return Finding("numbers", Health.GOOD, "none is stored yet")
    if settings.secret_key is None and not settings.secret_file.exists():
        text = (
            f"Numbers are stored, but {settings.secret_file} is gone: put it back from a backup or "
            "set WARMLINE_SECRET_KEY; without it they cannot be read."
        )
        return Finding("numbers", Health.WRONG, text)
    try:
        settings.seal().open(sealed)
    except SealBroken:
        text = (
            "The stored numbers were sealed with another secret: set WARMLINE_SECRET_KEY to the "
            "new one and the old one behind it, separated by a comma."
        )
        return Finding("numbers", Health.WRONG, text)
    return Finding("numbers", Health.GOOD, "the stored numbers can be read")


async def rest(connection: "Connection") -> Finding:
    """Whether everything whose time was over came to rest."""
    count = await count_put_off(connection)
    if count:
        text = (
            f"{count} orders or vouchers cannot come to rest: see the table lapse_faults and the "
            "log; they are tried again every minute."
        )
        return Finding("rest", Health.WARNING, text)
    return Finding("rest", Health.GOOD, "every order and voucher past its time came to rest")


async def changes(connection: "Connection", settings: Settings, today: date) -> Finding:
    """Whether customers are told ahead of what programs announce (B04)."""
    try:
        programs = load_programs(settings.programs)
    except Unusable as refused:
        return Finding("changes", Health.WRONG, str(refused))
    wrong = await not_told_ahead(connection, settings.tenant, programs.values(), today)
    if wrong:
        text = f"{'; '.join(wrong)}: tell these customers yourself, or put the change off."
        return Finding("changes", Health.WARNING, text)
    return Finding("changes", Health.GOOD, "customers are told ahead of all that is announced")


def holidays(known_until: date | None, today: date, tenant: TenantId) -> Finding:
    """Whether the holiday table speaks for the days to come; without it a weekday is a guess (X17).

    A year's holidays are announced in the autumn before it.
    """
    if known_until is None:
        text = f"No holidays are loaded for {tenant}: `warmline serve` seeds them when it starts."
        return Finding("holidays", Health.WARNING, text)
    if known_until >= today + HOLIDAYS_AHEAD:
        text = f"known until the end of {known_until.year} for {tenant}"
        return Finding("holidays", Health.GOOD, text)
    text = (
        f"{known_until.year + 1} holidays are not loaded for {tenant}: before the year begins, run "
        "`warmline holidays import` with their list."
    )
    return Finding("holidays", Health.WARNING, text)


def local_today() -> date:
    """Today where the doctor is asked."""
    return datetime.now(UTC).astimezone().date()
