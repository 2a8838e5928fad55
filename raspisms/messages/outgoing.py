"""The one maker of outgoing messages: whatever the way in, a row is made here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from ..models import Direction, Lane, Message, Status
from ..models.message import batch_key
from ..sms import segments
from ..sms.folding import composed
from ..sms.purposes import Purpose
from .history import add, first_events, last_message


def common(
    phone_id: int,
    lane: Lane,
    *,
    purpose: Purpose = Purpose.INFORMATION,
    expires_at: datetime | None = None,
    held_until: datetime | None = None,
    user_id: int | None = None,
    campaign_id: int | None = None,
    reply_to_id: int | None = None,
    tag: str | None = None,
) -> dict[str, Any]:
    """The columns that all messages of one posting share; until `held_until` it can be called back."""
    return {
        "direction": Direction.OUT,
        "phone_id": phone_id,
        "lane": lane,
        "status": Status.HELD if held_until else Status.QUEUED,
        "held_until": held_until,
        "purpose": purpose,
        "expires_at": expires_at,
        "user_id": user_id,
        "campaign_id": campaign_id,
        "reply_to_id": reply_to_id,
        "tag": tag,
    }


def clean(text: str) -> str:
    """A text as it is sent: line ends as telephones have them, accents composed, nothing that no database takes."""
    return composed(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))


def with_text(row: Mapping[str, Any], text: str, parts: int | None = None) -> dict[str, Any]:
    """The same with a text, and all that follows from it; `parts` when they are counted already."""
    text = clean(text)
    return {
        **row,
        "text": text,
        "parts": segments.count(text).parts if parts is None else parts,
        "batch_key": batch_key(text, row["purpose"], row["expires_at"]),
    }


def post(session: Session, rows: Iterable[Mapping[str, Any]]) -> list[Message]:
    """Messages of these columns, each with its first event. Call inside a transaction."""
    messages = [Message(**row) for row in rows]
    session.add_all(messages)
    session.flush()
    for user_id in dict.fromkeys(message.user_id for message in messages):
        own = [message for message in messages if message.user_id == user_id]
        add(session, own, own[0].status, user_id=user_id)
    return messages


def post_many(session: Session, rows: list[dict[str, Any]]) -> None:
    """The same for a chunk of one campaign, which may have thousands: nothing of them is held in memory.

    Call inside a transaction.
    """
    if not rows:
        return
    last = last_message(session)
    session.execute(insert(Message), rows)
    first_events(session, last, rows[0]["campaign_id"], rows[0]["user_id"])
