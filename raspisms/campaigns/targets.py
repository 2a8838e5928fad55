"""Whom a campaign means: numbers with their data, contacts, groups, a file. Computed when asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import select

from ..extensions import db
from ..models import Contact, ImportLine
from ..people import contacts, groups
from ..people.contacts import Person
from ..texts import numbers as telephone_numbers

IDS_AT_A_TIME = 500


@dataclass
class Targets:
    """What somebody chose; kept with the campaign as JSON."""

    numbers: list[dict[str, Any]] = field(default_factory=list)
    """Typed or pasted: `number` as written, `name`, `data`."""
    contacts: list[int] = field(default_factory=list)
    groups: list[int] = field(default_factory=list)
    import_id: int | None = None
    """A file: its lines are those of an import that need not be applied."""
    file_name: str = ""
    consent: str = ""
    """The proof that typed numbers and those of the file agreed to advertising."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any] | None) -> Targets:
        """What a campaign holds."""
        return cls(**{key: value for key, value in (stored or {}).items() if key in cls.__dataclass_fields__})

    @property
    def is_empty(self) -> bool:
        return not (self.numbers or self.contacts or self.groups or self.import_id)


@dataclass(frozen=True)
class Wanted:
    """Somebody whom the campaign means: the number as written when it is none."""

    person: Person
    number: str | None
    """E.164, or None."""


def people(targets: Targets) -> Iterator[Wanted]:
    """Everybody, in a fixed order: people with data before bare numbers, so that a repetition loses nothing.

    Raises language.Mistake for the rule of a group that cannot be read.
    """
    yield from _chosen(targets)
    yield from _of_file(targets)
    yield from _typed(targets)


def _chosen(targets: Targets) -> Iterator[Wanted]:
    seen: set[int | None] = set()
    for start in range(0, len(targets.contacts), IDS_AT_A_TIME):
        ids = targets.contacts[start : start + IDS_AT_A_TIME]
        for row in db.session.execute(select(*contacts.COLUMNS).where(Contact.id.in_(ids)).order_by(Contact.id)).all():
            person = Person(*row)
            if person.id not in seen:
                seen.add(person.id)
                yield Wanted(person, person.number)
    if targets.groups:
        for person in groups.members(targets.groups):
            if person.id not in seen:
                seen.add(person.id)
                yield Wanted(person, person.number)


def _of_file(targets: Targets) -> Iterator[Wanted]:
    if targets.import_id is None:
        return
    last = 0
    while True:
        query = select(ImportLine.id, ImportLine.raw).where(
            ImportLine.import_id == targets.import_id, ImportLine.id > last
        )
        rows = db.session.execute(query.order_by(ImportLine.id).limit(contacts.CHUNK)).all()
        if not rows:
            return
        for _, raw in rows:
            yield _written(raw, targets.consent)
        last = rows[-1].id


def _typed(targets: Targets) -> Iterator[Wanted]:
    for raw in targets.numbers:
        yield _written(raw, targets.consent)


def _written(raw: dict[str, Any], consent: str) -> Wanted:
    number, _ = telephone_numbers.read(str(raw["number"]))
    data = contacts.clean_data({str(key): str(value) for key, value in (raw.get("data") or {}).items()})
    name = " ".join(str(raw.get("name") or "").split())[: contacts.NAME_LENGTH]
    return Wanted(Person(None, name, number or str(raw["number"])[:60], data, consent), number)


def estimate(targets: Targets) -> int:
    """About how many people there will be, for a progress bar: conditional groups count as everybody."""
    total = len(targets.numbers) + len(targets.contacts)
    if targets.import_id:
        total += (
            db.session.scalar(
                select(db.func.count()).select_from(ImportLine).where(ImportLine.import_id == targets.import_id)
            )
            or 0
        )
    if targets.groups:
        total += contacts.count(contacts.matching())
    return total
