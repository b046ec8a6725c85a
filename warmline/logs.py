"""Logs: JSON lines, or readable ones on a terminal; no number, token or code in any of them.

Everything that is logged, by us or by a library, passes `mask_line` last, when the texts of
exceptions are already part of the line.
"""

import logging
import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "***"

_SECRET_KEYS = frozenset(
    {"authorization", "cookie", "credential", "credentials", "dsn", "passwd", "password"}
    | {"secret", "token", "tokens"}
)
_SECRET_NAMES = frozenset({"api_key", "secret_key", "private_key", "key_hash"})
_CODE_KEYS = frozenset(
    {"body", "code", "codes", "digit", "digits", "otp", "text", "totp", "vars", "variables"}
)
_OURS = frozenset({"level", "timestamp", "logger"})

_GAP = r"[\s().\-]{0,2}"
_PHONE = re.compile(
    rf"""
    \+{_GAP}\d(?:{_GAP}\d){{6,14}}                      # +86 138 0001 0001
    | (?<!\d)(?:(?:00)?86{_GAP})?1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}}(?!\d)   # a mobile, glued or not
    | (?<![^\W_])\d{{7,}}(?![^\W_])                     # any long number that stands alone
    """,
    re.VERBOSE,
)
_MOBILE = re.compile(r"(?:86)?1[3-9]\d{9}")
_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[^\s\"',;]+")
_TOKEN = re.compile(r"(?<![A-Za-z0-9])(w[kds]_)[A-Za-z0-9_-]{16,}")  # wherever it was put
_VOUCHER = re.compile(
    r"(?<![0-9A-Za-z])[0-9A-Za-z]{4}(?:-[0-9A-Za-z]{4}){3}(?![0-9A-Za-z-])"
    r"|(?<![0-9A-Za-z])[0-9A-Z]{16}(?![0-9A-Za-z])"
)
_USER_INFO = re.compile(r"(://[^\s/:@]*):[^\s/@]+@")
_ASSIGNED = re.compile(
    r"(?i)(password|passwd|secret|token|api_key|totp)([\"']?\s*[=:]\s*[\"']?)[^\s\"',;&}]+"
)


def configure(*, pretty: bool | None = None, level: int = logging.INFO) -> None:
    """Send all logs of the process to stderr, masked. `pretty` follows the terminal if unset."""
    readable = sys.stderr.isatty() if pretty is None else pretty
    before: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*before, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                mask_line,
                _renderer(readable),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)


class _StandardError(logging.Handler):
    """Writes to stderr, and never shows the raw line when that fails."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except Exception as failed:
            self._complain(record, failed)

    def _complain(self, record: logging.LogRecord, failed: Exception) -> None:
        place = f"{record.pathname}:{record.lineno}"
        with suppress(OSError, ValueError):  # there may be nobody left to tell
            sys.stderr.write(f"A log line of {place} was lost: {type(failed).__name__}\n")


def _renderer(readable: bool) -> Processor:
    if readable:
        return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    return structlog.processors.JSONRenderer(ensure_ascii=False)


def mask_line(logger: WrappedLogger, method: str, line: EventDict) -> EventDict:
    """The structlog processor: every value of the line, masked."""
    return {key: value if key in _OURS else _mask(key, value) for key, value in line.items()}


def mask_text(text: str) -> str:
    """`text` without phone numbers, tokens and passwords."""
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    text = _TOKEN.sub(rf"\1{HIDDEN}", text)
    text = _VOUCHER.sub(HIDDEN, text)
    text = _USER_INFO.sub(rf"\1:{HIDDEN}@", text)
    text = _ASSIGNED.sub(rf"\1\2{HIDDEN}", text)
    return _PHONE.sub(lambda found: _masked_number(found[0]), text)


def _mask(key: str, value: Any) -> Any:
    if _is_secret(key):
        return HIDDEN
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return _masked_int(key, value)
    if isinstance(value, Mapping):
        return {_mask_key(name): _mask(str(name), item) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_mask(key, item) for item in _in_order(value)]
    text = mask_text(value if isinstance(value, str) else _text(value))
    return _CODE.sub("*" * 6, text) if _is_code(key) else text


def _masked_int(key: str, value: int) -> int | str:
    text = str(value)
    if _MOBILE.fullmatch(text):
        return _masked_number(text)
    return "*" * 6 if _is_code(key) and _CODE.fullmatch(text) else value


def _mask_key(name: object) -> str:
    return mask_text(str(name))


def _in_order(values: Iterable[Any]) -> list[Any]:
    return sorted(values, key=repr) if isinstance(values, set | frozenset) else list(values)


def _text(value: object) -> str:
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat()) if isoformat else repr(value)


def _masked_number(found: str) -> str:
    digits = re.sub(r"[^\d+]", "", found)
    if digits.startswith("+") and len(digits) >= 12:
        return f"{digits[:-8]}****{digits[-4:]}"
    if len(digits) >= 11:
        return f"{digits[:3]}****{digits[-4:]}"
    return f"{digits[0]}****{digits[-2:]}"


def _is_secret(key: str) -> bool:
    name = key.lower()
    return name in _SECRET_NAMES or not _SECRET_KEYS.isdisjoint(_words(name))


def _is_code(key: str) -> bool:
    return not _CODE_KEYS.isdisjoint(_words(key.lower()))


def _words(name: str) -> list[str]:
    return re.split(r"[^a-z]+", name)
