"""People out of the lines of a table: their mobile, their name, what is known of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import phonenumbers

from ...language import dates
from ...sms import phone_numbers
from ...sms.folding import composed
from ...sms.numbers_in_text import Found, has_another, mobiles, numbers_in
from . import birthdays, consents, headings, names
from .columns import people_rows
from .lines import TWO_MOBILES, Column, Line, Role, Row, Said, Sheet

# What a spreadsheet takes for a formula; exports put an apostrophe before it, and Excel's own trick is ="06…".
FORMULA = re.compile(r"'(?=[=+\-@\t\r\d])")
QUOTED_FORMULA = re.compile(r'="([^"]*)"')
WORDS = re.compile(r"[^\W\d_]{2,}")
LABELS = re.compile(
    r"\b(?:t[ée]l(?:[ée]phone)?|port(?:able)?|mob(?:ile)?|gsm|fixe|num[ée]ro|ou|et|or|and)\b", re.IGNORECASE
)


@dataclass
class Picked:
    """The number of a row, as written, and what else its telephone columns hold."""

    number: str
    said: list[Said]
    kept: dict[str, str]


def people(sheet: Sheet, header: int, columns: list[Column]) -> Iterator[Line]:
    """A line for everybody in a table."""
    rows = people_rows(sheet, header)
    if not header and sheet.headings is None and _is_nothing_but_numbers(rows, columns):
        yield from (Line(line, "", cell) for line, cells in rows for cell in cells if cell)
        return
    table = _Table(columns, rows)
    for line, cells in rows:
        yield table.person(line, _aligned([plain(cell) for cell in cells], columns))


def _aligned(cells: list[str], columns: list[Column]) -> list[str]:
    """The cells under their headings: a comma in a name that nobody quoted moved them by one."""
    if columns and columns[-1].heading:  # nothing stands beyond the headings
        return cells
    headed = sum(1 for column in columns if column.heading)
    named = bool(columns) and columns[0].role in {Role.NAME, Role.LAST_NAME} and bool(columns[0].heading)
    if headed == len(columns) or not named or len(cells) != headed + 1 or not all(cells[:2]):
        return cells
    numbers = [column.at for column in columns if column.role is Role.NUMBER and column.heading]
    if not any(not numbers_in(cells[at]) and numbers_in(cells[at + 1]) for at in numbers if at + 1 < len(cells)):
        return cells
    return [f"{cells[0]}, {cells[1]}", *cells[2:], ""]


def plain(cell: str) -> str:
    """The cell as a person reads it: accents composed, without what keeps a spreadsheet from calculating."""
    if cell[:1] == "=" and (quoted := QUOTED_FORMULA.fullmatch(cell)):
        cell = quoted[1]
    if cell[:1] == "'":
        cell = FORMULA.sub("", cell, count=1)
    return (cell if cell.isascii() else composed(cell)).strip()


def _is_nothing_but_numbers(rows: Sequence[Row], columns: list[Column]) -> bool:
    """Whether it is a heap of numbers: several mobiles on a line belong to several people."""
    if len(columns) < 2 or any(column.role is not Role.NUMBER for column in columns):
        return False
    return any(len(mobiles([one for cell in cells for one in numbers_in(cell)])) > 1 for _, cells in rows[:50])


def _with(columns: list[Column], role: Role) -> list[Column]:
    return [column for column in columns if column.role is role]


class _Table:
    """The columns of a table, sorted out once for all of its people."""

    def __init__(self, columns: list[Column], rows: Sequence[Row]) -> None:
        self.numbers = sorted(_with(columns, Role.NUMBER), key=lambda column: headings.nearness(column.heading))
        self.codes, self.days = _with(columns, Role.CALLING_CODE), _with(columns, Role.BIRTHDAY)
        self.names = {role: _with(columns, role) for role in (Role.NAME, Role.FIRST_NAME, Role.LAST_NAME)}
        self.agreements = [*_with(columns, Role.CONSENT), *_with(columns, Role.REFUSAL)]
        self.agreed_on = _with(columns, Role.CONSENT_DATE)
        self.data = [column for column in columns if column.role not in {Role.NUMBER, Role.LEFT_OUT, Role.BIRTHDAY}]
        self.reader = birthdays.Reader([cells[one.at] for one in self.days for _, cells in rows if one.at < len(cells)])

    def person(self, line: int, cells: list[str]) -> Line:
        """Who stands in these cells."""
        width = len(cells)
        code = next((cells[one.at] for one in self.codes if one.at < width), "")
        held = [(one, cells[one.at]) for one in self.numbers if one.at < width and cells[one.at]]
        picked = _pick([(one, _abroad(cell, code)) for one, cell in held] if code else held)
        name, named_at, written = self._name(cells)
        if not picked.number and names.MANY_DIGITS.search(written):  # "Léa 06 39 98 70 02" in the column of names
            beside = mobiles(numbers_in(written))
            picked.number = beside[0].written if len(beside) == 1 else ""
        found = Line(line, name, picked.number, said=picked.said)
        for one in self.data:
            if one.at < width and one.at != named_at and (value := cells[one.at]):
                found.data[one.key] = value
        found.data |= picked.kept
        for one in self.days:
            value, said = self.reader.settled(cells[one.at] if one.at < width else "")
            found.said += [said] if said else []
            if value:
                found.data[one.key] = value
        if self.agreements:
            day = next((cells[one.at] for one in self.agreed_on if one.at < width and cells[one.at]), "")
            _settle_consent(
                found, [(one, cells[one.at]) for one in self.agreements if one.at < width and cells[one.at]], day
            )
        return found

    def _name(self, cells: list[str]) -> tuple[str, int | None, str]:
        """A whole name, and which column has it; else first name before last name, where they are two columns. And
        how it is written there.

        Of several columns for one thing, as lists in JSON have, the first that is filled counts.
        """
        parts = []
        for role in (Role.NAME, Role.FIRST_NAME, Role.LAST_NAME):
            at = next((one.at for one in self.names[role] if one.at < len(cells) and cells[one.at]), None)
            if at is None:
                continue
            if role is Role.NAME:
                return names.cleaned(cells[at]), at, cells[at]
            parts.append(cells[at])
        if len(parts) < 2:
            written = parts[0] if parts else ""
            return names.cleaned(written), None, written
        return names.cleaned(" ".join(map(names.cleaned, parts))), None, " ; ".join(parts)


def _abroad(cell: str, code: str) -> str:
    """A number with its country, by digits (212) or letters (MA), that stands in a column of its own; at home it
    changes nothing."""
    letters = code.strip().upper()
    if letters in phonenumbers.SUPPORTED_REGIONS:
        digits = str(phonenumbers.country_code_for_region(letters))
    else:
        digits = "".join(filter(str.isdecimal, code)).removeprefix("00")
    national = cell.strip()
    if not digits or digits == "33" or national.startswith(("+", "00")):
        return cell
    return f"+{digits} {national.removeprefix('0')}"


def _settle_consent(line: Line, agreements: list[tuple[Column, str]], day: str) -> None:
    """What the file says of an agreement, with the day of it; an empty cell says nothing, and one no is a no."""
    said = [(column, value, consents.says(value)) for column, value in agreements]
    answers = [(column, value, says if column.role is Role.CONSENT else _refused(says)) for column, value, says in said]
    known = sorted((one for one in answers if one[2] is not None), key=lambda one: bool(one[2]))
    if not answers:
        return
    column, value, line.agreed = (known or answers)[0]
    line.proof = f"{column.heading} : {value}" if column.heading else value
    if day:
        line.proof += f", {day}"
        line.agreed_on = dates.day_of_birth(day) or ""


def _refused(says: bool | None) -> bool | None:
    """Who does not refuse has not agreed by that."""
    return False if says else None


# -- the number ---------------------------------------------------------------------------------------------------


def _pick(cells: list[tuple[Column, str]]) -> Picked:
    """The number that can get an SMS: of the first cell that has one; of a cell with two, nobody knows which."""
    read = [_numbers(column, cell) for column, cell in cells]
    chosen = next(iter([*(one for one in read if one.mobiles), *(one for one in read if one.found), *read]), None)
    if chosen is None:
        return Picked("", [], {})
    if len(chosen.mobiles) > 1 or (not chosen.is_whole and has_another(chosen.cell, chosen.found)):
        return Picked(chosen.cell, [(TWO_MOBILES, {})], _kept(read, {one.number for one in chosen.found}))
    best = chosen.mobiles or chosen.found
    number = best[0].written if best else chosen.cell
    return Picked(number, [], _kept(read, {best[0].number} if best else set(), as_written=number))


@dataclass
class Numbers:
    """What a telephone cell holds."""

    column: Column
    cell: str
    found: list[Found]
    mobiles: list[Found]
    is_whole: bool
    """The cell is a number, and nothing else."""


def _numbers(column: Column, cell: str) -> Numbers:
    number, repaired = phone_numbers.read(cell)
    found = [Found(0, len(cell), cell, number, repaired)] if number else numbers_in(cell)
    return Numbers(column, cell, found, mobiles(found), is_whole=number is not None)


def _kept(read: list[Numbers], without: set[str], as_written: str | None = None) -> dict[str, str]:
    """What the telephone columns hold beside the number that is written to: kept with the person."""
    kept = {}
    for one in read:
        if not one.found:
            if one.cell != as_written:
                kept[one.column.key] = one.cell
            continue
        others = [found.number for found in one.found if found.number not in without]
        remark = "" if one.is_whole else _remark(one.cell, one.found)
        if others or remark:
            kept[one.column.key] = ", ".join([*dict.fromkeys(others), *([remark] if remark else [])])
    return kept


def _remark(cell: str, found: list[Found]) -> str:
    """Words beside the numbers of a cell: "maman", "travail"."""
    rest, position = "", 0
    for one in found:
        rest += cell[position : one.start] + " "
        position = one.end
    rest = LABELS.sub(" ", rest + cell[position:])
    words = " ".join(rest.split()).strip(" ,;:/()[].-–")
    return words if WORDS.search(words) else ""
