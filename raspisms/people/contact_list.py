"""Contacts in lists: found, sorted, counted, named."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, true, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from .. import pagination
from ..extensions import db
from ..models import Contact, Message, group_contacts
from ..sms.folding import fold
from .contacts import CHUNK
from .person import COLUMNS, Person

# How the list can be sorted, besides by name: newest change first, and so on.
SORTS = ("-name", "updated", "-updated", "created", "-created")


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
            value = pagination.moment(after[0])
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


def history(number: str, before: int | None, size: int) -> tuple[list[Message], bool]:
    """What was said with a number, newest first, and whether there is more."""
    query = select(Message).where(Message.number == number)
    if before is not None:
        query = query.where(Message.id < before)
    found = list(db.session.scalars(query.order_by(Message.id.desc()).limit(size + 1)))
    return found[:size], len(found) > size


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
