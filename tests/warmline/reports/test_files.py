"""Reports as files: what a spreadsheet makes of them, whatever they hold."""

import csv
import io
import json
from collections.abc import AsyncIterator

import openpyxl
import pytest

from warmline.reports.csv_file import HEADING, guarded
from warmline.reports.files import pieces, write_report
from warmline.reports.formats import CONTENT_TYPES, Format
from warmline.reports.tables import Report, Row, Table
from warmline.reports.xlsx_file import write_xlsx

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠A1",
    "  =1",
]
HARMLESS = ["counselor_01", "", "a=b", "陈欣", 'he said "no"', "one,\r\ntwo", "1"]


async def rows(*texts: str) -> AsyncIterator[Row]:
    for text in texts:
        yield Row((text, "psych-listening"), (-3, None))


def a_report(*texts: str) -> Report:
    """One table with these texts for counselors."""
    table = Table(
        name="counselors",
        keys=("counselor", "program"),
        figures=("calls", "talk_seconds"),
        rows=rows(*texts),
    )
    return Report(
        name="settlement", month="2026-11", zone="Asia/Shanghai", tables=[table], notes=("=n",)
    )


async def written(report: Report, format: Format) -> bytes:
    """The report's file."""
    out = io.BytesIO()
    await write_report(report, format, out)
    return b"".join(pieces(out))


async def csv_of(report: Report) -> bytes:
    return await written(report, Format.CSV)


async def test_a_csv_file_has_a_byte_order_mark_and_ends_every_line_with_crlf() -> None:
    content = await csv_of(a_report("counselor_01"))
    assert content.startswith(b"\xef\xbb\xbfreport,month,table,")
    assert content.count(b"\xef\xbb\xbf") == 1
    assert content.endswith(b"\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") == 3


@pytest.mark.parametrize("text", HARMLESS)
async def test_a_csv_file_gives_back_every_harmless_text_as_it_was(text: str) -> None:
    content = (await csv_of(a_report(text))).decode("utf-8-sig")
    heading, first, second = csv.reader(io.StringIO(content, newline=""), strict=True)
    assert tuple(heading) == HEADING
    told = dict(zip(heading, first, strict=True))
    assert (told["counselor"], told["program"]) == (text, "psych-listening")
    assert (told["figure"], told["units"]) == ("calls", "-3"), "our own numbers stay numbers"
    assert second[-1] == "", "what is withheld is empty and not zero"


@pytest.mark.parametrize("text", FORMULAS)
async def test_no_text_in_a_csv_file_begins_like_a_formula(text: str) -> None:
    content = (await csv_of(a_report(text))).decode("utf-8-sig")
    heading, first, _ = csv.reader(io.StringIO(content, newline=""), strict=True)
    told = dict(zip(heading, first, strict=True))
    assert told["counselor"] == f"'{text}" == guarded(text)


@pytest.mark.parametrize("text", [*FORMULAS, *HARMLESS])
async def test_an_xlsx_file_holds_texts_as_texts_and_figures_as_numbers(
    text: str,
) -> None:
    content = await written(a_report(text), Format.XLSX)
    sheet = openpyxl.load_workbook(io.BytesIO(content))["counselors"]
    counselor, program, calls, seconds = sheet[2]
    assert counselor.data_type in ("s", "inlineStr"), "never a formula, never a number"
    assert (counselor.value or "") == text.replace("\r\n", "\n").replace("\r", "\n")
    assert program.value == "psych-listening"
    assert (calls.data_type, calls.value, seconds.value) == ("n", -3, None)


async def test_a_character_that_no_xlsx_can_hold_does_not_spoil_the_file() -> None:
    content = await written(a_report("a\x00b\x1fc"), Format.XLSX)
    assert (
        openpyxl.load_workbook(io.BytesIO(content))["counselors"]["A2"].value == "a\ufffdb\ufffdc"
    )


async def test_a_table_longer_than_a_sheet_goes_on_in_the_next() -> None:
    out = io.BytesIO()
    await write_xlsx(a_report("a", "b", "c"), out, rows_most=3)
    book = openpyxl.load_workbook(out)
    assert book.sheetnames == ["counselors", "counselors 2", "notes"]
    assert [row[0] for row in book["counselors 2"].values] == ["counselor", "c"]


async def test_a_json_document_names_every_figure() -> None:
    told = json.loads(await written(a_report("=1", "b"), Format.JSON))
    assert (told["month"], told["notes"]) == ("2026-11", ["=n"])
    assert told["counselors"] == [
        {"counselor": text, "program": "psych-listening", "calls": -3, "talk_seconds": None}
        for text in ("=1", "b")
    ]


def test_every_format_says_what_it_is() -> None:
    assert set(CONTENT_TYPES) == set(Format)
