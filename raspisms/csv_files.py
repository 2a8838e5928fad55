"""CSV files as a French spreadsheet opens them, without a cell that it would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

# A cell that begins so is run by spreadsheets as a formula.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r")
# UTF-8 with its mark, and semicolons: what a French Excel opens with a double click.
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
DELIMITER = ";"


def harmless(cell: str) -> str:
    """The cell with an apostrophe before it, when a spreadsheet would run it. Numbers in E.164 are none of these."""
    if cell.startswith(DANGEROUS) and not (cell[0] == "+" and cell[1:].isdigit()):
        return f"'{cell}"
    return cell


def csv_lines(header: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A CSV file, line by line."""
    yield BOM + _line(header)
    for row in rows:
        yield _line("" if cell is None else harmless(str(cell)) for cell in row)


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=DELIMITER, lineterminator="\r\n").writerow(list(cells))
    return buffer.getvalue()
