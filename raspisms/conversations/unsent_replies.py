"""Answers begun and not sent: kept, shown to colleagues, given back."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..clock import now
from ..extensions import db
from ..models import Conversation, ReplyDraft
from ..storage.transactions import transaction

DRAFT_LENGTH = 5_000


def draft_of(conversation_id: int, user_id: int) -> str:
    """What somebody began to write there."""
    return (
        db.session.scalar(
            select(ReplyDraft.text).where(ReplyDraft.conversation_id == conversation_id, ReplyDraft.user_id == user_id)
        )
        or ""
    )


def keep_draft(conversation_id: int, user_id: int, text: str, key: str = "") -> bool:
    """Keep what somebody began to write in the form with this key.

    False when that form was sent meanwhile: a draft that comes late must not bring back what has left.
    """
    text = text.replace("\r\n", "\n").replace("\0", "")[:DRAFT_LENGTH]
    with transaction() as session:
        kept = _draft(session, conversation_id, user_id)
        if key and kept.sent_key == key:
            return False
        kept.text, kept.updated_at = text, now()
        return True


def sent(conversation_id: int, user_id: int, key: str) -> None:
    """The form with this key was sent: nothing is left of its draft."""
    with transaction() as session:
        kept = _draft(session, conversation_id, user_id)
        kept.text, kept.sent_key, kept.updated_at = "", key[:40], now()


def give_back(conversation_id: int, user_id: int, text: str) -> None:
    """A text that was called back is a draft again, above whatever was begun since."""
    with transaction() as session:
        kept = _draft(session, conversation_id, user_id)
        begun = kept.text.strip()
        kept.text = text if not begun or begun == text.strip() else f"{text}\n\n{kept.text}"
        kept.updated_at = now()


def _draft(session: Session, conversation_id: int, user_id: int) -> ReplyDraft:
    session.get_one(Conversation, conversation_id)
    kept = session.get(ReplyDraft, (conversation_id, user_id))
    if kept is None:
        kept = ReplyDraft(conversation_id=conversation_id, user_id=user_id, text="", sent_key="")
        session.add(kept)
    return kept
