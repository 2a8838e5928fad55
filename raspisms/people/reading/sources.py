"""A file, whatever its format: its sheets. The content tells, not the name."""

from __future__ import annotations

from dataclasses import dataclass

from ...i18n import N_
from ...sms import phone_numbers
from ...sms.numbers_in_text import mobiles, numbers_in
from . import cards, columns, delimited, json_lists, markup, workbooks
from .lines import Choice, Role, Said, Sheet, Unreadable

# What looks like text and is a document.
FOREIGN = ("%PDF", "{\\rtf")
NO_LIST = N_(
    "Ce fichier est un document, pas une liste : copiez la liste et collez-la, ou enregistrez-la en xlsx ou en CSV."
)
NO_SUCH_SHEET = N_("Ce fichier n’a pas de feuille de ce nom.")


@dataclass
class Source:
    """What a file holds: the names of its sheets, the one that is read, and what is to be said of that."""

    names: list[str]
    sheet: Sheet
    said: list[Said]


def workbook(content: bytes, choice: Choice) -> Source:
    """The sheet of a workbook that was chosen, or that has most numbers. Raises Unreadable."""
    found = workbooks.Workbook(content)
    beginnings = found.beginnings()
    chosen = _fitting(beginnings, choice.sheet, found.shown)
    return Source(found.names, found.whole(chosen.name), [])


def text(content: str, choice: Choice, said: list[Said]) -> Source | None:
    """The table of a text; None for one without columns. Raises Unreadable."""
    if choice.sheet and not markup.is_markup(content):
        raise Unreadable(NO_SUCH_SHEET)
    if content.startswith(FOREIGN):
        raise Unreadable(NO_LIST)
    if cards.is_cards(content):
        return Source([], cards.sheet(content), said)
    if json_lists.is_json(content):
        return Source([], json_lists.sheet(content), said)
    if markup.is_markup(content):
        sheets = markup.sheets(content)
        return Source([sheet.name for sheet in sheets], _fitting(sheets, choice.sheet), said)
    content = delimited.unquoted(content)
    delimiter = _delimiter(content, choice)
    return None if delimiter is None else Source([], Sheet("", delimited.rows(content, delimiter)), said)


def _fitting(sheets: list[Sheet], wanted: str | None, shown: int | None = None) -> Sheet:
    """The sheet of that name, else the one with most people on it, of those that are not hidden (the first `shown`)
    if anybody is there. Raises Unreadable."""
    if wanted is not None:
        named = next((sheet for sheet in sheets if sheet.name == wanted), None)
        if named is None:
            raise Unreadable(NO_SUCH_SHEET)
        return named
    visible = max(sheets[:shown], key=_people_on, default=sheets[0])
    return visible if any(_people_on(visible)) else max(sheets, key=_people_on)


def _people_on(sheet: Sheet) -> tuple[int, int]:
    """How many lines have a mobile, and how many any number."""
    rows = [numbers_in(" ; ".join(cells)) for _, cells in sheet.rows[: workbooks.LOOKED_AT]]
    bare = [any(phone_numbers.read(cell)[1] for cell in cells) for _, cells in sheet.rows[: workbooks.LOOKED_AT]]
    return sum(bool(mobiles(found)) or bare[at] for at, found in enumerate(rows)), sum(map(bool, rows))


def _delimiter(content: str, choice: Choice) -> str | None:
    """What separates the cells of a text that is a table: it has titles, or lines of one shape with numbers of their
    own. A line with several people is none."""
    lines = delimited.sample_lines(content)
    if len(lines) == 1 and len(mobiles(numbers_in(lines[0]))) > 1:
        return None
    for delimiter in delimited.delimiters(content):
        sheet = Sheet("", delimited.rows(content, delimiter, columns.FIRST_ROWS))
        if columns.has_titles(sheet) or choice.header:
            return delimiter
        if delimited.is_even(content, delimiter) and _has_number_column(sheet):
            return delimiter
    return None


def _has_number_column(sheet: Sheet) -> bool:
    """Whether some column holds numbers and nothing else, as far as one sees."""
    header = columns.header_of(sheet, Choice())
    found = columns.columns_of(sheet, header, Choice())
    rows = columns.people_rows(sheet, header)
    numbers = [column.at for column in found if column.role is Role.NUMBER]
    held = [cells[at] for _, cells in rows for at in numbers if at < len(cells) and cells[at]]
    return bool(held) and sum(columns.is_one_number(cell) for cell in held) >= len(held) * columns.MOSTLY
