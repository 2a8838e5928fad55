"""Contacts going out: CSV and JSON that come back in as they were, and do no harm in a spreadsheet."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from ..csv_files import csv_lines
from .person import Person


def as_csv(people: Iterable[Person]) -> Iterator[str]:
    """One line per contact: name, number, then every datum that anybody has."""
    rows = list(people)
    keys = list(dict.fromkeys(key for person in rows for key in person.data))
    lines = ([person.name, person.number, *(person.data.get(key) for key in keys)] for person in rows)
    return csv_lines(["name", "number", *keys], lines)


def as_json(people: Iterable[Person]) -> Iterator[str]:
    """RaspiSMS's own shape: a list of objects with name, number and data."""
    yield "["
    for position, person in enumerate(people):
        body = {"name": person.name, "number": person.number, "data": dict(person.data)}
        yield (",\n" if position else "\n") + json.dumps(body, ensure_ascii=False)
    yield "\n]\n"
