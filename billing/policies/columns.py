"""The columns of an insurer's list, by their Chinese and English headers.

A header that is not known is an error: a column that is skipped in silence may be the one that says
who surrendered.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum

from billing.policies.file_faults import FileFault, FileFaultCode, file_fault


class Column(StrEnum):
    """What a column tells; the value is its English header."""

    SPONSOR = "sponsor"
    NUMBER = "policy_number"
    PRODUCT = "product"
    PURCHASED_ON = "purchased_on"
    EFFECTIVE_ON = "effective_on"
    COOLING_OFF_END = "cooling_off_end"
    ENDS_ON = "ends_on"
    TERM_YEARS = "term_years"
    STATUS = "status"
    HOLDER_NAME = "policyholder_name"
    HOLDER_PHONE = "policyholder_phone"
    HOLDER_ID_NUMBER = "policyholder_id_number"
    HOLDER_BORN_ON = "policyholder_birth_date"
    RELATION = "relation"
    INSURED_NAME = "insured_name"
    INSURED_PHONE = "insured_phone"
    INSURED_ID_NUMBER = "insured_id_number"
    INSURED_BORN_ON = "insured_birth_date"
    CONTACT_NAME = "contact_name"
    CONTACT_PHONE = "contact_phone"


REQUIRED = (
    Column.NUMBER,
    Column.PRODUCT,
    Column.PURCHASED_ON,
    Column.EFFECTIVE_ON,
    Column.STATUS,
    Column.HOLDER_NAME,
    Column.HOLDER_PHONE,
    Column.RELATION,
    Column.INSURED_NAME,
)

CHINESE: Mapping[Column, tuple[str, ...]] = {
    Column.SPONSOR: ("保险公司", "出资方", "承保公司"),
    Column.NUMBER: ("保单号", "保单号码", "保险单号"),
    Column.PRODUCT: ("产品", "产品名称", "险种", "险种名称"),
    Column.PURCHASED_ON: ("投保日期", "投保日"),
    Column.EFFECTIVE_ON: ("生效日期", "生效日", "保单生效日", "保单生效日期"),
    Column.COOLING_OFF_END: ("犹豫期止日", "犹豫期结束日", "犹豫期截止日期"),
    Column.ENDS_ON: ("终止日期", "保单到期日", "保险止期", "到期日"),
    Column.TERM_YEARS: ("保险期间年数", "保障年限", "保险期间(年)"),
    Column.STATUS: ("保单状态", "状态"),
    Column.HOLDER_NAME: ("投保人姓名", "投保人"),
    Column.HOLDER_PHONE: ("投保人手机号", "投保人手机", "投保人电话"),
    Column.HOLDER_ID_NUMBER: ("投保人证件号", "投保人证件号码", "投保人身份证号"),
    Column.HOLDER_BORN_ON: ("投保人出生日期", "投保人生日"),
    Column.RELATION: ("与投保人关系", "被保险人与投保人关系", "关系"),
    Column.INSURED_NAME: ("被保险人姓名", "被保险人", "被保人姓名", "被保人"),
    Column.INSURED_PHONE: ("被保险人手机号", "被保险人手机", "被保人手机号"),
    Column.INSURED_ID_NUMBER: ("被保险人证件号", "被保险人证件号码", "被保险人身份证号"),
    Column.INSURED_BORN_ON: ("被保险人出生日期", "被保险人生日", "被保人出生日期"),
    Column.CONTACT_NAME: ("联系人姓名", "联系人", "监护人姓名", "监护人"),
    Column.CONTACT_PHONE: ("联系人手机号", "联系人电话", "监护人手机号", "监护人电话"),
}  # fmt: skip

_BY_HEADER: Mapping[str, Column] = {
    **{column.value: column for column in Column},
    **{
        unicodedata.normalize("NFKC", word): column
        for column, words in CHINESE.items()
        for word in words
    },
}


class HeadersWrong(Exception):
    """The first line cannot be understood; `faults` says each thing that is wrong with it."""

    def __init__(self, faults: tuple[FileFault, ...]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def read_headers(cells: Sequence[str]) -> tuple[Column | None, ...]:
    """What each column tells; None for one without a header at the end of the line.

    Raises HeadersWrong.
    """
    faults: list[FileFault] = []
    columns: list[Column | None] = []
    for place, cell in enumerate(cells, start=1):
        column = _BY_HEADER.get(_spelled(cell))
        if column is None and cell.strip():
            header = repr(cell.strip()[:40])[1:-1]
            faults.append(file_fault(FileFaultCode.HEADER_UNKNOWN, place=place, header=header))
        elif column is None and any(later.strip() for later in cells[place:]):
            faults.append(file_fault(FileFaultCode.HEADER_MISSING, place=place))
        elif column is not None and column in columns:
            named = {"column": column, "chinese": CHINESE[column][0]}
            faults.append(file_fault(FileFaultCode.HEADER_TWICE, place=place, **named))
        columns.append(column)
    for missing in REQUIRED:
        if missing not in columns:
            named = {"column": missing, "chinese": CHINESE[missing][0]}
            faults.append(file_fault(FileFaultCode.COLUMN_MISSING, **named))
    if faults:
        raise HeadersWrong(tuple(faults))
    return tuple(columns)


def _spelled(header: str) -> str:
    """One spelling: full width as half width, no spaces, small letters."""
    plain = unicodedata.normalize("NFKC", header).strip().lower()
    return "_".join(plain.split()) if plain.isascii() else "".join(plain.split())
