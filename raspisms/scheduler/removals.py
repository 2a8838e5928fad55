"""What people delete: gone from their lists at once, from the database ten seconds later, unless they take it back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select

from .. import refusals
from ..clock import now
from ..conversations import removal
from ..extensions import db
from ..i18n import N_
from ..models import Action, Contact, Removal, RemovalKind, RemovalTarget
from ..people import contacts, going, groups
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction
from ..team import saved_texts

UNDO_SECONDS = 10
# Whatever was not written down whole by then never will be: a process ended in the middle.
ABANDONED = timedelta(minutes=10)
NEVER = float("inf")
# What the events say of contacts that go.
OF_CONTACTS = {
    RemovalKind.CONTACT: Action.CONTACT_DELETED,
    RemovalKind.CONTACTS: Action.CONTACTS_DELETED,
    RemovalKind.MEMBERS: Action.CONTACTS_DELETED_BY_GROUP,
}


class TooLate(refusals.Refused):
    """It is gone."""

    def __init__(self) -> None:
        super().__init__(N_("Trop tard : c’est déjà supprimé."))


def begin(
    kind: RemovalKind,
    target_ids: Collection[int],
    user_id: int | None,
    *,
    subject: str = "",
    seconds: float = UNDO_SECONDS,
) -> int:
    """Delete these rows in a moment: the id to take that back by.

    What goes already goes once: whoever takes that back gets all of it.
    """
    kinds = going.OF_CONTACTS if kind in OF_CONTACTS else (kind,)
    already = set(db.session.scalars(going.targets(*kinds)))
    ids = [one for one in dict.fromkeys(target_ids) if one not in already]
    if target_ids and not ids:
        pending = select(Removal.id).join(RemovalTarget).where(RemovalTarget.target_id == next(iter(target_ids)))
        found_id = db.session.scalar(pending.where(Removal.kind.in_(kinds)).limit(1))
        if found_id is not None:
            return found_id
    with transaction() as session:
        found = Removal(kind=kind, subject=subject[:100], user_id=user_id, created_at=now())
        session.add(found)
        session.flush()
        removal_id = found.id
    stride, position = Stride(), 0
    while position < len(ids):
        with bulk_step(stride) as (session, rows):
            some = ids[position : position + rows]
            session.execute(insert(RemovalTarget), [{"removal_id": removal_id, "target_id": one} for one in some])
        position += len(some)
    with transaction() as session:
        session.get_one(Removal, removal_id).due_at = now() + timedelta(seconds=seconds)
    return removal_id


def take_back(removal_id: int) -> None:
    """Delete nothing after all. Raises TooLate."""
    with transaction() as session:
        found = session.get(Removal, removal_id)
        if found is None or found.begun:
            raise TooLate
        session.delete(found)


def work() -> float:
    """Do what nobody took back; the seconds until the next is due."""
    for removal_id in list(db.session.scalars(select(Removal.id).where(Removal.due_at <= now()))):
        _do(removal_id)
    with_time = select(func.min(Removal.due_at))
    following: datetime | None = db.session.scalar(with_time)
    return NEVER if following is None else max(0.0, (following - now()).total_seconds())


def _do(removal_id: int) -> None:
    """Delete what is still there; a process that ends in the middle goes on with it after its restart."""
    with transaction() as session:
        found = session.get(Removal, removal_id)
        if found is None:
            return
        found.begun = True
        kind, user_id, subject = found.kind, found.user_id, found.subject
    targets = select(RemovalTarget.target_id).where(RemovalTarget.removal_id == removal_id)
    if kind in OF_CONTACTS:
        contacts.delete_some(Contact.id.in_(targets), user_id, OF_CONTACTS[kind], subject)
    elif kind is RemovalKind.RECEIVED:
        removal.delete_received(list(db.session.scalars(targets)), user_id)
    else:
        remove = groups.remove if kind is RemovalKind.GROUP else saved_texts.remove
        for target_id in list(db.session.scalars(targets)):
            remove(target_id, user_id)
    with transaction() as session:
        if (done := session.get(Removal, removal_id)) is not None:
            session.delete(done)


def tidy() -> None:
    """Forget what was never written down whole."""
    with transaction() as session:
        half = Removal.due_at.is_(None)
        for found in session.scalars(select(Removal).where(half, Removal.created_at < now() - ABANDONED)):
            session.delete(found)
