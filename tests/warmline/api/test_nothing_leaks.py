"""No number, token or code in a log line, a metric or a problem, wherever it was put."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
import pytest
import structlog

from tests.people import CALLER
from tests.serving import Service, a_service
from tests.warmline.api.everybody import NUMBERS, Everybody, everybody, quiet
from tests.warmline.api.test_devices import ask_for_code, confirm, last_code
from tests.warmline.api.test_live import listen, told, two_calls
from warmline import logs
from warmline.serve import OPERATIONS

NEW = "+8613612345678"


@pytest.fixture
def logged() -> Iterator[None]:
    """Every line of every logger goes to stderr as it does in a real process."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.configure(pretty=False, level=logging.DEBUG)
    structlog.configure(cache_logger_on_first_use=False)
    yield
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()


@pytest.fixture
async def service(logged: None, database_url: str, tmp_path: Path) -> AsyncIterator[Service]:
    """A service whose log is kept."""
    async with a_service(database_url, tmp_path) as one:
        yield one


async def test_a_whole_day_of_calls_and_mistakes_leaves_no_trace_of_a_person(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    all_ = await everybody(service)
    verification = await ask_for_code(service, NEW)
    await quiet(service)
    code = await last_code(service)
    _, device = await confirm(service, verification, code)
    feed = await listen(all_, "supervisor")
    await told(feed)
    await two_calls(service, all_)
    token = str(device["device_token"])
    secrets = [token, all_.code, *all_.tokens.values()]
    spaced = "-".join(re.findall("....", all_.code))
    problems = [await _misplace(all_, one) for one in (*secrets, spaced, *NUMBERS, NEW, code)]
    await quiet(service)
    async with service.client.get("/metrics") as response:
        metrics = await response.text()

    lines = capsys.readouterr().err
    assert '"event": "request"' in lines
    assert "sms" in lines
    for told_ in (lines, metrics, "".join(problems)):
        for secret in (*secrets, spaced):
            assert secret not in told_, secret
        for number in (*NUMBERS, NEW):
            assert number[3:] not in told_, number
        found = re.search(rf"(?<![\d.]){code}(?!\d)", told_)
        assert found is None, told_[found.start() - 200 : found.end() + 200]


async def _misplace(all_: Everybody, secret: str) -> str:
    """Put it wherever somebody may put it by mistake; everything that was answered."""
    answers = []
    for operation in OPERATIONS:
        path = re.sub(r"\{\w+\}", quote(secret, safe=""), operation.path)
        for headers in (all_.as_("caller"), all_.as_("counselor")):
            asking = all_.service.client.request(
                operation.method,
                f"{path}?phone={quote(secret, safe='')}",
                headers=headers
                | {"X-Request-Id": secret, "Idempotency-Key": "x" + secret, "User-Agent": secret},
                json={secret: secret, "phone": [secret], "code": secret + "x"},
            )
            async with asking as response:
                if response.status >= 400:
                    answers.append(await response.text())
    if len(secret) > 6:  # six digits in a line that is no HTTP cannot be told from anything else
        await _send_raw(all_.service.house.url, f"GET /{secret} HTTP/9.9\r\n\r\n")
        await _send_raw(all_.service.house.url, f"GET / HTTP/1.1\r\n{secret}\r\n\r\n")
    return "".join(answers)


async def _send_raw(url: str, text: str) -> None:
    """Bytes that are no HTTP: the server's own library answers, and logs."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(text.encode())
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(5):
            await reader.read(65_536)
    writer.close()


async def test_what_the_phones_and_the_carrier_say_is_masked_too(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    await everybody(service)
    async with service.client.get("/sim/messages") as response:
        messages = await response.text()
    with suppress(aiohttp.ClientError):
        async with service.client.post(f"/sim/handsets/{CALLER}/press", json={"digits": "1"}):
            pass

    assert not any(number in messages for number in NUMBERS)
    assert not any(number[3:] in capsys.readouterr().err for number in NUMBERS)
