"""What was deleted a moment ago, and may still come back: lists and searches do not show it any more."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, delete, select
from sqlalchemy.orm import Session

from ..extensions import db
from ..models import Contact, Removal, RemovalKind, RemovalTarget
from ..storage.transactions import transaction

OF_CONTACTS = (RemovalKind.CONTACT, RemovalKind.CONTACTS, RemovalKind.MEMBERS)


def stays() -> ColumnElement[bool]:
    """The condition on contacts that lists show."""
    return Contact.id.not_in(targets(*OF_CONTACTS))


def of(kind: RemovalKind) -> set[int]:
    """The ids of what goes; for kinds of which there are few."""
    return set(db.session.scalars(targets(kind)))


def targets(*kinds: RemovalKind) -> Select[int]:
    """The ids of what goes, to be asked within another question."""
    joined = select(RemovalTarget.target_id).join(Removal, Removal.id == RemovalTarget.removal_id)
    return joined.where(Removal.kind.in_(kinds))


def spare(target_id: int, *kinds: RemovalKind) -> None:
    """Keep one of them: somebody has just changed what another deleted a moment ago."""
    with transaction() as session:
        keep(session, [target_id], *kinds)


def keep(session: Session, target_ids: Collection[int], *kinds: RemovalKind) -> None:
    """The same for some of them (a few hundred). Call inside a transaction."""
    mine = select(Removal.id).where(Removal.kind.in_(kinds), Removal.begun.is_(False))
    gone = delete(RemovalTarget).where(RemovalTarget.target_id.in_(target_ids), RemovalTarget.removal_id.in_(mine))
    session.execute(gone, execution_options={"synchronize_session": False})
