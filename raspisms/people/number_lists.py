"""Lists of numbers as people keep them: a CSV whose first column is the number, under any header."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO, cast

from ..sms import phone_numbers

# In the order of preference where several would do.
DELIMITERS = ";\t|,"
SAMPLE_BYTES = 65_536
# A record of a list of people is shorter; what is longer has a quote that nobody closed, or is no list.
LONGEST_RECORD = 64 * 1024
MOST_LINES = 50
# What is shown of a cell that is no number.
SHOWN = 60
# A whole line that a spreadsheet wrote with a decimal comma: not two columns.
EXPONENT = re.compile(r'\s*"?\d,\d+E\+\d+"?\s*', re.IGNORECASE)
# A number as people write it, or as a spreadsheet damages it.
NUMBERISH = re.compile(r"\+?[\d\s().\-\u00a0\u202f/]{6,}|\d+[.,]0+|\d[.,]\d+E\+?\d+", re.IGNORECASE)
# A cell in quotes, up to what separates it from the next; a quote inside of it is doubled.
QUOTED = re.compile(rf'[ ]*"([^"]*(?:""[^"]*)*)"[ \r\n]*(?=[{DELIMITERS}]|\Z)')
BEGINS_QUOTED = re.compile(r'[ ]*"')
TO_NEXT_CELL = re.compile(rf"[^{DELIMITERS}]*")


def open_list(path: str) -> TextIO:
    """The file as text, `-` being the standard input: UTF-8 or UTF-16, else the Windows encoding. Raises OSError."""
    # The caller closes what it is given.
    file = sys.stdin.buffer if path == "-" else Path(path).open("rb", buffering=SAMPLE_BYTES)  # noqa: SIM115
    reader = cast(io.BufferedReader, file)
    return io.TextIOWrapper(reader, encoding=encoding(reader.peek(SAMPLE_BYTES)), errors="replace", newline="")


def encoding(sample: bytes) -> str:
    """UTF-8 or UTF-16 when the beginning of a file is that, else the Windows encoding."""
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
    usual = DELIMITERS
    for line, record in records(lines):
        cell, separator = _first_cell(record, usual)
        if separator:
            usual = separator + DELIMITERS.replace(separator, "")
        if not cell or (line == 1 and not phone_numbers.is_number(cell) and not any(map(str.isdigit, cell))):
            continue
        yield line, cell


def _first_cell(record: str, delimiters: str) -> tuple[str, str]:
    """The first cell, and what separated it from the next if that made a number of it.

    The delimiter that served so far comes first; a record that it makes no sense of is tried with the others.
    """
    if len(record) > LONGEST_RECORD:
        return record[:SHOWN].strip() + "…", ""
    if quoted := QUOTED.match(record):
        return quoted[1].replace('""', '"').strip(), ""
    if EXPONENT.fullmatch(record):
        return record.strip().strip('"'), ""
    for delimiter in delimiters:
        cell = record.partition(delimiter)[0].strip().strip('"')
        if NUMBERISH.fullmatch(cell):
            return cell, delimiter if delimiter in record else ""
    usual = next((delimiter for delimiter in delimiters if delimiter in record), "\n")
    return record.partition(usual)[0].strip().strip('"'), ""


def records(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line number and text of each record; a quoted cell may go on over several lines.

    A quote that is not closed soon, or not as a cell is, belongs to its line alone: the people on the lines
    below are not lost in it.
    """
    numbered = enumerate(lines, start=1)
    pushed_back: list[tuple[int, str]] = []
    while True:
        start = pushed_back.pop(0) if pushed_back else next(numbered, None)
        if start is None:
            return
        taken = [start]
        text = start[1]
        while _is_open(text):
            following = pushed_back.pop(0) if pushed_back else next(numbered, None)
            if following is not None:
                taken.append(following)
                text += following[1]
            if following is None or len(taken) > MOST_LINES or len(text) > LONGEST_RECORD:
                pushed_back[:0] = taken[1:]
                text = start[1]
                break
        yield start[0], text


def _is_open(record: str) -> bool:
    """Whether a cell of this record begins with a quote and is not ended by one yet."""
    if '"' not in record or len(record) > LONGEST_RECORD:
        return False
    position = 0
    while position < len(record):
        if BEGINS_QUOTED.match(record, position):
            quoted = QUOTED.match(record, position)
            if quoted is None:
                return True
            position = quoted.end() + 1
        else:
            position = TO_NEXT_CELL.match(record, position).end() + 1  # type: ignore[union-attr]
    return False
