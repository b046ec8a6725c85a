"""Whether one value is what Twilio's document says it is."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

Schema = Mapping[str, Any]

_ENDPOINT = re.compile(r"\+[1-9]\d{1,14}|sip:\S+|client:\S+|whatsapp:\+\d+")
_WHOLE = re.compile(r"-?\d+")


def _is_uri(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme and parts.netloc) and not re.search(r"\s", text)


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_FORMATS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "uri": (_is_uri, "an absolute URI"),
    "endpoint": (_ENDPOINT.fullmatch, "E.164, sip: or client:"),
    "phone-number": (_ENDPOINT.fullmatch, "E.164, sip: or client:"),
    "date-time": (_is_iso, "a date and time"),
    "date": (_is_iso, "a date"),
}


def text_faults(schema: Schema, texts: list[str]) -> list[str]:
    """What is wrong with the texts that a form or query gives for one parameter."""
    if schema.get("type") == "array":
        return [fault for text in texts for fault in _one(schema.get("items", {}), text)]
    if len(texts) > 1:
        return ["repeated"]
    return _one(schema, texts[0])


def _one(schema: Schema, text: str) -> list[str]:
    match schema.get("type"):
        case "integer":
            if not _WHOLE.fullmatch(text):
                return [f"{text!r} is not a whole number"]
            return _out_of_bounds(schema, int(text))
        case "boolean":
            # Twilio reads anything else as false, so it is always a mistake.
            return [] if text in ("true", "false") else [f"{text!r} is neither true nor false"]
        case _:
            return string_faults(schema, text)


def _out_of_bounds(schema: Schema, number: int) -> list[str]:
    least, most = schema.get("minimum"), schema.get("maximum")
    faults = [f"{number} is below {least}"] if least is not None and number < least else []
    return faults + ([f"{number} is above {most}"] if most is not None and number > most else [])


def string_faults(schema: Schema, text: str) -> list[str]:
    """What is wrong with a text, by enum, pattern and format."""
    faults = []
    if "enum" in schema and text not in schema["enum"]:
        faults.append(f"{text!r} is not one of {schema['enum']}")
    if "pattern" in schema and not re.search(schema["pattern"], text):
        faults.append(f"{text!r} does not match {schema['pattern']}")
    is_so, words = _FORMATS.get(schema.get("format", ""), (None, ""))
    if is_so is not None and not is_so(text):
        faults.append(f"{text!r} is not {words}")
    return faults
