"""Contacts in lists: found, sorted, counted, named."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select

from .. import pagination
from ..extensions import db
from ..models import Contact, Group, Message, group_contacts
from ..pagination import Order, Page
from ..sms import phone_numbers
from ..sms.folding import fold
from .contacts import CHUNK
from .person import COLUMNS, Person
from .reading.headings import TOWNS, role_of
from .reading.lines import Role

ORDERS: dict[str, Order[Contact]] = {
    "name": Order(Contact.id, Contact.sort_key, descending=False),
    "-name": Order(Contact.id, Contact.sort_key),
    "updated": Order(Contact.id, Contact.updated_at, descending=False, read=pagination.moment),
    "-updated": Order(Contact.id, Contact.updated_at, read=pagination.moment),
    "created": Order(Contact.id, descending=False),
    "-created": Order(Contact.id),
}

HISTORY: Order[Message] = Order(Message.id)


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


def page(which: ColumnElement[bool], after: str | None, size: int, sort: str = "") -> Page[Contact]:
    """The contacts that follow a place, by name unless `sort` is another of ORDERS."""
    _, order = pagination.chosen(ORDERS, sort)
    return pagination.page(select(Contact).where(which), order, after, size)


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


def history(number: str, after: str | None) -> Page[Message]:
    """What was said with a number, newest first."""
    return pagination.page(select(Message).where(Message.number == number), HISTORY, after)


def town_key(keys: Collection[str]) -> str | None:
    """Which of these data is a town, for a list that shows one."""
    return next((key for key in keys if fold(key.replace("_", " ")) in TOWNS), None)


def towns(contacts: Collection[Contact], key: str | None) -> dict[int, str]:
    """The town of each of these contacts (a page of them), however its name is written in their data."""
    wanted = fold(key or "")
    found = ((one.id, name, value) for one in contacts for name, value in one.data.items())
    return {contact_id: value for contact_id, name, value in found if key and fold(name) == wanted}


def groups_by_contact(contact_ids: Collection[int]) -> dict[int, list[str]]:
    """The names of the groups that each of these contacts (a page of them) was put in."""
    query = (
        select(group_contacts.c.contact_id, Group.name)
        .join(Group, Group.id == group_contacts.c.group_id)
        .where(group_contacts.c.contact_id.in_(contact_ids))
        .order_by(Group.name)
    )
    found: dict[int, list[str]] = {}
    for contact_id, name in db.session.execute(query):
        found.setdefault(contact_id, []).append(name)
    return found


def last_exchanges(numbers: Collection[str]) -> dict[str, datetime]:
    """When something was last said with each of these numbers (a page of them)."""
    last = select(func.max(Message.id)).where(Message.number.in_(numbers)).group_by(Message.number)
    rows = db.session.execute(select(Message.number, Message.created_at).where(Message.id.in_(last)))
    return {number: at for number, at in rows}


def exchanged(number: str) -> int:
    """How many messages there are with a number, however it was written: what an erasure takes with it."""
    spellings = phone_numbers.spellings(number)
    return db.session.scalar(select(func.count()).select_from(Message).where(Message.number.in_(spellings))) or 0


def names_of(numbers: Collection[str]) -> dict[str, str]:
    """The name to show for each of these numbers (a page of them); the oldest contact's, if several share it."""
    rows = db.session.execute(
        select(Contact.number, Contact.name)
        .where(Contact.number.in_(numbers), Contact.name != "")
        .order_by(Contact.id.desc())
    )
    return {number: name for number, name in rows}


def known_keys() -> list[str]:
    """Names of data that contacts have, from the latest of them: enough to choose from; one spelling of each."""
    recent = db.session.scalars(select(Contact.data).order_by(Contact.id.desc()).limit(500))
    spelled: dict[str, str] = {}
    for data in recent:
        for key in data:
            spelled.setdefault(fold(key), key)
    return sorted(spelled.values())


def birthday_key(keys: Collection[str]) -> str:
    """Which of these data is a birthday, for an example that works on what is there."""
    return next((key for key in keys if role_of(key.replace("_", " ")) is Role.BIRTHDAY), "birthdate")


def by_ids(ids: Collection[int]) -> ColumnElement[bool]:
    """The condition that names contacts one by one."""
    return or_(Contact.id.in_(ids), Contact.id == -1)
