"""Lists of numbers as people keep them: a CSV whose first column is the number, under any header."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO, cast

from . import numbers

DELIMITERS = ",;\t|"
SAMPLE_BYTES = 65_536
# A record of a list of people is shorter; what is longer has a quote that nobody closed, or is no list.
LONGEST_RECORD = 64 * 1024
MOST_LINES = 50
# What is shown of a cell that is no number.
SHOWN = 60
# A whole line that a spreadsheet wrote with a decimal comma: not two columns.
EXPONENT = re.compile(r'\s*"?\d,\d+E\+\d+"?\s*', re.IGNORECASE)


def open_list(path: str) -> TextIO:
    """The file as text, `-` being the standard input: UTF-8 or UTF-16, else the Windows encoding. Raises OSError."""
    # The caller closes what it is given.
    file = sys.stdin.buffer if path == "-" else Path(path).open("rb", buffering=SAMPLE_BYTES)  # noqa: SIM115
    reader = cast(io.BufferedReader, file)
    return io.TextIOWrapper(reader, encoding=_encoding(reader.peek(SAMPLE_BYTES)), errors="replace", newline="")


def _encoding(sample: bytes) -> str:
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        sample.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # A character cut at the sample's end is still UTF-8.
        return "utf-8-sig" if error.start > len(sample) - 4 else "cp1252"
    return "utf-8-sig"


def first_column(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line number and first cell of every record that has one; a first line that is no number is a header."""
    separator = ""
    for line, record in _records(lines):
        separator = separator or max(DELIMITERS, key=record.count)
        cell = _first_cell(record, separator)
        if not cell or (line == 1 and not numbers.is_number(cell) and not any(map(str.isdigit, cell))):
            continue
        yield line, cell


def _first_cell(record: str, separator: str) -> str:
    if len(record) > LONGEST_RECORD:
        return record[:SHOWN].strip() + "…"
    if separator == "," and EXPONENT.fullmatch(record):
        return record.strip().strip('"')
    if '"' not in record:
        return record.partition(separator)[0].strip()
    row = next(csv.reader([record], delimiter=separator), [])
    return row[0].strip() if row else ""


def _records(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line number and text of each record; a quoted cell may go on over several lines.

    A quote that is not closed soon belongs to its line alone: the people on the lines below are not lost in it.
    """
    numbered = enumerate(lines, start=1)
    pushed_back: list[tuple[int, str]] = []
    while True:
        start = pushed_back.pop(0) if pushed_back else next(numbered, None)
        if start is None:
            return
        taken = [start]
        while _is_open(taken):
            following = pushed_back.pop(0) if pushed_back else next(numbered, None)
            if following is None or len(taken) == MOST_LINES:
                pushed_back[:0] = [*taken[1:], *([following] if following else [])]
                taken = [start]
                break
            taken.append(following)
        yield start[0], "".join(text for _, text in taken)


def _is_open(taken: list[tuple[int, str]]) -> bool:
    size = sum(len(text) for _, text in taken)
    return size <= LONGEST_RECORD and sum(text.count('"') for _, text in taken) % 2 == 1
