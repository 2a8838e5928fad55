"""Lists in JSON: RaspiSMS's export, and what other programs write, whatever their keys are called."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ...i18n import N_
from ...sms.folding import fold
from ...sms.numbers_in_text import numbers_in
from .encodings import UNSTORABLE
from .lines import Row, Sheet, Unreadable
from .workbooks import cell

# How deep a list of people may lie, and data within a person.
DEEPEST = 4
MOST_KEYS = 200
# So many of a list are looked at to know whether they are people.
LOOKED_AT = 50
# Objects whose keys are the person's own: RaspiSMS's `data`.
OF_THE_PERSON = frozenset({"data", "datas", "metas", "donnees", "fields", "champs", "attributes"})
# What precedes the end of a list in files that somebody wrote by hand.
LAST_COMMA = re.compile(r",(?=\s*[\]}])")
BAD = N_("Ce fichier JSON est mal formé.")


def is_json(text: str) -> bool:
    """Whether a file begins as JSON does."""
    return re.match(r"\ufeff?\s*(?:\[\s*(?:[\[{\"\]]|$)|\{\s*(?:\"|\}|$))", text) is not None


def as_lines(text: str) -> str | None:
    """The text of a list of texts, line by line; None for any other list."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return "\n".join(" ".join(line.split()) for line in content) if _is_all(content, str) else None


def sheet(text: str) -> Sheet:
    """The people of a file as a table, a column for each key. Raises Unreadable."""
    content = _content(text)
    rows = _rows_of_lists(content)
    return rows if rows is not None else _table(_people(content))


def _content(text: str) -> Any:
    """What the file says, be it a value on each line, or with a comma too many."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise Unreadable(BAD) from error
    except ValueError as error:
        wrong = error
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(LAST_COMMA.sub("", text))
    except (ValueError, RecursionError):
        raise Unreadable(BAD, getattr(wrong, "lineno", None)) from wrong


def _table(people: list[Any]) -> Sheet:
    headings: list[str] = []
    places: dict[str, int] = {}
    rows: list[Row] = []
    for number, person in enumerate(people, start=1):
        cells: dict[int, str] = {}
        pairs = _pairs(person) if isinstance(person, dict) else [("", cell(person))] if person else []
        for key, value in pairs:
            place = places.get(fold(key))
            if place is None and len(places) < MOST_KEYS:
                place = places[fold(key)] = len(headings)
                headings.append(key)
            if place is not None and value and not cells.get(place):
                cells[place] = value
        if cells or not isinstance(person, dict):
            rows.append((number, [cells.get(at, "") for at in range(len(headings))]))
    return Sheet("", rows, headings=headings)


# -- where the people are -------------------------------------------------------------------------------------------


def _rows_of_lists(content: Any) -> Sheet | None:
    """A table as a list of lists; its titles beside it, if they are."""
    found = next((one for one in _within(content) if _is_all(one, list)), None)
    if found is None or any(_has_number(one) for one in _lists_of_objects(content)):
        return None
    rows = [(number, [UNSTORABLE.sub("", cell(value)) for value in row]) for number, row in enumerate(found, start=1)]
    titles = next((one for one in _within(content) if one not in found and _is_all(one, str)), None)
    return Sheet("", rows, headings=[str(title) for title in titles] if titles else None)


def _people(content: Any) -> list[Any]:
    """The list with most people on it, wherever it lies; without one, whatever is there."""
    lists = _lists_of_objects(content)
    best = max(lists, key=_people_on, default=[])
    if _people_on(best):
        return best
    if isinstance(content, dict) and (named := _named_numbers(content)):
        return named
    if lists:
        return lists[0]
    return [content] if isinstance(content, dict) else content if isinstance(content, list) else []


def _within(content: Any) -> Iterator[Any]:
    """All values, the outer ones first."""
    level = [content]
    for _ in range(DEEPEST):
        yield from level
        level = [value for one in level for value in _values(one)]


def _values(one: Any) -> list[Any]:
    return list(one.values()) if isinstance(one, dict) else one if isinstance(one, list) else []


def _lists_of_objects(content: Any) -> list[list[Any]]:
    """Lists of objects, those of one kind joined; an object of objects is a list of them."""
    found: list[list[Any]] = []
    level: list[tuple[str, Any]] = [("", content)]
    for _ in range(DEEPEST):
        by_name: dict[str, list[Any]] = {}
        for name, one in level:
            values = _values(one)
            if _holds_objects(one, values):
                by_name.setdefault(name, []).extend(values)
        found += by_name.values()
        level = [pair for _, one in level for pair in _named_values(one)]
    return found


def _holds_objects(one: Any, values: list[Any]) -> bool:
    if isinstance(one, list):
        return any(isinstance(value, dict) for value in values)
    return len(values) > 1 and all(isinstance(value, dict) for value in values)


def _named_values(one: Any) -> list[tuple[str, Any]]:
    if isinstance(one, dict):
        return [(str(key), value) for key, value in one.items()]
    return [("", value) for value in one] if isinstance(one, list) else []


def _is_all(one: Any, kind: type) -> bool:
    return isinstance(one, list) and bool(one) and all(isinstance(value, kind) for value in one)


def _people_on(some: list[Any]) -> int:
    """How many of a list have a telephone number of their own, in all of it as in its beginning."""
    with_number = sum(1 for one in some[:LOOKED_AT] if isinstance(one, dict) and _has_number_of_its_own(one))
    return with_number * max(1, len(some) // LOOKED_AT)


def _has_number_of_its_own(person: dict[str, Any]) -> bool:
    """Not one of somebody in a list within."""
    plain = {key: value for key, value in person.items() if not _is_all(value, dict)}
    return any(numbers_in(value[:200]) for _, value in _pairs(plain))


def _has_number(some: list[Any]) -> bool:
    return bool(_people_on(some))


def _named_numbers(content: dict[str, Any]) -> list[dict[str, str]]:
    """{"Léa": "06…"} and {"06…": "Léa"}: an entry for each person."""
    pairs = [(str(key), cell(value)) for key, value in content.items() if not isinstance(value, (dict, list))]
    if len(pairs) < len(content):
        return []
    if all(numbers_in(value) for _, value in pairs):
        return [{"name": key, "number": value} for key, value in pairs]
    if all(numbers_in(key) for key, _ in pairs):
        return [{"name": value, "number": key} for key, value in pairs]
    return []


# -- a person -------------------------------------------------------------------------------------------------------


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
