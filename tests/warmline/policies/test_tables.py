"""Files as tables: encodings, spreadsheets, and what is refused rather than guessed."""

import io
import zipfile
from datetime import date, datetime

import pytest

from billing.policies.columns import CHINESE, Column, HeadersWrong
from tests.billing.policies.lists import GOOD, cells
from tests.warmline.policies.kit import as_csv, as_xlsx, zip_bomb
from warmline.policies.tables import Line, read_objects, read_table
from warmline.policies.unreadable import ListUnreadable

HEADERS = [column.value for column in GOOD]
IN_CHINESE = [CHINESE[column][0] for column in GOOD]


def told(line: Line) -> str:
    """Why the line cannot be taken apart."""
    return "; ".join(map(str, line.faults))


def table(raw: bytes) -> list[Line]:
    return list(read_table(raw))


def workbook(**changed: object) -> bytes:
    told = {column.value: text for column, text in GOOD.items()} | changed
    return as_xlsx([HEADERS, list(told.values())])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "gb2312"])
def test_a_list_may_be_encoded_as_chinese_spreadsheets_save_it(encoding: str) -> None:
    raw = as_csv([GOOD], headers=IN_CHINESE, encoding=encoding)

    assert table(raw) == [Line(2, GOOD)]


def test_a_rare_character_that_only_gb18030_has_survives() -> None:
    raw = as_csv([cells(insured_name="李𠮷")], headers=IN_CHINESE, encoding="gb18030")

    assert table(raw)[0].cells[Column.INSURED_NAME] == "李𠮷"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_cells_may_be_parted_by_comma_semicolon_or_tab(delimiter: str) -> None:
    raw = as_csv([GOOD]).decode().replace(",", delimiter).encode()

    assert table(raw) == [Line(2, GOOD)]


def test_lines_are_counted_as_an_editor_counts_them() -> None:
    raw = as_csv([cells(product='a\nb "c", d'), GOOD]) + b"\r\n" + as_csv([GOOD]).split(b"\r\n")[1]

    assert [line.number for line in table(raw)] == [2, 4, 6]


def test_a_line_with_more_cells_than_headers_is_told() -> None:
    raw = as_csv([GOOD]).rstrip() + b",more"

    assert told(table(raw)[0]) == "there are more cells than headers"


def test_a_cell_of_a_kilobyte_is_told_and_not_taken() -> None:
    assert told(table(as_csv([cells(product="x" * 501)]))[0]) == (
        "product: is longer than 500 characters"
    )


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"", "is empty"),
        (b"\r\n\r\n", "is empty"),
        (b"\xd0\xcf\x11\xe0\x00\x00", "neither CSV nor XLSX"),
        (b"policy_number\n\xff\xff\xff", "Line 2 is neither UTF-8 nor GB 18030"),
        (as_csv([GOOD]) + b'"never closed', "is not CSV"),
        (as_csv([GOOD]) + b"," * 61, "more than 60 cells"),
        (b"PK\x03\x04 and nothing", "damaged"),
    ],
)
def test_a_file_that_is_no_list_is_refused_in_one_sentence(raw: bytes, told: str) -> None:
    with pytest.raises(ListUnreadable, match=told):
        table(raw)


def test_an_unknown_header_stops_the_reading() -> None:
    with pytest.raises(HeadersWrong, match="column 1: the header 'shoes' is not known"):
        table(as_csv([GOOD], headers=["shoes", *HEADERS[1:]]))


def test_a_workbook_is_read_like_the_same_list_as_text() -> None:
    assert table(workbook()) == [Line(2, GOOD)]


def test_real_dates_and_numbers_of_a_workbook_become_what_they_show() -> None:
    line = table(
        workbook(
            purchased_on=date(2025, 1, 1),
            effective_on=datetime(2025, 1, 2),  # noqa: DTZ001 - as a spreadsheet has it
            policyholder_phone=13800000001,
        )
    )[0]

    assert line == Line(2, GOOD)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("=1+1", "product: is a formula: paste its value instead"),
        (True, "product: is true or false: no column wants that"),
        (1.5, "product: is a number with a fraction: no column wants that"),
        (
            110101198703030024,
            "product: is a number of more than 15 digits, which lost some: format it as text",
        ),
    ],
)
def test_a_cell_of_a_workbook_that_may_mislead_is_refused(value: object, fault: str) -> None:
    assert told(table(workbook(product=value))[0]) == fault


def test_a_formula_is_never_evaluated_not_even_by_its_last_result() -> None:
    raw = workbook(product="=HYPERLINK(A1)")
    given = io.BytesIO(raw)
    changed = io.BytesIO()
    with zipfile.ZipFile(given) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.infolist():
            body = old.read(part)
            if part.filename == "xl/worksheets/sheet1.xml":
                assert b"<v />" in body or b"<v></v>" in body
                body = body.replace(b"<v />", b"<v>mind-care</v>")
                body = body.replace(b"<v></v>", b"<v>mind-care</v>")
            new.writestr(part, body)

    assert told(table(changed.getvalue())[0]) == "product: is a formula: paste its value instead"


def test_a_small_file_that_would_become_huge_is_refused_before_it_is_unpacked() -> None:
    bomb = zip_bomb()

    assert len(bomb) < 64 * 1024
    with pytest.raises(ListUnreadable, match="far too large when unpacked"):
        table(bomb)


def test_a_packed_file_that_is_no_workbook_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("list.csv", "policy_number")

    with pytest.raises(ListUnreadable, match="is packed like an XLSX but is none"):
        table(packed.getvalue())


def test_a_workbook_with_several_sheets_is_not_guessed_at() -> None:
    with pytest.raises(ListUnreadable, match="has 2 sheets"):
        table(as_xlsx([HEADERS], sheets=2))


def test_an_entity_that_would_grow_without_end_is_refused() -> None:
    raw = workbook()
    entities = "".join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol" * 10}">' for n in range(12)
    )
    given, changed = io.BytesIO(raw), io.BytesIO()
    with zipfile.ZipFile(given) as old, zipfile.ZipFile(changed, "w") as new:
        for part in old.infolist():
            body = old.read(part).decode()
            if part.filename == "xl/worksheets/sheet1.xml":
                start = body.index("<worksheet")
                body = f"<!DOCTYPE worksheet [{entities}]>" + body[start:].replace(
                    "mind-care", "&e11;"
                )
            new.writestr(part, body)

    with pytest.raises(ListUnreadable):
        table(changed.getvalue())


def test_objects_are_lines_too() -> None:
    told = {column.value: text for column, text in GOOD.items()}

    assert list(read_objects([told])) == [Line(1, GOOD)]
