"""Tables as people lay them out: two side by side, titles repeated on each page, totals below."""

from __future__ import annotations

import re

from ...sms.folding import fold
from .lines import Row, Sheet

TOTAL = re.compile(r"(?:sous-)?total(?:\s+général)?\s*:?(?=\s*\d|\s*$)|page \d|#", re.IGNORECASE)
DASHES = re.compile(r"[-=|:_*\s]*")
# As many digits as a damaged number still has: whoever has one is a person to correct.
LIKE_A_NUMBER = re.compile(r"(?:\d\D*){6}")


def stack(sheet: Sheet, header: int) -> None:
    """Bring a table into one: what stands beside under the same titles comes below; what is nobody goes."""
    titles = next(([fold(cell) for cell in cells] for line, cells in sheet.rows if header and line == header), [])
    blocks = _blocks(titles)
    if len(blocks) > 1:
        sheet.rows = [(line, cells[a:b]) for line, cells in sheet.rows for a, b in blocks if any(cells[a:b])]
        titles = titles[slice(*blocks[0])]
    sheet.rows = [row for row in sheet.rows if row[0] <= header or not _is_nobody(row, titles)]


def _blocks(titles: list[str]) -> list[tuple[int, int]]:
    """From where to where each of several tables with the same titles goes; they are parted by an empty column."""
    found: list[tuple[int, int]] = []
    begun = None
    for at, title in enumerate([*titles, ""]):
        if title and begun is None:
            begun = at
        elif not title and begun is not None:
            found.append((begun, at))
            begun = None
    first = titles[slice(*found[0])] if found else []
    return found if len(first) > 1 and all(titles[a:b] == first for a, b in found) else []


def _is_nobody(row: Row, titles: list[str]) -> bool:
    """The titles again, a total, a line of dashes."""
    cells = row[1]
    if titles and cells and len(cells[0]) == len(titles[0]) and [fold(one) for one in cells[: len(titles)]] == titles:
        return True
    filled = [cell for cell in cells if cell]
    if not filled or not (TOTAL.match(filled[0]) or DASHES.fullmatch(filled[0])):
        return False
    if DASHES.fullmatch(filled[0]):
        return all(map(DASHES.fullmatch, filled))
    return not any(map(LIKE_A_NUMBER.search, filled))
