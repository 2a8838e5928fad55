"""Whom a campaign means: numbers with their data, contacts, groups, a file. Computed when asked."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from flask import current_app
from sqlalchemy import select

from ..extensions import db
from ..models import Contact, ImportLine
from ..people import contact_list, contacts, going, groups, opt_outs
from ..people.person import COLUMNS, Person
from ..sms import phone_numbers as telephone_numbers

IDS_AT_A_TIME = 500
COUNTED = 10_000
COUNT_SECONDS = 20.0


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
    unread: str = ""
    """Of a draft that is being written: what was typed and names nobody yet."""
    is_purpose_chosen: bool = True
    """Whether somebody said what a draft is: information, or advertising."""

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
    place: Place
    is_gone: bool = False
    """A contact that was chosen and is not there any more."""


class Place(NamedTuple):
    """Where somebody stands among all that are meant: what comes later has a greater one."""

    stage: int
    """Contacts, groups, file, typed numbers."""
    key: int
    """The id of the contact or of the line, or the position among typed numbers."""

    def __str__(self) -> str:
        return f"{self.stage}:{self.key}"

    @classmethod
    def of(cls, kept: str | None) -> Place:
        """The place that a campaign keeps as its cursor; before everybody without one."""
        stage, _, key = (kept or "0:0").partition(":")
        return cls(int(stage), int(key))


BEFORE_ALL = Place(0, 0)


def people(targets: Targets, after: Place = BEFORE_ALL) -> Iterator[Wanted]:
    """Everybody after a place, in a fixed order: people with data before bare numbers, so that a repetition loses
    nothing.

    Raises language.Mistake for the rule of a group that cannot be read.
    """
    for stage, step in enumerate((_contacts, _groups, _of_file, _typed)):
        if stage >= after.stage:
            yield from step(targets, after.key if stage == after.stage else 0)


def _contacts(targets: Targets, after: int) -> Iterator[Wanted]:
    """Those who were chosen one by one; who was deleted since is named, so that nobody is left out in silence."""
    chosen = sorted({one for one in targets.contacts if one > after})
    for start in range(0, len(chosen), IDS_AT_A_TIME):
        ids = chosen[start : start + IDS_AT_A_TIME]
        rows = db.session.execute(select(*COLUMNS).where(Contact.id.in_(ids), going.stays())).all()
        known = {row.id: Person(*row) for row in rows}
        for contact_id in ids:
            person = known.get(contact_id)
            if person is not None:
                yield Wanted(person, person.number, Place(0, contact_id))
            else:
                yield Wanted(Person(contact_id, "", "", {}), None, Place(0, contact_id), is_gone=True)


def _groups(targets: Targets, after: int) -> Iterator[Wanted]:
    if not targets.groups:
        return
    chosen = set(targets.contacts)
    for person in groups.members(targets.groups, after):
        if person.id not in chosen:
            yield Wanted(person, person.number, Place(1, person.id or 0))


def _of_file(targets: Targets, after: int) -> Iterator[Wanted]:
    if targets.import_id is None:
        return
    last = after
    while True:
        query = select(ImportLine.id, ImportLine.raw).where(
            ImportLine.import_id == targets.import_id, ImportLine.id > last
        )
        rows = db.session.execute(query.order_by(ImportLine.id).limit(contacts.CHUNK)).all()
        if not rows:
            return
        for line_id, raw in rows:
            yield _written(raw, targets.consent, Place(2, line_id))
        last = rows[-1].id


def _typed(targets: Targets, after: int) -> Iterator[Wanted]:
    for position, raw in enumerate(targets.numbers[after:], start=after + 1):
        yield _written(raw, targets.consent, Place(3, position))


def _written(raw: dict[str, Any], consent: str, place: Place) -> Wanted:
    number, _ = telephone_numbers.read(str(raw["number"]))
    data = contacts.clean_data({str(key): str(value) for key, value in (raw.get("data") or {}).items()})
    name = " ".join(str(raw.get("name") or "").split())[: contacts.NAME_LENGTH]
    if "agreed" in raw:  # the list says it of each person
        consent = str(raw.get("proof") or "") if raw["agreed"] else ""
    return Wanted(Person(None, name, number or str(raw["number"])[:60], data, consent), number, place)


def count(targets: Targets) -> int:
    """How many people there are, each number once: exactly, up to a few thousand; beyond, about.

    While somebody writes, it is asked again and again: an answer is good for some seconds.
    """
    known: dict[str, tuple[int, float]] = current_app.extensions.setdefault("people counted", {})
    key = json.dumps([targets.numbers, targets.contacts, targets.groups, targets.import_id], default=str)
    found, until = known.get(key, (0, 0.0))
    if time.monotonic() < until:
        return found
    numbers = {wanted.number for wanted in itertools.islice(people(targets), COUNTED) if wanted.number}
    if len(numbers) < COUNTED // 2:  # whoever said STOP is not paid for
        found = len(numbers) - len(_silent(numbers))
    else:
        found = max(len(numbers), estimate(targets))
    known.clear()
    known[key] = (found, time.monotonic() + COUNT_SECONDS)
    return found


def _silent(numbers: set[str]) -> set[str]:
    some = sorted(numbers)
    chunks = (some[start : start + IDS_AT_A_TIME] for start in range(0, len(some), IDS_AT_A_TIME))
    found: set[str] = set()
    return found.union(*(opt_outs.silent(db.session(), chunk) for chunk in chunks))


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
        total += contact_list.count(contact_list.matching())
    return total
