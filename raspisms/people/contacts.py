"""Contacts: checking, saving, deleting."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import ColumnElement, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import Session

from .. import refusals
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..models import (
    Action,
    Contact,
    group_contacts,
)
from ..models.contact import new_version, searchable
from ..sms import phone_numbers as telephone_numbers
from ..sms.folding import composed, fold
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction
from ..team import audit

NAME_LENGTH = 100
KEY_LENGTH = 60
VALUE_LENGTH = 1000
MOST_DATA = 100
# Rows that are read at a time where everybody is gone through.
CHUNK = 2_000


class Invalid(refusals.Invalid):
    """What was typed is no contact."""


class Conflict(ValueError):
    """Somebody else changed the contact since the page was opened."""


class Gone(ValueError):
    """The contact was deleted since the page was opened."""


def clean_key(raw: str) -> str:
    """The name of a datum as rules and texts can write it: letters, digits, underscores."""
    key = re.sub(r"\W", "", re.sub(r"[\s\-]+", "_", composed(raw).strip()))[:KEY_LENGTH].strip("_")
    return f"_{key}" if key[:1].isdigit() else key


def clean_data(pairs: Mapping[str, str]) -> dict[str, str]:
    """Keys that can be written, values that hold something."""
    cleaned = {clean_key(key): composed(value.replace("\0", "")).strip()[:VALUE_LENGTH] for key, value in pairs.items()}
    return {key: value for key, value in cleaned.items() if key and value}


def checked(name: str, number: str, data: Mapping[str, str]) -> tuple[str, str, dict[str, str]]:
    """Name, number in E.164 and data, as they will be stored. Raises Invalid."""
    errors = {}
    name = " ".join(composed(name.replace("\0", "")).split())
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
    user_id: int | None = None,
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
        if contact_id is None:
            audit.record(session, user_id, Action.CONTACT_ADDED, f"contact {contact.id}")
    return contact


def _set_groups(session: Session, contact_id: int, group_ids: Collection[int]) -> None:
    session.execute(sql_delete(group_contacts).where(group_contacts.c.contact_id == contact_id))
    if group_ids:
        rows = [{"group_id": group_id, "contact_id": contact_id} for group_id in set(group_ids)]
        session.execute(group_contacts.insert(), rows)


def groups_of(contact_id: int) -> set[int]:
    """The groups that a contact was put in."""
    query = select(group_contacts.c.group_id).where(group_contacts.c.contact_id == contact_id)
    return set(db.session.scalars(query))


def confirm_number(contact_id: int) -> bool:
    """The number is right after all, a person says; False when the contact is gone."""
    with transaction() as session:
        contact = session.get(Contact, contact_id)
        if contact is not None:
            contact.fault = contact.fault_at = None
    return contact is not None


def delete_some(
    which: ColumnElement[bool],
    user_id: int | None = None,
    action: Action = Action.CONTACTS_DELETED,
    subject: str = "",
) -> int:
    """Remove contacts, not their messages, in short transactions that each say how many went. How many there were."""
    removed = 0
    for ids in _strides(which):
        with ids as (session, some):  # what refers to them goes or forgets with them: the tables say so
            found = session.execute(
                sql_delete(Contact).where(Contact.id.in_(some), which).execution_options(synchronize_session=False)
            )
            session.expire_all()
            gone = int(found.rowcount)  # type: ignore[attr-defined]
            if gone:
                audit.record(
                    session, user_id, action, f"{subject}, {gone}" if subject and gone > 1 else subject or gone
                )
        removed += gone
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
                    sql_delete(group_contacts).where(
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
                same = next((name for name in contact.data if fold(name) == fold(key)), key)
                data = {name: held for name, held in contact.data.items() if name != same}
                if value.strip():
                    data[same] = value.strip()[:VALUE_LENGTH]
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
