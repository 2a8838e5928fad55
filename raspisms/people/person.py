"""A person as rules and personal texts see them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from .. import clock
from ..models import Contact

COLUMNS = (
    Contact.id,
    Contact.name,
    Contact.number,
    Contact.data,
    Contact.consent,
    Contact.fault,
    Contact.created_at,
    Contact.updated_at,
)


class Person(NamedTuple):
    """A contact as rules, texts and reports need it: plain values, no row."""

    id: int | None
    name: str
    number: str
    data: Mapping[str, Any]
    consent: str = ""
    fault: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    def metas(self) -> Mapping[str, Any]:
        """What rules and texts read as `contact_metas`."""
        return Metas(self)


class Metas(dict[str, Any]):
    """`contact_metas`: name, number, id, created_at, updated_at; dates are made only when asked for."""

    def __init__(self, person: Person) -> None:
        super().__init__(name=person.name, number=person.number)
        self.person = person

    def __missing__(self, key: str) -> Any:
        if key not in {"id", "created_at", "updated_at"}:
            raise KeyError(key)
        value = getattr(self.person, key)
        if isinstance(value, datetime):
            value = value.astimezone(clock.zone()).replace(tzinfo=None)
        self[key] = value
        return value


def person(contact: Contact) -> Person:
    """The plain values of a contact."""
    return Person(*(getattr(contact, column.key) for column in COLUMNS))
