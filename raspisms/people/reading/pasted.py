"""A list as somebody types or pastes it: each line by itself, in whatever order."""

from __future__ import annotations

import re

from ...i18n import N_
from ...sms import phone_numbers
from ...sms.numbers_in_text import DATE, Found, mobiles, numbers_in
from .lines import Line, Said

# "1. ", "2) ", "- ", "• ": what stands before a line of a list.
BULLET = re.compile(r"^\s*(?:[-–—•*·▪◦‣>]+\s+|[•▪◦‣]\s*|\(?\d{1,4}[.)°]\s*(?=[^\d\s])|#\s?\d{1,4}\s+)")
# "Tél :", "portable", directly before a number.
LABEL = re.compile(
    r"(?:\b(?:t[ée]l(?:[ée]phone)?|phone|port(?:able)?|mob(?:ile)?|gsm|fixe|num[ée]ro|n°|sms|cell)\b\.?[\s.:]*)+$", re.I
)
EMAIL = re.compile(r"<?\s*([\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+)\s*>?")
EMPTY_BRACKETS = re.compile(r"[(\[{<]\s*[)\]}>]")
EDGES = ' \t,;:|/=<>"•*·–—-'
DIGITS = re.compile(r"\+?\d[\d .\-()/\u00a0\u202f]{4,}\d")
TITLE_WORDS = re.compile(r":\s*$")
TWO_MOBILES = N_("Il y a deux mobiles ici : gardez-en un.")


def read(text: str) -> list[Line]:
    """Everybody in a text without columns; several numbers without a name are several people."""
    found: list[Line] = []
    rows = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    for place, (number, line) in enumerate(rows):
        people = _of_line(number, line)
        is_title = place == 0 and len(rows) > 1 and not people[0].number and not DIGITS.search(line)
        if is_title and numbers_in(rows[1][1]):
            continue
        found += people
    return found


def _of_line(line: int, text: str) -> list[Line]:
    numbers = numbers_in(text)
    plain = phone_numbers.typed(text)
    name, data = _rest(text if len(plain) == len(text) else plain, numbers)
    textable = mobiles(numbers)
    if len(textable) > 1 and not name:
        return [Line(line, "", one.written, dict(data)) for one in textable]
    if len(textable) > 1:
        return [Line(line, name, " / ".join(one.written for one in textable), data, said=[_two()])]
    if not numbers:
        damaged = DIGITS.search(DATE.sub(" ", text))
        number = damaged[0].strip() if damaged else ""
        return [Line(line, _clean(name.replace(number, " ")) if number else name, number, data)]
    chosen = (textable or numbers)[0]
    others = [one.number for one in numbers if one.number != chosen.number]
    if others:
        data["autre_numero"] = ", ".join(dict.fromkeys(others))
    return [Line(line, name, chosen.written, data)]


def _two() -> Said:
    return (TWO_MOBILES, {})


def _rest(text: str, numbers: list[Found]) -> tuple[str, dict[str, str]]:
    """What is left of a line without its numbers: a name, and what is none."""
    data: dict[str, str] = {}
    pieces, position = [], 0
    for one in numbers:
        pieces.append(LABEL.sub(" ", text[position : one.start]))
        position = one.end
    rest = BULLET.sub("", " ".join([*pieces, text[position:]]), count=1)
    if email := EMAIL.search(rest):
        data["email"] = email[1]
        rest = EMAIL.sub(" ", rest)
    if date := DATE.search(rest):
        data["date"] = date[0]
        rest = DATE.sub(" ", rest)
    return _clean(rest), data


def _clean(text: str) -> str:
    return " ".join(EMPTY_BRACKETS.sub(" ", text).split()).strip(EDGES)
