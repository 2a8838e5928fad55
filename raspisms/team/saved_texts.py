"""Saved texts ("modèles"): what the team writes often."""

from __future__ import annotations

from sqlalchemy import select

from ..clock import now
from ..extensions import db
from ..models import SavedText
from ..storage.transactions import transaction


def everything() -> list[SavedText]:
    """All of them, by name."""
    return list(db.session.scalars(select(SavedText).order_by(SavedText.name)))


def is_taken(name: str, except_id: int | None) -> bool:
    """Whether another one has this name."""
    same = db.session.scalar(select(SavedText.id).where(SavedText.name == name))
    return same is not None and same != except_id


def save(text_id: int | None, name: str, text: str) -> None:
    """Add or change one; one that was deleted meanwhile is added again."""
    with transaction() as session:
        kept = (session.get(SavedText, text_id) if text_id is not None else None) or SavedText()
        kept.name, kept.text, kept.updated_at = name, text, now()
        session.add(kept)


def remove(text_id: int, user_id: int | None) -> None:
    """Delete one, if it is still there."""
    with transaction() as session:
        if (found := session.get(SavedText, text_id)) is not None:
            session.delete(found)
