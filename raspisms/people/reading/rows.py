"""People out of the lines of a table: their mobile, their name, what is known of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...language import dates
from ...sms import phone_numbers
from ...sms.folding import composed, fold
from ...sms.numbers_in_text import Found, mobiles, numbers_in
from . import birthdays, headings
from .columns import people_rows
from .lines import Column, Line, Role, Row, Said, Sheet
from .pasted import TWO_MOBILES

# What a spreadsheet takes for a formula; exports put an apostrophe before it, and Excel's own trick is ="06…".
FORMULA = re.compile(r"'(?=[=+\-@\t\r\d])")
QUOTED_FORMULA = re.compile(r'="([^"]*)"')
YES = frozenset(
    {
        *("oui", "o", "yes", "y", "x", "1", "vrai", "true", "ok", "v", "d'accord", "accord", "accepte", "j'accepte"),
        *("\N{CHECK MARK}", "\N{HEAVY CHECK MARK}", "\N{WHITE HEAVY CHECK MARK}", "\N{BALLOT BOX WITH CHECK}"),
    }
)
NO = frozenset(
    {
        *("non", "n", "no", "0", "faux", "false", "refus", "refuse", "jamais"),
        *("\N{BALLOT X}", "\N{HEAVY BALLOT X}", "\N{CROSS MARK}", "\N{BALLOT BOX}"),
    }
)
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
    numbers = sorted(_with(columns, Role.NUMBER), key=lambda column: not headings.is_mobile(column.heading))
    for line, cells in rows:
        yield _person(line, [plain(cell) for cell in cells], columns, numbers)


def plain(cell: str) -> str:
    """The cell as a person reads it: accents composed, without what keeps a spreadsheet from calculating."""
    if quoted := QUOTED_FORMULA.fullmatch(cell):
        cell = quoted[1]
    return composed(FORMULA.sub("", cell, count=1) if FORMULA.match(cell) else cell).strip()


def _is_nothing_but_numbers(rows: Sequence[Row], columns: list[Column]) -> bool:
    """Whether it is a heap of numbers: several mobiles on a line belong to several people."""
    if len(columns) < 2 or any(column.role is not Role.NUMBER for column in columns):
        return False
    return any(len(mobiles([one for cell in cells for one in numbers_in(cell)])) > 1 for _, cells in rows[:50])


def _with(columns: list[Column], role: Role) -> list[Column]:
    return [column for column in columns if column.role is role]


def _person(line: int, cells: list[str], columns: list[Column], numbers: list[Column]) -> Line:
    picked = _pick([(column, cells[column.at]) for column in numbers if column.at < len(cells) and cells[column.at]])
    name, named_at = _name(cells, columns)
    found = Line(line, name, picked.number, said=picked.said)
    agreed = proof = ""
    for column in columns:
        value = cells[column.at] if column.at < len(cells) else ""
        if column.key in picked.kept:
            found.data[column.key] = picked.kept[column.key]
        if not value or column.at == named_at or column.role in {Role.NUMBER, Role.LEFT_OUT}:
            continue
        if column.role is Role.BIRTHDAY:
            value, said = birthdays.settled(value)
            found.said += [said] if said else []
        if column.role is Role.CONSENT and not proof:
            agreed, proof = value, f"{column.heading} : {value}" if column.heading else value
        if column.role is Role.CONSENT_DATE:
            found.agreed_on = found.agreed_on or value
        if value:
            found.data[column.key] = value
    _settle_consent(found, agreed, proof)
    return found


def _name(cells: list[str], columns: list[Column]) -> tuple[str, int | None]:
    """A whole name, and which column has it; else first name before last name, where they are two columns.

    Of several columns for one thing, as lists in JSON have, the first that is filled counts.
    """
    filled: dict[Role, Column] = {}
    for column in columns:
        if column.at < len(cells) and cells[column.at]:
            filled.setdefault(column.role, column)
    if whole := filled.get(Role.NAME):
        return " ".join(cells[whole.at].split()), whole.at
    parts = [cells[filled[role].at] for role in (Role.FIRST_NAME, Role.LAST_NAME) if role in filled]
    return " ".join(" ".join(parts).split()), None


def _settle_consent(line: Line, agreed: str, proof: str) -> None:
    """What the file says of an agreement, with the day of it; an empty cell says nothing."""
    word = fold(agreed.replace("’", "'")).strip(" .!\N{VARIATION SELECTOR-16}")
    if word in YES:
        line.agreed = True
    elif word in NO:
        line.agreed = False
    day = line.agreed_on
    line.agreed_on = ""
    if line.agreed is not None:
        line.proof = proof + (f", {day}" if day else "")
        line.agreed_on = (dates.day_of_birth(day) or "") if day else ""


# -- the number ---------------------------------------------------------------------------------------------------


def _pick(cells: list[tuple[Column, str]]) -> Picked:
    """The number that can get an SMS: of the first cell that has one; of a cell with two, nobody knows which."""
    read = [(column, cell, _numbers(cell)) for column, cell in cells]
    textable = [(column, cell, found) for column, cell, found in read if mobiles(found)]
    unharmed = [one for one in textable if not mobiles(one[2])[0].repaired]
    chosen = next(iter([*unharmed, *textable, *(one for one in read if one[2]), *read]), None)
    if chosen is None:
        return Picked("", [], {})
    _, cell, found = chosen
    best = mobiles(found) or found
    if len(mobiles(found)) > 1:
        return Picked(cell, [(TWO_MOBILES, {})], _kept(read, {one.number for one in found}))
    number = best[0].written if best else cell
    return Picked(number, [], _kept(read, {best[0].number} if best else set(), as_written=number))


def _numbers(cell: str) -> list[Found]:
    number, repaired = phone_numbers.read(cell)
    if number:
        return [Found(0, len(cell), cell, number, repaired)]
    return numbers_in(cell)


def _kept(
    read: list[tuple[Column, str, list[Found]]], without: set[str], as_written: str | None = None
) -> dict[str, str]:
    """What the telephone columns hold beside the number that is written to: kept with the person."""
    kept = {}
    for column, cell, found in read:
        if not found:
            if cell != as_written:
                kept[column.key] = cell
            continue
        others = [one.number for one in found if one.number not in without]
        remark = _remark(cell, found)
        if others or remark:
            kept[column.key] = ", ".join([*dict.fromkeys(others), *([remark] if remark else [])])
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
