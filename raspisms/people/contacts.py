"""Contacts: checking, saving, finding, deleting, forgetting."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import ColumnElement, and_, delete, func, or_, select, true, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from ..database import bulk_step, now, transaction
from ..extensions import db
from ..finding import listing, search
from ..models import (
    Contact,
    Conversation,
    ImportLine,
    JournalEntry,
    Message,
    MessageEvent,
    Recipient,
    group_contacts,
)
from ..models.contact import fold, new_version, searchable
from ..models.message import FINAL_STATUSES
from ..stride import Stride
from ..texts import numbers as telephone_numbers
from ..words import N_
from . import traces

NAME_LENGTH = 100
KEY_LENGTH = 60
VALUE_LENGTH = 1000
MOST_DATA = 100
# Rows that are read at a time where everybody is gone through.
CHUNK = 2_000


class Invalid(ValueError):
    """What was typed is no contact; `errors` has a sentence (a msgid) for each field."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__(", ".join(errors))
        self.errors = errors


class Conflict(ValueError):
    """Somebody else changed the contact since the page was opened."""


class Gone(ValueError):
    """The contact was deleted since the page was opened."""


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
            value = value.astimezone(ZoneInfo(current_app.config["TIMEZONE"])).replace(tzinfo=None)
        self[key] = value
        return value


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


def person(contact: Contact) -> Person:
    """The plain values of a contact."""
    return Person(*(getattr(contact, column.key) for column in COLUMNS))


def clean_key(raw: str) -> str:
    """The name of a datum as rules and texts can write it: letters, digits, underscores."""
    key = re.sub(r"\W", "", re.sub(r"[\s\-]+", "_", raw.strip()))[:KEY_LENGTH].strip("_")
    return f"_{key}" if key[:1].isdigit() else key


def clean_data(pairs: Mapping[str, str]) -> dict[str, str]:
    """Keys that can be written, values that hold something."""
    cleaned = {clean_key(key): value.replace("\0", "").strip()[:VALUE_LENGTH] for key, value in pairs.items()}
    return {key: value for key, value in cleaned.items() if key and value}


def checked(name: str, number: str, data: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
    """Name, number in E.164 and data, as they will be stored. Raises Invalid."""
    errors = {}
    name = " ".join(name.replace("\0", "").split())
    if len(name) > NAME_LENGTH:
        errors["name"] = N_("Ce nom est trop long : 100 caractères au plus.")
    try:
        number = telephone_numbers.parse(number)
    except telephone_numbers.NotANumber:
        errors["number"] = N_("Ce n’est pas un numéro de téléphone. Exemple : 06 12 34 56 78")
    if len(data) > MOST_DATA:
        errors["data"] = N_("Il y a plus de 100 données : retirez-en.")
    if errors:
        raise Invalid(errors)
    return name, number, clean_data(data)


def write(contact: Contact, name: str, number: str, data: dict[str, str]) -> None:
    """Give a contact checked values. Call inside a transaction."""
    if number != contact.number:
        contact.fault = contact.fault_at = None
    contact.name, contact.number, contact.data = name, number, data
    contact.sort_key = fold(name)[:NAME_LENGTH] or number
    contact.search = searchable(name, number)
    contact.updated_at = now()


def save(
    contact_id: int | None,
    version: str | None,
    name: str,
    number: str,
    data: Mapping[str, str],
    *,
    group_ids: Collection[int] = (),
    consent: str = "",
    origin: str = "",
) -> Contact:
    """Add a contact, or change one whose `version` is still that. Raises Invalid, Conflict, Gone."""
    name, number, kept = checked(name, number, data)
    with transaction() as session:
        if contact_id is None:
            contact = Contact(origin=origin)
        else:
            found = session.get(Contact, contact_id, populate_existing=True)
            if found is None:
                raise Gone
            contact = found
            if contact.version != version:
                raise Conflict
        write(contact, name, number, kept)
        contact.version = new_version()
        consent = consent.replace("\0", "").strip()[:500]
        if consent != (contact.consent or ""):
            contact.consent_at = now() if consent else None
        contact.consent = consent
        session.add(contact)
        session.flush()
        _set_groups(session, contact.id, group_ids)
    return contact


def _set_groups(session: Session, contact_id: int, group_ids: Collection[int]) -> None:
    session.execute(delete(group_contacts).where(group_contacts.c.contact_id == contact_id))
    if group_ids:
        rows = [{"group_id": group_id, "contact_id": contact_id} for group_id in set(group_ids)]
        session.execute(group_contacts.insert(), rows)


def groups_of(contact_id: int) -> set[int]:
    """The groups that a contact was put in."""
    query = select(group_contacts.c.group_id).where(group_contacts.c.contact_id == contact_id)
    return set(db.session.scalars(query))


def matching(words: str = "", group_id: int | None = None, *, faulty: bool = False) -> ColumnElement[bool]:
    """The condition on contacts that a search makes: all its words, a group's own members, numbers to correct."""
    conditions: list[ColumnElement[bool]] = [Contact.id.is_not(None)]
    for word in fold(words.replace("\0", "")).split():
        digits = re.sub(r"[ .\-()]", "", word)
        needle = digits if digits.lstrip("+").isdigit() else word
        conditions.append(Contact.search.contains(needle, autoescape=True))
    if group_id is not None:
        members = select(group_contacts.c.contact_id).where(group_contacts.c.group_id == group_id)
        conditions.append(Contact.id.in_(members))
    if faulty:
        conditions.append(Contact.fault.is_not(None))
    return and_(*conditions)


def spaceless(words: str) -> str:
    """A search for a number, with the spaces that people put between its digits taken out."""
    plain = re.sub(r"[ .\-()]", "", words)
    return plain if plain.lstrip("+").isdigit() else words


# How the list can be sorted, besides by name: newest change first, and so on.
SORTS = ("-name", "updated", "-updated", "created", "-created")


def _order(sort: str) -> tuple[InstrumentedAttribute[Any] | None, bool]:
    """The column of an order (None: the id, which is the order of creation), and whether it goes down."""
    columns: dict[str, InstrumentedAttribute[Any] | None] = {"updated": Contact.updated_at, "created": None}
    return columns.get(sort.removeprefix("-"), Contact.sort_key), sort.startswith("-")


def page(
    which: ColumnElement[bool], after: tuple[str, int] | None, size: int, sort: str = ""
) -> tuple[list[Contact], bool]:
    """The contacts that follow, by name unless `sort` is one of SORTS, and whether there are more."""
    column, down = _order(sort if sort in SORTS else "")
    query = select(Contact).where(which)
    if after is not None:
        query = query.where(_beyond(column, after, down=down))
    keys = [Contact.id] if column is None else [column, Contact.id]
    found = list(db.session.scalars(query.order_by(*(key.desc() if down else key for key in keys)).limit(size + 1)))
    return found[:size], len(found) > size


def _beyond(column: InstrumentedAttribute[Any] | None, after: tuple[str, int], *, down: bool) -> ColumnElement[bool]:
    if column is None:
        return Contact.id < after[1] if down else Contact.id > after[1]
    value: object = after[0]
    if column is Contact.updated_at:
        try:
            value = listing.moment(after[0])
        except ValueError:
            return true()
    keys = tuple_(column, Contact.id)
    return keys < (value, after[1]) if down else keys > (value, after[1])


def place(contact: Contact, sort: str) -> dict[str, Any]:
    """Where the page after this contact begins, for a link."""
    column, _ = _order(sort if sort in SORTS else "")
    if column is None:
        shown = ""
    else:
        shown = contact.updated_at.isoformat() if column is Contact.updated_at else contact.sort_key
    return {"after": shown, "after_id": contact.id}


def count(which: ColumnElement[bool]) -> int:
    """How many contacts there are of a kind."""
    return db.session.scalar(select(func.count()).select_from(Contact).where(which)) or 0


def everybody(which: ColumnElement[bool] | None = None, after: int = 0) -> Iterator[Person]:
    """All contacts of a kind after an id, by id, a chunk at a time."""
    last = after
    while True:
        query = select(*COLUMNS).where(Contact.id > last).order_by(Contact.id).limit(CHUNK)
        if which is not None:
            query = query.where(which)
        rows = db.session.execute(query).all()
        if not rows:
            return
        for row in rows:
            yield Person(*row)
        last = rows[-1].id


def delete_all(which: ColumnElement[bool]) -> int:
    """Remove contacts; the messages stay. How many there were."""
    removed = 0
    for ids in _strides(which):
        with ids as (session, some):  # what refers to them goes or forgets with them: the tables say so
            gone = session.execute(
                delete(Contact).where(Contact.id.in_(some), which).execution_options(synchronize_session=False)
            )
            session.expire_all()
        removed += int(gone.rowcount)  # type: ignore[attr-defined]
    return removed


def change_groups(which: ColumnElement[bool], group_id: int, *, member: bool) -> int:
    """Put contacts into a group, or take them out. How many changed."""
    total = 0
    for ids in _strides(which):
        with ids as (session, some):
            inside = select(group_contacts.c.contact_id).where(
                group_contacts.c.group_id == group_id, group_contacts.c.contact_id.in_(some)
            )
            if member:
                rows = select(db.literal(group_id), Contact.id).where(Contact.id.in_(some), Contact.id.not_in(inside))
                changed = session.execute(group_contacts.insert().from_select(["group_id", "contact_id"], rows))
            else:
                changed = session.execute(
                    delete(group_contacts).where(
                        group_contacts.c.group_id == group_id, group_contacts.c.contact_id.in_(some)
                    )
                )
        total += int(changed.rowcount)  # type: ignore[attr-defined]
    return total


def set_datum(which: ColumnElement[bool], key: str, value: str) -> int:
    """Give many contacts the same datum, or take it from them when `value` is empty. How many changed."""
    key, changed = clean_key(key), 0
    if not key:
        raise Invalid({"key": N_("Donnez un nom à la donnée : des lettres, des chiffres et _.")})
    for ids in _strides(which):
        with ids as (session, some):
            changing = session.scalars(select(Contact).where(Contact.id.in_(some))).all()
            for contact in changing:
                data = {name: held for name, held in contact.data.items() if name != key}
                if value.strip():
                    data[key] = value.strip()[:VALUE_LENGTH]
                if data != contact.data:
                    contact.data, contact.updated_at = data, now()
                    contact.version = new_version()
                    changed += 1
        for contact in changing:  # a hundred thousand of them are not kept for the rest of the request
            db.session.expunge(contact)
    return changed


def _strides(which: ColumnElement[bool]) -> Iterator[AbstractContextManager[tuple[Session, list[int]]]]:
    """Short transactions for all contacts of a kind, each with the ids that it is about."""
    ids, stride = list(db.session.scalars(select(Contact.id).where(which))), Stride()

    @contextmanager
    def step(some: list[int]) -> Iterator[tuple[Session, list[int]]]:
        with bulk_step(stride) as (session, _):
            yield session, some

    position = 0
    while position < len(ids):
        some = ids[position : position + stride.rows]
        position += len(some)
        yield step(some)


def history(number: str, before: int | None, size: int) -> tuple[list[Message], bool]:
    """What was said with a number, newest first, and whether there is more."""
    query = select(Message).where(Message.number == number)
    if before is not None:
        query = query.where(Message.id < before)
    found = list(db.session.scalars(query.order_by(Message.id.desc()).limit(size + 1)))
    return found[:size], len(found) > size


class StillLeaving(ValueError):
    """Something for this person is on its way: it cannot be forgotten yet."""


def erase(session: Session, contact: Contact, found: traces.Traces | None = None) -> None:
    """Forget a person: the contacts with this number and all that was said. Call inside a transaction.

    `found` is what `traces.find` found before, so that nobody waits for the search. An opt-out survives as a digest;
    see receiving.optouts.forget_number. Raises StillLeaving.
    """
    mine = Message.number == contact.number
    if session.scalar(select(Message.id).where(mine, Message.status.not_in([*FINAL_STATUSES, "sent", "unknown"]))):
        raise StillLeaving
    messages = select(Message.id).where(mine)
    search.forget(session, list(session.scalars(select(Message).where(mine))))
    session.execute(delete(Conversation).where(Conversation.number == contact.number))
    session.execute(update(Message).where(Message.reply_to_id.in_(messages)).values(reply_to_id=None))
    told = select(MessageEvent.journal_id).where(MessageEvent.message_id.in_(messages))
    traces.wipe_journal(session, JournalEntry.id.in_(told))
    traces.forget(session, contact.number, found or traces.find(contact.number))
    session.execute(delete(MessageEvent).where(MessageEvent.message_id.in_(messages)))
    session.execute(delete(Message).where(mine))
    same = select(Contact.id).where(Contact.number == contact.number)
    session.execute(delete(Recipient).where(Recipient.number == contact.number))
    session.execute(
        delete(ImportLine).where((ImportLine.number == contact.number) | ImportLine.contact_id.in_(same)),
        execution_options={"synchronize_session": False},
    )
    session.execute(delete(group_contacts).where(group_contacts.c.contact_id.in_(same)))
    session.execute(delete(Contact).where(Contact.number == contact.number))
    session.expire_all()


def names_of(numbers: Collection[str]) -> dict[str, str]:
    """The name to show for each of these numbers (a page of them); the oldest contact's, if several share it."""
    rows = db.session.execute(
        select(Contact.number, Contact.name)
        .where(Contact.number.in_(numbers), Contact.name != "")
        .order_by(Contact.id.desc())
    )
    return {number: name for number, name in rows}


def known_keys() -> list[str]:
    """Names of data that contacts have, from the latest of them: enough to choose from."""
    recent = db.session.scalars(select(Contact.data).order_by(Contact.id.desc()).limit(500))
    return sorted({key for data in recent for key in data})


def by_ids(ids: Collection[int]) -> ColumnElement[bool]:
    """The condition that names contacts one by one."""
    return or_(Contact.id.in_(ids), Contact.id == -1)
