"""Workbooks: xlsx, xlsm, xlsb, xls, ods."""

from __future__ import annotations

import io
from datetime import date, datetime, time, timedelta
from typing import Any
from zipfile import BadZipFile, ZipFile

from ...i18n import N_
from .lines import Sheet, Unreadable

ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Of a workbook: cells, empty ones between included; bytes once it is unpacked, and how many times its size that is.
MOST_CELLS = 10_000_000
MOST_UNPACKED, FREE_UNPACKED, MOST_RATIO = 400 * 1024 * 1024, 32 * 1024 * 1024, 60
# So many lines of each sheet are looked at to know which of them is the list.
LOOKED_AT = 200
MOST_LOOKED_AT = 100_000
TOO_MANY_CELLS = N_(
    "Ce classeur est démesuré une fois ouvert : gardez-y une feuille avec la liste, sans lignes ni colonnes vides, "
    "ou enregistrez-le en CSV."
)
UNREADABLE = N_("Ce classeur est illisible ou protégé : enregistrez-le à nouveau, ou en CSV, puis réessayez.")


def is_workbook(content: bytes) -> bool:
    """Whether the content says so; the name does not count."""
    return content.startswith((ZIP, OLE))


class Workbook:
    """The sheets of a file, the `shown` ones first: the beginning of each, and the whole of one. Raises Unreadable."""

    def __init__(self, content: bytes) -> None:
        from python_calamine import CalamineError, CalamineWorkbook

        self._errors = (CalamineError, ValueError, OSError, BadZipFile)
        try:
            _check_size(content)
            self._workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
            found = self._workbook.sheets_metadata
        except Unreadable:
            raise
        except self._errors as error:
            raise Unreadable(UNREADABLE) from error
        sheets = [one.name for one in found if "WorkSheet" in str(one.typ)] or self._workbook.sheet_names
        hidden = {one.name for one in found if "Visible" not in str(one.visible)}
        # What its owner hid comes last: an old list, most often.
        self.names = sorted(sheets, key=lambda name: name in hidden)
        self.shown = sum(1 for name in sheets if name not in hidden)

    def beginnings(self) -> list[Sheet]:
        """The first lines of every sheet."""
        return [self._sheet(name, LOOKED_AT) for name in self.names]

    def whole(self, name: str) -> Sheet:
        """Everything in a sheet."""
        return self._sheet(name, None)

    def _sheet(self, name: str, most: int | None) -> Sheet:
        try:
            sheet = self._workbook.get_sheet_by_name(name)
            if most is None and sheet.total_height * sheet.total_width > MOST_CELLS:
                raise Unreadable(TOO_MANY_CELLS)
            if most is not None:
                most = max(1, min(most, MOST_LOOKED_AT // max(1, sheet.total_width)))
            rows = sheet.to_python(skip_empty_area=False, nrows=most)
        except Unreadable:
            raise
        except self._errors as error:
            raise Unreadable(UNREADABLE) from error
        return Sheet(name, [(number, [cell(value) for value in row]) for number, row in enumerate(rows, start=1)])


def _check_size(content: bytes) -> None:
    """Refuse a workbook that is much larger than it looks. Raises Unreadable."""
    if not content.startswith(b"PK"):
        return
    with ZipFile(io.BytesIO(content)) as packed:
        unpacked = sum(part.file_size for part in packed.infolist())
    if unpacked > MOST_UNPACKED or (unpacked > FREE_UNPACKED and unpacked > len(content) * MOST_RATIO):
        raise Unreadable(TOO_MANY_CELLS)


def cell(value: Any) -> str:
    """A value of a program as a person writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if value.time() != time() else value.date().isoformat()
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value).strip()
