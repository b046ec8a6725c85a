"""What the doctor looks at, and what it says when something is wrong."""

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import encode_basic_auth, web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from billing.policies.announcing import Announced
from billing.store.changes import Telling, note_changes, note_told
from billing.store.lapsing import put_off
from routing.store.calendar import CalendarDay, import_days
from routing.store.callers import get_or_create_caller
from terms.ids import CallerId, OrderId, ProgramId, TenantId
from terms.phone import PhoneNumber
from warmline import doctor
from warmline.database.migrate import Migration, migrate, shipped
from warmline.database.pool import connected
from warmline.enrolment import make_key
from warmline.findings import Finding, FindingCode, Health
from warmline.notices.queue import Job, note_job_fault
from warmline.programs import load_programs, load_shipped
from warmline.prompts.audio import Sound, write_wav
from warmline.prompts.recordings import Recordings
from warmline.prompts.standing import folder_of, prompts_of
from warmline.settings import Settings

if TYPE_CHECKING:
    from asyncpg import Pool, Record

TODAY = date(2026, 11, 21)
NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)
TENANT = TenantId("default")


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> Settings:
    for name in [name for name in os.environ if name.startswith("WARMLINE_")]:
        monkeypatch.delenv(name)
    return Settings.load(data_dir=tmp_path, database_url=database_url)


def changed(settings: Settings, **values: object) -> Settings:
    return Settings.model_validate({**dict(settings), **values})


def about(findings: tuple[Finding, ...], subject: str) -> Finding:
    return next(finding for finding in findings if finding.subject == subject)


async def test_a_healthy_installation_needs_no_advice(
    settings: Settings, database: "Pool[Record]"
) -> None:
    day = CalendarDay(day=date(2027, 1, 1), worked=False, name="元旦", source="test")
    async with database.acquire() as connection:
        await import_days(connection, TenantId("default"), [day])

    findings = await doctor.examine(settings, TODAY)

    assert doctor.worst(findings) is Health.GOOD
    assert {finding.subject for finding in findings} == {
        "settings", "data directory", "secret", "sms", "carrier", "prompts", "redis",
        "database", "migrations", "clock", "queue", "numbers", "rest", "changes",
        "holidays",
    }  # fmt: skip


async def test_a_database_that_does_not_answer_is_wrong(settings: Settings) -> None:
    broken = changed(settings, database_url="postgresql://warmline@127.0.0.1:1/warmline")

    findings = await doctor.examine(broken, TODAY)

    assert doctor.worst(findings) is Health.WRONG
    assert "WARMLINE_DATABASE_URL" in about(findings, "database").text


async def test_missing_migrations_are_a_warning_that_names_the_command(
    settings: Settings, empty_database: str
) -> None:
    findings = await doctor.examine(changed(settings, database_url=empty_database), TODAY)

    assert about(findings, "migrations").health is Health.WARNING
    assert "`warmline migrate`" in about(findings, "migrations").text


async def test_a_database_newer_than_the_code_is_wrong(empty_database: str) -> None:
    later = Migration(version=9999, name="from_the_future", sql="SELECT 1")
    async with connected(empty_database) as connection:
        await migrate(connection, [*shipped(), later])

        finding = await doctor.migrations(connection)

    assert finding.health is Health.WRONG
    assert "9999_from_the_future" in finding.text


def test_a_secret_that_others_can_read_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "secret.key"
    assert doctor.secret_file(file, given=False).health is Health.GOOD
    file.touch(mode=0o600)
    assert doctor.secret_file(file, given=False).health is Health.GOOD

    file.chmod(0o640)

    assert doctor.secret_file(file, given=False).health is Health.WRONG
    assert f"chmod 600 {file}" in doctor.secret_file(file, given=False).text
    assert doctor.secret_file(file, given=True).health is Health.GOOD


GATEWAY = {"sms_url": "https://sms.example/v1", "sms_secret": SecretStr("whsec_" + "A" * 32)}


@pytest.mark.parametrize(
    ("chosen", "health", "told"),
    [
        ({}, Health.GOOD, "/sim/messages"),
        ({"carrier": "asterisk"}, Health.WRONG, "set WARMLINE_SMS=http, and WARMLINE_SMS_URL"),
        ({"carrier": "twilio"}, Health.WRONG, "set WARMLINE_SMS=http, and WARMLINE_SMS_URL"),
        ({"carrier": "twilio", **GATEWAY}, Health.WRONG, "WARMLINE_SMS=log sends them nothing"),
        ({"carrier": "asterisk", "sms": "http"}, Health.WRONG, "set WARMLINE_SMS_URL and"),
        ({"carrier": "asterisk", "sms": "twilio"}, Health.WRONG, "Twilio needs"),
        ({"carrier": "asterisk", "sms": "http", **GATEWAY}, Health.GOOD, "by the gateway"),
        ({"sms": "http", **GATEWAY}, Health.GOOD, "by the gateway"),
        (GATEWAY, Health.WARNING, "set WARMLINE_SMS=http"),
        ({**GATEWAY, "sms_secret": None}, Health.WRONG, "set WARMLINE_SMS_SECRET"),
    ],
)
async def test_a_real_carrier_needs_a_real_message_sender(
    settings: Settings, chosen: dict[str, object], health: Health, told: str
) -> None:
    finding = about(await doctor.examine(changed(settings, **chosen), TODAY), "sms")

    assert finding.health is health
    assert told in finding.text


async def test_a_redis_that_is_named_and_away_is_a_warning(settings: Settings) -> None:
    away = changed(settings, redis_url="redis://127.0.0.1:1/0")

    finding = await doctor.redis(away)

    assert finding.health is Health.WARNING
    assert "WARMLINE_REDIS_URL" in finding.text


ENDPOINT = {"resource": "warmline-trunk", "state": "online"}


def an_asterisk(
    version: str = "22.10.1+dfsg", *, context: str = "NOT_INUSE", endpoint: object = ENDPOINT
) -> web.Application:
    """As much of ARI as the doctor asks for."""

    async def info(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != encode_basic_auth("warmline", "right"):
            raise web.HTTPUnauthorized
        return web.json_response({"system": {"version": version}})

    async def place(_request: web.Request) -> web.Response:
        return web.json_response({"state": context})

    async def trunk(_request: web.Request) -> web.Response:
        return web.json_response(endpoint, status=200 if endpoint else 404)

    app = web.Application()
    app.router.add_get("/ari/asterisk/info", info)
    app.router.add_get("/ari/deviceStates/{name:.*}", place)
    app.router.add_get("/ari/endpoints/PJSIP/warmline-trunk", trunk)
    return app


@pytest.mark.parametrize(
    ("asterisk", "password", "health", "told"),
    [
        (an_asterisk(), "right", Health.GOOD, "Asterisk 22.10.1 at"),
        (an_asterisk(), "wrong", Health.WRONG, "does not know our user or password"),
        (an_asterisk("20.9.3"), "right", Health.WARNING, "is made for 22"),
        (an_asterisk(context="INVALID"), "right", Health.WRONG, "no context warmline-ended"),
        (an_asterisk(endpoint=None), "right", Health.WRONG, "no endpoint PJSIP/warmline-trunk"),
        (
            an_asterisk(endpoint={"state": "offline"}),
            "right",
            Health.WARNING,
            "its trunk warmline-trunk is away",
        ),
        (web.Application(), "right", Health.WRONG, "answers strangely"),
    ],
)
async def test_asterisk_is_asked_for_all_that_we_need_of_it(
    settings: Settings, asterisk: web.Application, password: str, health: Health, told: str
) -> None:
    async with TestServer(asterisk) as server:
        url = str(server.make_url("/")).rstrip("/")
        chosen = changed(
            settings,
            carrier="asterisk",
            asterisk_url=url,
            asterisk_password=SecretStr(password),
        )
        found = await doctor.carrier(chosen)

    assert found.health is health
    assert told in found.text


async def test_an_asterisk_that_is_away_or_whose_password_is_not_given_is_wrong(
    settings: Settings,
) -> None:
    away = changed(
        settings,
        carrier="asterisk",
        asterisk_url="http://127.0.0.1:1",
        asterisk_password=SecretStr("of-the-tests"),
    )

    assert "nobody listens at Asterisk's address" in (await doctor.carrier(away)).text
    nameless = changed(settings, carrier="asterisk")
    assert "WARMLINE_ASTERISK_PASSWORD" in (await doctor.carrier(nameless)).text


async def test_a_twilio_of_which_too_little_is_set_is_wrong(settings: Settings) -> None:
    found = await doctor.carrier(changed(settings, carrier="twilio"))

    assert found.health is Health.WRONG
    assert "WARMLINE_TWILIO_ACCOUNT_SID and WARMLINE_TWILIO_AUTH_TOKEN" in found.text


async def test_handsets_named_by_address_must_answer_there(settings: Settings) -> None:
    async with TestServer(web.Application()) as server:
        url = str(server.make_url("/")).rstrip("/")
        assert (await doctor.carrier(changed(settings, handsets_url=url))).health is Health.GOOD

    gone = await doctor.carrier(changed(settings, handsets_url=url))
    assert gone.health is Health.WRONG
    assert "warmline handsets" in gone.text


@pytest.mark.parametrize(
    ("known_until", "today", "health"),
    [
        (None, TODAY, Health.WARNING),
        (date(2026, 12, 31), TODAY, Health.WARNING),
        (date(2026, 12, 31), date(2026, 10, 2), Health.GOOD),  # not announced yet
        (date(2026, 12, 31), date(2026, 10, 3), Health.WARNING),
        (date(2027, 12, 31), TODAY, Health.GOOD),
    ],
)
def test_holidays_are_needed_for_the_next_ninety_days(
    known_until: date | None, today: date, health: Health
) -> None:
    assert doctor.holidays(known_until, today, TENANT).health is health


def test_a_calendar_that_ended_years_ago_names_the_first_year_it_lacks() -> None:
    finding = doctor.holidays(date(2024, 12, 31), TODAY, TENANT)
    assert finding.text.startswith("2025 holidays")


async def test_every_tenant_needs_its_holidays(
    settings: Settings, database: "Pool[Record]"
) -> None:
    async with database.acquire() as connection:
        await make_key(connection, TenantId("another"), "its app", NOW)

    told = [f.text for f in await doctor.examine(settings, TODAY) if f.subject == "holidays"]

    assert ["another" in text for text in told] == [False, True]


async def test_a_queue_without_its_tables_is_wrong(settings: Settings, database_url: str) -> None:
    async with connected(database_url) as connection:
        await connection.execute("DROP TABLE pgqueuer_log CASCADE")

    finding = about(await doctor.examine(settings, TODAY), "queue")

    assert finding.health is Health.WRONG
    assert "`warmline migrate`" in finding.text


async def test_jobs_that_failed_within_a_day_are_a_warning(
    settings: Settings, database: "Pool[Record]"
) -> None:
    async with database.acquire() as connection:
        for _ in range(2):
            job = Job(kind="deliver", tenant=TENANT, subject="notice_1")
            await note_job_fault(connection, job, ValueError("no"))

    finding = about(await doctor.examine(settings, TODAY), "queue")

    assert (finding.health, finding.text[:1]) == (Health.WARNING, "1")


async def test_an_order_that_cannot_come_to_rest_is_a_warning(
    settings: Settings, database: "Pool[Record]"
) -> None:
    async with database.acquire() as connection:
        await put_off(connection, TENANT, OrderId("order_1"), "SomeBug", NOW)

    assert about(await doctor.examine(settings, TODAY), "rest").health is Health.WARNING


async def test_numbers_that_our_secret_cannot_open_are_wrong_and_no_secret_is_made(
    settings: Settings, database: "Pool[Record]"
) -> None:
    async with database.acquire() as connection:
        number = PhoneNumber("+8613800000001")
        await get_or_create_caller(
            connection, settings.seal(), TENANT, number, lambda: CallerId("caller_1"), NOW
        )
    assert about(await doctor.examine(settings, TODAY), "numbers").health is Health.GOOD

    settings.secret_file.unlink()
    gone = about(await doctor.examine(settings, TODAY), "numbers")
    assert (gone.health, settings.secret_file.exists()) == (Health.WRONG, False)
    other = changed(settings, secret_key=SecretStr("another secret " * 4))
    assert about(await doctor.examine(other, TODAY), "numbers").health is Health.WRONG


@pytest.mark.parametrize(
    ("skew", "health"), [(0.2, Health.GOOD), (1.5, Health.WARNING), (-30, Health.WARNING)]
)
def test_clocks_that_disagree_are_a_warning(skew: float, health: Health) -> None:
    assert doctor.clock_skew(skew).health is health


async def test_the_database_of_this_machine_agrees_about_the_time(database_url: str) -> None:
    async with connected(database_url) as connection:
        assert (await doctor.clock(connection)).health is Health.GOOD


def test_today_is_today() -> None:
    assert abs((doctor.local_today() - datetime.now(UTC).date()).days) <= 1


def test_a_carrier_that_plays_files_needs_one_for_everything_that_is_said(
    settings: Settings,
) -> None:
    assert doctor.prompts(settings).health is Health.GOOD
    playing = changed(settings, carrier="asterisk")
    folder = folder_of(playing) / "zh-CN"
    folder.mkdir(parents=True)
    said = [prompt.key for prompt in prompts_of(playing)]

    nothing = doctor.prompts(playing)
    assert nothing.health is Health.WRONG
    assert nothing.text.startswith(f"{len(said)} prompts have no recording")
    assert "greeting, connecting, press_1" in nothing.text
    assert "`warmline prompts build`" in nothing.text

    for key in said[1:]:
        (folder / f"{key}.ulaw").write_bytes(b"recorded")
    assert doctor.prompts(playing).text.startswith("1 prompts have no recording")
    (folder / f"{said[0]}.wav").write_bytes(b"ID3")
    assert doctor.prompts(playing).health is Health.WRONG
    assert f"{said[0]}.wav is not a WAV file" in doctor.prompts(playing).text
    (folder / f"{said[0]}.wav").write_bytes(write_wav(Sound(8000, [0] * 8000)))
    assert doctor.prompts(playing) == Finding(
        FindingCode.PROMPTS_GOOD, {"count": str(len(said)), "own": str(len(said))}
    )


def test_a_recording_of_an_earlier_text_is_a_warning(settings: Settings) -> None:
    playing = changed(settings, carrier="asterisk")
    folder = folder_of(playing)
    (folder / "zh-CN").mkdir(parents=True)
    for prompt in prompts_of(playing):
        (folder / "zh-CN" / f"{prompt.key}.ulaw").write_bytes(b"recorded")
    (folder / "zh-CN/press_1.ulaw").unlink()
    Recordings(folder).put(folder / "zh-CN/press_1.wav", b"an earlier text", "its recipe")

    told = doctor.prompts(playing)

    assert (told.health, told.text[:1]) == (Health.WARNING, "1")
    assert "`warmline prompts build`" in told.text


@pytest.mark.rule("B04")
async def test_customers_who_are_not_told_ahead_are_a_warning(
    settings: Settings, database: "Pool[Record]", tmp_path: Path
) -> None:
    sheet = load_shipped()[ProgramId("psych-listening")]
    end = 'offered_until = "2027-02-28"\nend_announced_on = "2026-11-20"\n'
    (tmp_path / "ends.toml").write_text(f"{sheet.body}\n{end}", encoding="utf-8")
    ending = changed(settings, programs=tmp_path)
    told = about(await doctor.examine(ending, TODAY), "changes")
    assert told.health is Health.GOOD

    (change,) = load_programs(tmp_path)[sheet.id].billing.cover.changes
    announced = Announced(sheet.id, change)
    person = Telling(phone_index=b"somebody", caller=None, notice="notice_1")
    async with database.acquire() as connection:
        await note_changes(connection, TENANT, [announced], NOW)
        await note_told(connection, TENANT, announced, [person], NOW)
        await connection.execute(
            """INSERT INTO notices (tenant, id, kind, template, written_at, outcome)
               VALUES ($1, 'notice_1', 'sms', 'service_changes', $2, 'gave_up')""",
            *(TENANT, NOW),
        )

    told = about(await doctor.examine(ending, TODAY), "changes")
    assert told.health is Health.WARNING
    assert "installed after the day" in told.text
    assert "1 of its customers could not be told" in told.text
    after = about(await doctor.examine(ending, date(2027, 3, 1)), "changes")
    assert after.health is Health.GOOD
