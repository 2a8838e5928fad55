"""Contacts of telephones and mail programs: vCard 2.1 to 4.0."""

from __future__ import annotations

import logging
import quopri
import re
from collections.abc import Iterator
from typing import Any

from ...sms.numbers_in_text import mobiles, numbers_in
from ...storage.transactions import INTERRUPTIONS
from .encodings import UNKNOWN, UNSTORABLE
from .lines import Role, Sheet

# What a card says beside names and numbers, and what it is called with us.
KEYS = {"email": "email", "bday": "birthdate", "org": "company", "title": "title", "adr": "address", "note": "note"}
ROLES = {"email": Role.EMAIL, "bday": Role.BIRTHDAY}
MOST_NUMBERS = 16
SOFT_BREAK = re.compile(r"=[ \t]*(?:\r\n|\r|\n)[ \t]?")
PROPERTY = re.compile(r"[A-Za-z][\w.\-]*[:;]", re.ASCII)
BEGINS = re.compile(r"^\ufeff?\s*BEGIN:VCARD", re.IGNORECASE | re.MULTILINE)
QUOTED_PRINTABLE = re.compile(r"[;=]QUOTED-PRINTABLE[;:]", re.IGNORECASE)
CHARSET = re.compile(r"CHARSET=([\w\-]+)", re.IGNORECASE)
ENCODING = re.compile(r";(?:ENCODING=)?QUOTED-PRINTABLE", re.IGNORECASE)
# Properties in which a comma is a comma.
WITHOUT_LISTS = re.compile(r"(?:[\w\-]+\.)?(?:FN|N|NOTE|TITLE|ADR|ORG)\b", re.IGNORECASE)
COMMA = re.compile(r"(?<!\\),")
PICTURE = re.compile(r"(?:[\w\-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)[;:]", re.IGNORECASE)
# A year that a telephone writes where it has none.
NO_YEAR = "1604"
URI = re.compile(r"(?i)^tel:")

logging.getLogger("vobject").setLevel(logging.CRITICAL)  # it would write down the lines that it cannot read


def is_cards(text: str) -> bool:
    """Whether a file begins as cards do."""
    return BEGINS.search(text[:2_000]) is not None


def sheet(text: str) -> Sheet:
    """The cards as a table, one line each; what no card has is no column."""
    headings = ["name", *(f"number_{place}" for place in range(1, MOST_NUMBERS + 1)), *KEYS.values(), "fax"]
    roles = [Role.NAME, *[Role.NUMBER] * MOST_NUMBERS, *(ROLES.get(name, Role.DATA) for name in KEYS), Role.DATA]
    rows = [(line, [UNSTORABLE.sub("", cell) for cell in _cells(card)]) for line, card in _texts(text)]
    used = [at for at in range(len(headings)) if at < 2 or any(cells[at] for _, cells in rows)]
    return Sheet(
        "",
        [(line, [cells[at] for at in used]) for line, cells in rows],
        headings=[headings[at] for at in used],
        roles={place: roles[at] for place, at in enumerate(used)},
    )


def _texts(text: str) -> Iterator[tuple[int, str]]:
    """Each card with the line that it begins at, whether its end is there or not."""
    begun, lines = 0, list[str]()
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        word = line.strip().upper()
        if word.startswith("BEGIN:VCARD"):
            if begun and len(lines) > 1:  # the one before was not ended
                yield begun, "".join([*_properties(lines), "END:VCARD\r\n"])
            begun, lines = number, []
        if begun:
            lines.append(line)
            if word.startswith("END:VCARD"):
                yield begun, "".join(_properties(lines))
                begun = 0
    if begun and len(lines) > 1:
        yield begun, "".join([*_properties(lines), "END:VCARD\r\n"])


def _properties(lines: list[str]) -> Iterator[str]:
    """The lines of a card without pictures, each soft break of Android's mended: no program reads them all."""
    position = 0
    while position < len(lines):
        line = lines[position]
        position += 1
        if QUOTED_PRINTABLE.search(line.partition(":")[0] + ":"):
            pieces = [line]
            while pieces[-1].rstrip("\r\n \t").endswith("=") and position < len(lines):
                pieces[-1] = SOFT_BREAK.sub("", pieces[-1])
                pieces.append(lines[position].lstrip(" \t"))
                position += 1
            line = "".join(pieces)
        if PICTURE.match(line):
            while position < len(lines) and (not lines[position].strip() or not PROPERTY.match(lines[position])):
                position += 1
            continue
        if line.strip():
            yield _plain(line)


def _plain(line: str) -> str:
    """A property with its letters as they are and its commas as what they are: no program agrees on either."""
    head, colon, value = line.rstrip("\r\n").partition(":")
    if colon and QUOTED_PRINTABLE.search(head + ":"):
        stated, raw = CHARSET.search(head), quopri.decodestring(value.encode("latin-1", "ignore"))
        try:
            value = raw.decode(stated[1] if stated else "utf-8")
        except (LookupError, UnicodeDecodeError):  # an encoding that nobody knows, or another than it says
            value = raw.decode("cp1252", errors="replace").replace(UNKNOWN, "?")
        value = value.replace("\r\n", "\n").replace("\n", "\\n")
        head = ENCODING.sub("", head)
    if WITHOUT_LISTS.match(head):
        value = COMMA.sub(r"\\,", value)
    return f"{head}{colon}{value}\r\n"


def _cells(text: str) -> list[str]:
    import vobject

    try:
        card = vobject.readOne(text, ignoreUnreadable=True)
        numbers = _numbers(card)[:MOST_NUMBERS]
        numbers += [""] * (MOST_NUMBERS - len(numbers))
        return [_name(card), *numbers, *(_datum(card, name) for name in KEYS), _fax(card)]
    except INTERRUPTIONS:
        raise
    except Exception:  # what a telephone made of a card; its line is shown as one to correct
        return [""] * (2 + MOST_NUMBERS + len(KEYS))


def _name(card: Any) -> str:
    if hasattr(card, "fn") and str(card.fn.value).strip():
        return " ".join(str(card.fn.value).split())
    name = getattr(card, "n", None)
    written = " ".join(f"{name.value.given} {name.value.family}".split()) if name else ""
    return written or _datum(card, "org")


def _numbers(card: Any) -> list[str]:
    """All numbers of a card but those of a fax: mobiles first."""
    found = []
    for tel in card.contents.get("tel", []):
        stated = [*tel.params.get("TYPE", []), *tel.singletonparams]
        kinds = set(",".join(stated).upper().split(","))
        number = URI.sub("", str(tel.value).strip()).partition(";")[0]
        if "FAX" in kinds:
            continue  # it is kept, see _fax
        is_mobile = bool(mobiles(numbers_in(number)))
        found.append((0 if is_mobile and kinds & {"CELL", "IPHONE", "MOBILE"} else 1 if is_mobile else 2, number))
    return [number for _, number in sorted(found, key=lambda one: one[0])]


def _fax(card: Any) -> str:
    """The number of a fax: with the person, and nothing is sent there."""
    for tel in card.contents.get("tel", []):
        stated = ",".join([*tel.params.get("TYPE", []), *tel.singletonparams])
        if "FAX" in stated.upper().split(","):
            raw = URI.sub("", str(tel.value).strip())
            return next((one.number for one in numbers_in(raw)), raw)
    return ""


def _datum(card: Any, name: str) -> str:
    found = card.contents.get(name)
    if not found:
        return ""
    value = found[0].value
    if name == "org":
        value = ", ".join(part for part in value if part) if isinstance(value, list) else value
    if name == "adr":
        parts = (value.box, value.extended, value.street, value.code, value.city, value.region, value.country)
        value = " ".join(part if isinstance(part, str) else " ".join(part) for part in parts if part)
    if name == "bday" and (found[0].params.get("X-APPLE-OMIT-YEAR") or str(value).startswith(NO_YEAR)):
        value = "-" + str(value)[4:]
    return str(value).strip() if name == "note" else " ".join(str(value).split())
