"""Lists of people as they come: CSV, Excel, vCard, JSON, RaspiSMS's exports, pasted text."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zipfile import BadZipFile, ZipFile

from ..i18n import N_
from ..sms import phone_numbers as telephone_numbers
from ..sms.folding import fold
from ..storage.transactions import INTERRUPTIONS
from . import number_lists
from .contacts import clean_key

MOST_LINES = 200_000
# Of a workbook: cells, empty ones between included; bytes once it is unpacked, and how many times its size that is.
MOST_CELLS = 10_000_000
MOST_UNPACKED, FREE_UNPACKED, MOST_RATIO = 400 * 1024 * 1024, 32 * 1024 * 1024, 60
TOO_MANY_CELLS = N_(
    "Ce classeur est démesuré une fois ouvert : gardez-y une feuille avec la liste, sans lignes ni colonnes vides, "
    "ou enregistrez-le en CSV."
)
MOST_COLUMNS = 200
SAMPLE_ROWS = 50
# What a column of numbers, or of names, may be called (folded).
NUMBER_HEADERS = frozenset(
    {
        *("numero", "number", "telephone", "tel", "phone", "mobile", "portable", "gsm", "sms", "cell"),
        *("numero_de_telephone", "telephone_portable", "telephone_mobile", "tel_portable", "tel_mobile"),
        *("phone_number", "mobile_phone"),
    }
)
NAME_HEADERS = frozenset({"nom_complet", "nom_et_prenom", "nom_prenom", "prenom_nom", "name", "full_name", "contact"})
FIRST_NAME_HEADERS = frozenset({"prenom", "first_name", "firstname", "given_name", "prenoms"})
LAST_NAME_HEADERS = frozenset({"nom", "last_name", "lastname", "surname", "nom_de_famille", "family_name", "nom_usage"})
# What a spreadsheet takes for a formula; exports put an apostrophe before it.
# As many digits as a damaged number still has, and no title.
LEAST_DIGITS = 6
FORMULA = re.compile(r"'(?=[=+\-@\t\r])")
IN_LINE = re.compile(r"(?P<before>.*?)(?P<number>\+?\d[\d .\-()\u00a0\u202f/]{7,}\d)(?P<after>.*)", re.DOTALL)
# What Excel writes for itself on top of a CSV.
SEPARATOR_LINE = re.compile(r"\A\ufeff?sep=.[\r\n]+", re.IGNORECASE)
# What no database takes, or only in part: NUL, and halves of characters.
UNSTORABLE = re.compile("[\ud800-\udfff\0]")


class Unreadable(ValueError):
    """The file is no list of people; str(error) is a sentence (a msgid), `line` the place if there is one."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass
class Line:
    """One person as the file has them: nothing is checked yet."""

    line: int
    name: str
    number: str
    data: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"name": self.name, "number": self.number, "data": self.data}


def craft(payload: tuple[bytes, bool]) -> Iterator[Any]:
    """What the workshop's child does of a file, or of a pasted text: [line, name, number, data] for each person, or
    {sentence, line} for what is wrong with all of it."""
    content, is_text = payload
    try:
        lines = read_text(content.decode("utf-8")) if is_text else read(content)
    except Unreadable as error:
        yield {"sentence": str(error), "line": error.line}
        return
    for one in lines:
        yield [one.line, one.name, one.number, one.data]


def read(content: bytes) -> list[Line]:
    """Everybody in a file, whatever its format; the content tells, not the name. Raises Unreadable."""
    if content[:4] == b"PK\x03\x04" or content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
        return _bounded(_from_rows(_sheet(content)))
    text = decode(content)
    start = text.lstrip()[:20].upper()
    if start.startswith("BEGIN:VCARD"):
        return _bounded(_cards(text))
    if start.startswith(("[", "{")):
        return _bounded(_json(text))
    return read_text(text)


def read_text(text: str) -> list[Line]:
    """Everybody in a CSV or a pasted list. Raises Unreadable."""
    return _bounded(_from_rows(_csv_rows(text)))


def decode(content: bytes) -> str:
    """The text of a file: UTF-8 or UTF-16 when it is that, else the Windows encoding."""
    return content.decode(number_lists.encoding(content), errors="replace")


def _bounded(lines: Iterator[Line]) -> list[Line]:
    found = list(itertools.islice(lines, MOST_LINES + 1))
    if not found:
        raise Unreadable(N_("Aucune personne n’a été trouvée : il faut au moins une colonne de numéros."))
    if len(found) > MOST_LINES:
        raise Unreadable(N_("Ce fichier a plus de 200 000 lignes : partagez-le en plusieurs."))
    return found


# -- spreadsheets ---------------------------------------------------------------------------------------


def _sheet(content: bytes) -> list[tuple[int, list[str]]]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        _check_size(content)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in workbook.sheet_names:
            sheet = workbook.get_sheet_by_name(name)
            if sheet.total_height * sheet.total_width > MOST_CELLS:
                raise Unreadable(TOO_MANY_CELLS)
            rows = sheet.to_python(skip_empty_area=False)
            if rows:
                return [(number, [_cell(value) for value in row]) for number, row in enumerate(rows, start=1)]
    except Unreadable:
        raise
    except (CalamineError, ValueError, OSError, BadZipFile) as error:
        raise Unreadable(
            N_("Ce classeur est illisible ou protégé : enregistrez-le à nouveau, ou en CSV, puis réessayez.")
        ) from error
    raise Unreadable(N_("Ce classeur est vide."))


def _check_size(content: bytes) -> None:
    """Refuse a workbook that is much larger than it looks. Raises Unreadable."""
    if not content.startswith(b"PK"):
        return
    with ZipFile(io.BytesIO(content)) as packed:
        unpacked = sum(part.file_size for part in packed.infolist())
    if unpacked > MOST_UNPACKED or (unpacked > FREE_UNPACKED and unpacked > len(content) * MOST_RATIO):
        raise Unreadable(TOO_MANY_CELLS)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ") if value.time() != time() else value.date().isoformat()
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value).strip()


# -- text -----------------------------------------------------------------------------------------------


def _csv_rows(text: str) -> list[tuple[int, list[str]]]:
    text = SEPARATOR_LINE.sub("", UNSTORABLE.sub("", text))
    delimiter = _delimiter(text)
    if delimiter is None:
        return [(number, _pasted(line)) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    rows: list[tuple[int, list[str]]] = []
    for line, record in number_lists.records(io.StringIO(text, newline="")):
        try:
            cells = next(csv.reader([record], delimiter=delimiter, skipinitialspace=True), [])
        except csv.Error as error:
            raise Unreadable(
                N_("Cette ligne est beaucoup trop longue : un guillemet n’est sans doute pas fermé."), line
            ) from error
        if any(cell.strip() for cell in cells):
            rows.append((line, [cell.strip() for cell in cells]))
        if len(rows) > MOST_LINES + 1:
            break
    return rows


def _delimiter(text: str) -> str | None:
    """What separates the cells: the sign that most lines have equally often; None for a list without columns."""
    lines = [line for line in text[: number_lists.SAMPLE_BYTES].splitlines()[:SAMPLE_ROWS] if line.strip()]
    best, most = None, 0.0
    for delimiter in number_lists.DELIMITERS:
        counts = Counter(re.sub(r'"[^"]*"', "", line).count(delimiter) for line in lines)
        counts.pop(0, None)
        if counts:
            score = max(counts.values()) / len(lines)
            if score > most:
                best, most = delimiter, score
    return best


def _pasted(line: str) -> list[str]:
    """Name and number of a line without columns: "Jean Martin 06 12 34 56 78", or a number alone."""
    found = IN_LINE.fullmatch(line.strip())
    if found is None:
        return [line.strip()]
    name = " ".join(f"{found['before']} {found['after']}".split()).strip(" ,;:-\t")
    return [found["number"].strip(), name] if name else [found["number"].strip()]


# -- columns ----------------------------------------------------------------------------------------------


@dataclass
class Columns:
    """Which column is what."""

    number: int
    name: list[int]
    keys: dict[int, str]


def _from_rows(rows: Sequence[tuple[int, list[str]]]) -> Iterator[Line]:
    rows = [(line, cells[:MOST_COLUMNS]) for line, cells in rows if any(cells)]
    if not rows:
        return
    if all(telephone_numbers.read(cell)[0] for _, cells in rows[:SAMPLE_ROWS] for cell in cells if cell):
        yield from (Line(line, "", cell) for line, cells in rows for cell in cells if cell)
        return
    header = rows[0][1] if _is_header(rows) else None
    people = rows[1:] if header is not None else rows
    columns = _columns(header, people)
    for line, cells in people:
        data = {key: _plain(cells[at]) for at, key in columns.keys.items() if at < len(cells) and cells[at].strip()}
        name = " ".join(_plain(cells[at]) for at in columns.name if at < len(cells) and cells[at].strip())
        number = cells[columns.number] if columns.number < len(cells) else ""
        yield Line(line, " ".join(name.split()), _plain(number), data)


def _plain(cell: str) -> str:
    """The cell without the apostrophe that an export puts before what looks like a formula."""
    return FORMULA.sub("", cell, count=1) if FORMULA.match(cell) else cell


def _is_header(rows: Sequence[tuple[int, list[str]]]) -> bool:
    """The first line names columns when nothing in it is a number, and a number comes later or a name is known."""
    first = rows[0][1]
    if any(sum(map(str.isdigit, cell)) >= LEAST_DIGITS for cell in first):
        return False  # a number, or one that is to be corrected
    if any(_folded(cell) in NUMBER_HEADERS for cell in first):
        return True
    return any(telephone_numbers.read(cell)[0] for _, cells in rows[1:SAMPLE_ROWS] for cell in cells)


def _folded(cell: str) -> str:
    return re.sub(r"\W+", "_", fold(cell)).strip("_")


def _columns(header: list[str] | None, people: Sequence[tuple[int, list[str]]]) -> Columns:
    names = [_folded(cell) for cell in header] if header else []
    width = max([len(names), *(len(cells) for _, cells in people[:SAMPLE_ROWS])], default=1)
    number = _number_column(names, people, width)
    name = _name_columns(names, people, number, width)
    keys: dict[int, str] = {}
    for at in range(width):
        # First and last names stay readable one by one, and RaspiSMS's texts find them where they were.
        is_part = at in name and at < len(names) and names[at] in FIRST_NAME_HEADERS | LAST_NAME_HEADERS
        if at == number or (at in name and not is_part):
            continue
        key = clean_key(header[at]) if header and at < len(header) else ""
        key = key or f"colonne_{at + 1}"
        while key in keys.values():
            key += "_2"
        keys[at] = key
    return Columns(number, name, keys)


def _number_column(names: list[str], people: Sequence[tuple[int, list[str]]], width: int) -> int:
    """The column with the most numbers; its name decides between equals."""
    sample = people[:SAMPLE_ROWS]

    def score(at: int) -> tuple[float, bool, int]:
        found = sum(_likeness(cells[at]) for _, cells in sample if at < len(cells))
        known = at < len(names) and names[at] in NUMBER_HEADERS
        return found + (len(sample) / 2 if known else 0), known, -at

    return max(range(width), key=score)


def _likeness(cell: str) -> float:
    """How much a cell is the number to write to: a mobile more than a landline, a repaired one less than either."""
    number, repaired = telephone_numbers.read(cell)
    if number is None:
        return 0.0
    if repaired:
        return 0.5
    return 1.5 if not number.startswith("+33") or number.startswith(("+336", "+337", "+3393")) else 1.0


def _name_columns(names: list[str], people: Sequence[tuple[int, list[str]]], number: int, width: int) -> list[int]:
    first = [at for at, name in enumerate(names) if name in FIRST_NAME_HEADERS and at != number]
    last = [at for at, name in enumerate(names) if name in LAST_NAME_HEADERS and at != number]
    whole = [at for at, name in enumerate(names) if name in NAME_HEADERS and at != number]
    if whole:
        return whole[:1]
    if first and last:
        return [first[0], last[0]]
    if first or last:
        return (first or last)[:1]
    # RaspiSMS: the name is in the column before the number, whatever it is called. Numbers first: there are none.
    if number > 0:
        return [0]
    return [1] if not names and width > 1 else []


# -- vCard and JSON -----------------------------------------------------------------------------------------


def _cards(text: str) -> Iterator[Line]:
    import vobject

    for line, one in _card_texts(text):
        try:
            card = vobject.readOne(one, ignoreUnreadable=True)
            yield Line(line, _card_name(card), _card_number(card), _card_data(card))
        except INTERRUPTIONS:
            raise
        except Exception:  # what a telephone made of a card; its line is shown as refused
            yield Line(line, "", "")


def _card_texts(text: str) -> Iterator[tuple[int, str]]:
    """Each card with the line that it begins at; one that does not end is none."""
    begun, lines = 0, list[str]()
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        word = line.strip().upper()
        if word.startswith("BEGIN:VCARD"):
            begun, lines = number, []
        if begun:
            lines.append(line)
            if word.startswith("END:VCARD"):
                yield begun, "".join(lines)
                begun = 0


def _card_name(card: Any) -> str:
    if hasattr(card, "fn") and card.fn.value.strip():
        return " ".join(str(card.fn.value).split())
    name = getattr(card, "n", None)
    return " ".join(f"{name.value.given} {name.value.family}".split()) if name else ""


def _card_number(card: Any) -> str:
    """The mobile of a card, else its first number."""
    found = [
        (str(tel.value), [kind.upper() for kind in tel.params.get("TYPE", [])]) for tel in card.contents.get("tel", [])
    ]
    for raw, kinds in found:
        if "CELL" in kinds and "FAX" not in kinds:
            return raw.removeprefix("tel:")
    mobiles = [raw for raw, _ in found if re.match(r"(?:tel:)?(?:\+33|0033|0)\s*[67]", raw)]
    return next(iter([*mobiles, *(raw for raw, _ in found)]), "").removeprefix("tel:")


def _card_data(card: Any) -> dict[str, str]:
    data = {}
    for field_name, key in (("email", "email"), ("bday", "birthdate"), ("title", "title"), ("note", "note")):
        if field_name in card.contents:
            data[key] = str(card.contents[field_name][0].value).strip()
    if "org" in card.contents:
        data["company"] = ", ".join(part for part in card.org.value if part)
    return {key: value for key, value in data.items() if value}


def _json(text: str) -> Iterator[Line]:
    try:
        people = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = getattr(error, "lineno", None)
        raise Unreadable(N_("Ce fichier JSON est mal formé."), place) from error
    if isinstance(people, dict):
        people = next((value for value in people.values() if isinstance(value, list)), [people])
    for line, person in enumerate(people if isinstance(people, list) else [], start=1):
        if not isinstance(person, dict):
            yield Line(line, "", "")
            continue
        data = person.get("data")
        data = _object(data) if isinstance(data, str) else data
        kept = (
            {clean_key(str(key)): _cell(value) for key, value in (data or {}).items()} if isinstance(data, dict) else {}
        )
        name, number = (UNSTORABLE.sub("", str(person.get(key) or "")) for key in ("name", "number"))
        yield Line(line, name, number, {key: UNSTORABLE.sub("", value) for key, value in kept.items()})


def _object(text: str) -> Any:
    """The hash that a text is, if it is one."""
    try:
        return json.loads(text)
    except ValueError:
        return None
