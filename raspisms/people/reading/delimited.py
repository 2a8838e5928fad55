"""CSV and its kin: cells between semicolons, tabs, commas or bars."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from ...i18n import N_
from .. import number_lists
from .lines import Row, Unreadable

MOST_ROWS = 200_001
SAMPLE_LINES = 50
# A list without titles is a table where nearly all of its lines have as many cells.
MOST_UNEVEN = 0.1
# What Excel writes for itself on top of a CSV.
SEPARATOR_LINE = re.compile(r"\A\ufeff?sep=(.)[\r\n]+", re.IGNORECASE)
QUOTED_LINE = re.compile(r'"(?:[^"]|"")*"')
IN_QUOTES = re.compile(r'"[^"]*"')
TOO_LONG = N_("Cette ligne est beaucoup trop longue : un guillemet n’est sans doute pas fermé.")


def sample_lines(text: str) -> list[str]:
    """The first lines that hold something, quoted cells emptied: what separates cells is seen in them."""
    sample = IN_QUOTES.sub("x", text[: number_lists.SAMPLE_BYTES])
    return [line for line in sample.splitlines()[:SAMPLE_LINES] if line.strip()]


def unquoted(text: str) -> str:
    """The text without the quotes that some programs put around each whole line."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or not all(QUOTED_LINE.fullmatch(line.strip()) for line in lines):
        return text
    if not all(any(delimiter in line for delimiter in number_lists.DELIMITERS) for line in lines):
        return text
    return "\n".join(line.strip()[1:-1].replace('""', '"') for line in lines)


def delimiters(text: str) -> list[str]:
    """What may separate the cells, the likeliest first: what most lines have equally often."""
    if stated := SEPARATOR_LINE.match(text):
        return [stated[1]]
    lines = sample_lines(text)
    shares: dict[str, float] = {}
    for delimiter in number_lists.DELIMITERS:
        counts = Counter(line.count(delimiter) for line in lines)
        counts.pop(0, None)
        if counts:
            shares[delimiter] = max(counts.values()) / len(lines)
    return sorted(shares, key=lambda one: shares[one], reverse=True)


def is_even(text: str, delimiter: str) -> bool:
    """Whether nearly all lines have as many cells."""
    counts = [line.count(delimiter) for line in sample_lines(text)]
    usual, times = Counter(counts).most_common(1)[0]
    return usual > 0 and len(counts) - times <= len(counts) * MOST_UNEVEN


def rows(text: str, delimiter: str, most: int = MOST_ROWS) -> list[Row]:
    """The lines that hold something, cell by cell. Raises Unreadable."""
    found: list[Row] = []
    skipped = 1 if SEPARATOR_LINE.match(text) else 0
    for line, record in number_lists.records(io.StringIO(SEPARATOR_LINE.sub("", text), newline="")):
        try:
            cells = next(csv.reader([record], delimiter=delimiter, skipinitialspace=delimiter != " "), [])
        except csv.Error as error:
            raise Unreadable(TOO_LONG, line) from error
        if any(cell.strip() for cell in cells):
            found.append((line + skipped, [cell.strip() for cell in cells]))
        if len(found) >= most:
            break
    return found
