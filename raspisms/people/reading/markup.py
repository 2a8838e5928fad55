"""Tables of web pages and of SpreadsheetML, which programs like to call .xls."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from ...i18n import N_
from .lines import Sheet, Unreadable

MOST_COLUMNS = 200
BEGINS = re.compile(
    r"\s*<(?:!doctype|!--|\?xml|html|table|thead|tbody|tr|meta|head|body|div|p|h1|center|font|style|workbook|ss:workbook)",
    re.IGNORECASE,
)
MIDNIGHT = re.compile(r"(\d{4}-\d{2}-\d{2})T00:00:00(?:\.0+)?")
NO_TABLE = N_(
    "Ce fichier est une page web, pas un classeur, et il n’a aucun tableau : ouvrez-le dans votre tableur, "
    "puis enregistrez-le en xlsx ou en CSV."
)
ROWS, CELLS = frozenset({"tr", "row", "table-row"}), frozenset({"td", "th", "cell", "table-cell"})
TABLES = frozenset({"table", "worksheet"})
# What begins on a line of its own.
BLOCKS = frozenset({"br", "p", "div", "li"})
UNSEEN = frozenset({"script", "style", "head", "title", "comment"})


def is_markup(text: str) -> bool:
    """Whether a file is a page or a table in markup."""
    return BEGINS.match(text) is not None


def sheets(text: str) -> list[Sheet]:
    """Every table of a page. Raises Unreadable."""
    collector = _Tables()
    collector.feed(_without_comments(text))
    collector.close()
    collector.end_row()
    found = [sheet for sheet in collector.sheets if sheet.rows]
    if not found:
        raise Unreadable(NO_TABLE)
    return found


def _without_comments(text: str) -> str:
    """What a browser shows; a comment that does not end hides the rest."""
    pieces, position = [], 0
    while (begun := text.find("<!--", position)) >= 0:
        pieces.append(text[position:begun])
        ended = text.find("-->", begun)
        if ended < 0:
            return "".join(pieces)
        position = ended + 3
    return "".join([*pieces, text[position:]])


class _Tables(HTMLParser):
    """Rows and cells by their tags, whichever of the two languages they are of."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sheets: list[Sheet] = []
        self._cells: list[str] = []
        self._inside = self._unseen = False
        self._line = self._span = 0
        # Cells of rows above that reach down: how many rows more, and what they say, by column.
        self._reaching: dict[int, tuple[int, str]] = {}
        self._still_reaching: dict[int, tuple[int, str]] = {}
        self._begun_here: dict[int, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name.rpartition(":")[2]: value or "" for name, value in attrs}
        tag = tag.rpartition(":")[2]
        if tag in TABLES:
            self._begin_table(tag, attributes)
        elif tag in ROWS:
            self.end_row()
        elif tag in CELLS:
            self._begin_cell(attributes)
        elif tag in BLOCKS and self._inside:
            self._cells[-1] += "\n"
        elif tag in UNSEEN:
            self._unseen = True

    def handle_endtag(self, tag: str) -> None:
        tag = tag.rpartition(":")[2]
        if tag in ROWS or tag in TABLES:
            self.end_row()
        elif tag in CELLS:
            self._inside = False
            self._cells += [""] * self._span
            self._span = 0
        elif tag in UNSEEN:
            self._unseen = False

    def handle_data(self, data: str) -> None:
        if self._inside and not self._unseen:
            self._cells[-1] += data

    def end_row(self) -> None:
        """Keep the row that was under way."""
        if not self._cells:
            return
        self._reach_down()
        row = [MIDNIGHT.sub(r"\1", " ".join(cell.split())) for cell in self._cells]
        if any(row):
            if not self.sheets:
                self.sheets.append(Sheet("", []))
            self._line += 1
            self.sheets[-1].rows.append((self._line, row))
        for at, rows in self._begun_here.items():
            self._still_reaching[at] = (rows, self._cells[at])
        self._reaching, self._still_reaching, self._begun_here = self._reaching | self._still_reaching, {}, {}
        self._cells, self._inside = [], False

    def _begin_table(self, tag: str, attributes: dict[str, str]) -> None:
        self.end_row()
        if tag == "table" and self.sheets and not self.sheets[-1].rows:
            return  # the table of a worksheet that has its name already
        self.sheets.append(Sheet(attributes.get("name") or str(len(self.sheets) + 1), []))
        self._line, self._reaching = 0, {}

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        self._reach_down()
        place = _number(attributes.get("index")) - 1
        while len(self._cells) < min(place, MOST_COLUMNS):
            self._cells.append("")
        self._cells.append("")
        self._inside = True
        self._span = min(
            max(0, _number(attributes.get("colspan")) - 1, _number(attributes.get("mergeacross"))), MOST_COLUMNS
        )
        if (rows := _number(attributes.get("rowspan"))) > 1:
            self._begun_here[len(self._cells) - 1] = rows - 1

    def _reach_down(self) -> None:
        """Put in the cells of rows above that stand here."""
        while (held := self._reaching.pop(len(self._cells), None)) is not None:
            rows, text = held
            if rows > 1:
                self._still_reaching[len(self._cells)] = (rows - 1, text)
            self._cells.append(text)


def _number(raw: str | None) -> int:
    return int(raw) if raw and raw.isascii() and raw.isdecimal() and len(raw) < 5 else 0
