"""The formats a report can be asked for in."""

from collections.abc import Mapping
from enum import StrEnum


class Format(StrEnum):
    """How a report is written; also the ending of its file's name."""

    CSV = "csv"
    XLSX = "xlsx"
    JSON = "json"


CONTENT_TYPES: Mapping[Format, str] = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.JSON: "application/json",
}
