"""Keeping who did what that others may ask about: written by the verb itself, in its transaction."""

from __future__ import annotations

from sqlalchemy.orm import Session

from ..models import Action, AuditEntry


def record(session: Session, user_id: int | None, action: Action, subject: object = "") -> None:
    """Keep that somebody did this; `subject` holds ids, counts or names of ours. Call inside a transaction."""
    session.add(AuditEntry(user_id=user_id, action=action.value, subject=str(subject)[:200]))
