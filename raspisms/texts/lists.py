"""Lists of numbers as people keep them: a CSV whose first column is the number, under any header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from . import numbers

DELIMITERS = ",;\t|"


def open_list(path: str) -> TextIO:
    """The file as text: UTF-8, else the Windows encoding. Raises OSError."""
    with Path(path).open("rb") as file:
        sample = file.read(65536)
    try:
        sample.decode("utf-8-sig")
        encoding = "utf-8-sig"
    except UnicodeDecodeError as error:
        # A character cut at the sample's end is still UTF-8.
        encoding = "utf-8-sig" if error.start > len(sample) - 4 else "cp1252"
    return Path(path).open(encoding=encoding, errors="replace", newline="")


def first_column(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Line number and first cell of every line that has one; a first line that is no number is a header."""
    for line, row in enumerate(csv.reader(_one_separator(lines)), start=1):
        cell = row[0].strip() if row else ""
        if not cell or (line == 1 and not numbers.is_number(cell) and not any(map(str.isdigit, cell))):
            continue
        yield line, cell


def _one_separator(lines: Iterable[str]) -> Iterator[str]:
    """The lines with the file's own separator replaced by a comma; the first line tells which it is."""
    separator = ""
    for line in lines:
        separator = separator or max(DELIMITERS, key=line.count)
        yield line.replace(separator, ",") if separator != "," else line
