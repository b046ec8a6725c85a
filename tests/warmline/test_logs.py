"""Nothing that was logged gives a person away."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from terms.phone import PhoneNumber
from warmline import logs

MOBILE = "13800010001"


@pytest.fixture
def json_logs(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.configure(pretty=False)
    yield
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()


def line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    written: dict[str, Any] = json.loads(capsys.readouterr().err.splitlines()[-1])
    return written


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+8613800010001", "+86138****0001"),
        ("+86 138 0001 0001", "+86138****0001"),
        ("please ring 13800010001 now", "please ring 138****0001 now"),
        ("138-0001-0001", "138****0001"),
        ("phone=8613800010001", "phone=861****0001"),
        ("tel13800010001x", "tel138****0001x"),
        ("%2B8613800010001", "%2B861****0001"),
        ("１３８０００１０００１", "１３８****０００１"),  # full-width digits are digits too
        ("010-87654321", "010-8****21"),
        ("(13800010001,)", "(138****0001,)"),
        ("GET /v1/orders/wd_Ab3-d5678901234567890_x HTTP", "GET /v1/orders/wd_*** HTTP"),
        ("the code 7K3M-Q2XW-9ZPB-4T6R is", "the code *** is"),
    ],
)
def test_whatever_looks_like_a_number_is_masked(text: str, masked: str) -> None:
    assert logs.mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T23:31:54.123456+00:00",
        "call_01kah7m1x0v2c3d4e5f6g7h8j9",
        "call_01kah7m1x0v1234567c4e5f6gh",
        "in 120 s, attempt 3 of 3, 1500 ms",
        "12356",
        "+86138****0001",
    ],
)
def test_times_ids_and_short_codes_stay_readable(text: str) -> None:
    assert logs.mask_text(text) == text


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), st.text(max_size=8), st.text(max_size=8))
def test_no_mobile_number_comes_through_whatever_is_around_it(
    number: str, before: str, after: str
) -> None:
    # Next to further digits it would be another number.
    before = f"{before}:" if before[-1:].isdigit() else before
    after = f":{after}" if after[:1].isdigit() else after

    assert number not in logs.mask_text(f"{before}{number}{after}")


@pytest.mark.usefixtures("json_logs")
def test_a_line_is_json_without_the_number(capsys: pytest.CaptureFixture[str]) -> None:
    structlog.get_logger("dialer").info(
        f"ringing {MOBILE}",
        call="call_1",
        to=PhoneNumber("+8613800010001"),
        raw={"From": f"+86{MOBILE}", "numbers": [MOBILE, int(MOBILE)], MOBILE: 1},
        body=f"{MOBILE}".encode(),
        pair=("a", MOBILE),
    )

    written = line(capsys)
    assert MOBILE not in json.dumps(written)
    assert written["event"] == "ringing 138****0001"
    assert written["to"] == "PhoneNumber(+86138****0001)"
    assert (written["call"], written["level"]) == ("call_1", "info")


@pytest.mark.usefixtures("json_logs")
def test_the_text_of_an_exception_is_masked(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        try:
            raise ValueError(f"Key (number)=(+86{MOBILE}) already exists, token=abc.def")
        except ValueError as first:
            raise RuntimeError(MOBILE) from first
    except RuntimeError:
        structlog.get_logger().exception("folding failed")

    written = line(capsys)
    assert MOBILE not in json.dumps(written)
    assert "abc.def" not in json.dumps(written)
    assert "ValueError: Key (number)=(+86138****0001) already exists" in written["exception"]


@pytest.mark.usefixtures("json_logs")
def test_a_library_s_own_lines_are_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("aiohttp.access").warning("GET /v1/x?phone=%s", MOBILE, extra={"ip": "::1"})

    written = line(capsys)
    assert written["event"] == "GET /v1/x?phone=138****0001"
    assert (written["logger"], written["ip"]) == ("aiohttp.access", "::1")


@pytest.mark.usefixtures("json_logs")
def test_a_line_that_cannot_be_formatted_is_lost_rather_than_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    ours = logging.getLogger().handlers[0]
    ours.handle(logging.LogRecord("aiohttp", logging.ERROR, __file__, 1, "%d", (MOBILE,), None))

    written = capsys.readouterr().err
    assert MOBILE not in written
    assert "was lost: TypeError" in written


@pytest.mark.parametrize(
    "values",
    [
        {"token": "s3cret-value"},
        {"device_token": "s3cret-value"},
        {"Authorization": "s3cret-value"},
        {"password": "s3cret-value"},
        {"api_key": "s3cret-value"},
        {"totp_secret": b"s3cret-value"},
        {"headers": {"Cookie": "s3cret-value"}},
        {"header": "Bearer s3cret-value"},
        {"url": "postgresql://warmline:s3cret-value@db/warmline"},
        {"query": "?a=1&token=s3cret-value&b=2"},
        {"payload": '{"password": "s3cret-value"}'},
    ],
)
def test_secrets_are_hidden(values: dict[str, Any]) -> None:
    assert "s3cret-value" not in json.dumps(logs.mask_line(None, "info", values))


@pytest.mark.parametrize("key", ["code", "verification_code", "text", "totp", "digits"])
def test_a_six_digit_code_is_hidden_where_codes_are_kept(key: str) -> None:
    shown = logs.mask_line(None, "info", {key: "您的验证码是 493021，5 分钟内有效"})[key]

    assert shown == "您的验证码是 ******，5 分钟内有效"
    assert logs.mask_line(None, "info", {key: 493021})[key] == "******"


def test_a_refusal_code_stays_readable() -> None:
    assert logs.mask_line(None, "info", {"code": "voucher_in_use", "calls": 493021}) == {
        "code": "voucher_in_use",
        "calls": 493021,
    }


def test_on_a_terminal_lines_are_masked_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    logs.configure(pretty=True)
    structlog.get_logger().warning("ringing", to=MOBILE)
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()

    written = capsys.readouterr().err
    assert MOBILE not in written
    assert "138****0001" in written
