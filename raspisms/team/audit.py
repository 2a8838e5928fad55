"""Keeping who did what that others may ask about."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..models import AuditEntry
from ..storage.transactions import transaction


def record(session: Session, user_id: int | None, action: str, subject: str = "") -> None:
    """Keep that somebody did this; `subject` holds ids, counts or names of ours. Call inside a transaction."""
    session.add(AuditEntry(user_id=user_id, action=action, subject=subject[:200]))


def note(user_id: int | None, action: str, subject: str = "") -> None:
    """The same, as a transaction of its own."""
    with transaction() as session:
        record(session, user_id, action, subject)
