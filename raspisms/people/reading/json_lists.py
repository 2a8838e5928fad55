"""Lists in JSON: RaspiSMS's export, and what other programs write, whatever their keys are called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...i18n import N_
from ...sms.folding import fold
from .encodings import UNSTORABLE
from .lines import Sheet, Unreadable
from .workbooks import cell

# How deep a list of people may lie, and data within a person.
DEEPEST = 4
MOST_KEYS = 200
# Objects whose keys are the person's own: RaspiSMS's `data`.
OF_THE_PERSON = frozenset({"data", "datas", "metas", "donnees", "fields", "champs", "attributes"})
BAD = N_("Ce fichier JSON est mal formé.")


def is_json(text: str) -> bool:
    """Whether a file begins as JSON does."""
    return text.lstrip("\ufeff \t\r\n")[:1] in ("[", "{")


def sheet(text: str) -> Sheet:
    """The people of a file as a table, a column for each key. Raises Unreadable."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(BAD, getattr(error, "lineno", None)) from error
    headings: list[str] = []
    places: dict[str, int] = {}
    rows = []
    for number, person in enumerate(_people(content), start=1):
        cells: dict[int, str] = {}
        for key, value in _pairs(person) if isinstance(person, dict) else ():
            place = places.get(fold(key))
            if place is None and len(places) < MOST_KEYS:
                place = places[fold(key)] = len(headings)
                headings.append(key)
            if place is not None and value and not cells.get(place):
                cells[place] = value
        if cells or not isinstance(person, dict):
            rows.append((number, [cells.get(at, "") for at in range(len(headings))]))
    return Sheet("", rows, headings=headings)


def _people(content: Any) -> list[Any]:
    """The list of people: at the top or within; an object that is none of these is one person."""
    level = [content]
    for _ in range(DEEPEST):
        for one in level:
            if isinstance(one, list) and any(isinstance(person, dict) for person in one):
                return one
        level = [value for one in level if isinstance(one, dict) for value in one.values()]
    if isinstance(content, dict):
        return [content]
    return content if isinstance(content, list) else []


def _pairs(person: dict[str, Any], before: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Keys and values; what lies within is named after where it lies."""
    for raw_key, value in person.items():
        key = UNSTORABLE.sub("", str(raw_key))
        is_own = fold(key) in OF_THE_PERSON
        if is_own and isinstance(value, str):
            value = _object(value)
        name = before if is_own else f"{before} {key}".strip()
        if isinstance(value, dict):
            if depth < DEEPEST:
                yield from _pairs(value, name, depth + 1)
        elif isinstance(value, list):
            numbered = {str(place): one for place, one in enumerate(value[:20], start=1)}
            if depth < DEEPEST:
                yield from _pairs(numbered, name, depth + 1)
        elif name:
            yield name, UNSTORABLE.sub("", cell(value))


def _object(text: str) -> Any:
    """The hash that a text is, if it is one."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
