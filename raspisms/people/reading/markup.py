"""Tables of web pages and of SpreadsheetML, which programs like to call .xls."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from ...i18n import N_
from .lines import Sheet, Unreadable

MOST_COLUMNS = 200
MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00:00(?:\.0+)?")
NO_TABLE = N_(
    "Ce fichier est une page web, pas un classeur, et il n’a aucun tableau : ouvrez-le dans votre tableur, "
    "puis enregistrez-le en xlsx ou en CSV."
)
ROWS, CELLS, TABLES = frozenset({"tr", "row"}), frozenset({"td", "th", "cell"}), frozenset({"table", "worksheet"})
UNSEEN = frozenset({"script", "style", "head", "title"})


def is_markup(text: str) -> bool:
    """Whether a file is a page or a table in markup."""
    return re.match(r"\s*<(?:!doctype|\?xml|html|table|meta|head|body|div|workbook|style)", text, re.I) is not None


def sheets(text: str) -> list[Sheet]:
    """Every table of a page. Raises Unreadable."""
    collector = _Tables()
    collector.feed(text)
    collector.close()
    collector.end_row()
    found = [sheet for sheet in collector.sheets if sheet.rows]
    if not found:
        raise Unreadable(NO_TABLE)
    return found


class _Tables(HTMLParser):
    """Rows and cells by their tags, whichever of the two languages they are of."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sheets: list[Sheet] = []
        self._cells: list[str] = []
        self._inside = self._unseen = False
        self._line = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name.rpartition(":")[2]: value or "" for name, value in attrs}
        if tag in TABLES:
            self._begin_table(tag, attributes)
        elif tag in ROWS:
            self.end_row()
        elif tag in CELLS:
            self._begin_cell(attributes)
        elif tag == "br" and self._inside:
            self._cells[-1] += "\n"
        elif tag in UNSEEN:
            self._unseen = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ROWS or tag in TABLES:
            self.end_row()
        elif tag in CELLS:
            self._inside = False
        elif tag in UNSEEN:
            self._unseen = False

    def handle_data(self, data: str) -> None:
        if self._inside and not self._unseen:
            self._cells[-1] += data

    def end_row(self) -> None:
        """Keep the row that was under way."""
        row = [MIDNIGHT.sub(r"\1", " ".join(cell.split())) for cell in self._cells]
        if any(row):
            if not self.sheets:
                self.sheets.append(Sheet("", []))
            self._line += 1
            self.sheets[-1].rows.append((self._line, row))
        self._cells, self._inside = [], False

    def _begin_table(self, tag: str, attributes: dict[str, str]) -> None:
        self.end_row()
        if tag == "table" and self.sheets and not self.sheets[-1].rows:
            return  # the table of a worksheet that has its name already
        self.sheets.append(Sheet(attributes.get("name") or str(len(self.sheets) + 1), []))
        self._line = 0

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        index = attributes.get("index", "")
        place = int(index) - 1 if index.isascii() and index.isdecimal() else len(self._cells)
        while len(self._cells) < min(place, MOST_COLUMNS):
            self._cells.append("")
        self._cells.append("")
        self._inside = True
