"""Contacts going out: CSV and JSON that come back in as they were, and do no harm in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator

from .contacts import Person

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


def as_csv(people: Iterable[Person]) -> Iterator[str]:
    """One line per contact: name, number, then every datum that anybody has."""
    rows = list(people)
    keys = list(dict.fromkeys(key for person in rows for key in person.data))
    lines = ([person.name, person.number, *(person.data.get(key) for key in keys)] for person in rows)
    return csv_lines(["name", "number", *keys], lines)


def as_json(people: Iterable[Person]) -> Iterator[str]:
    """RaspiSMS's own shape: a list of objects with name, number and data."""
    yield "["
    for position, person in enumerate(people):
        body = {"name": person.name, "number": person.number, "data": dict(person.data)}
        yield (",\n" if position else "\n") + json.dumps(body, ensure_ascii=False)
    yield "\n]\n"
