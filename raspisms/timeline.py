"""Changing a message's status and keeping the reason, always together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert
from sqlalchemy.orm import Session

from .database import now
from .models import Message, MessageEvent, Status


def note(
    session: Session,
    messages: Iterable[Message],
    status: Status,
    *,
    reason: str | None = None,
    words: str | None = None,
    code: str | None = None,
    at: datetime | None = None,
    user_id: int | None = None,
) -> None:
    """Give every message this status, and one event each that says when and why.

    Call it inside a transaction. `reason` is a sentence for people (a msgid), `words` the provider's own.
    """
    moment = at or now()
    rows = []
    for message in messages:
        message.status = status
        if status is Status.SENT and message.sent_at is None:
            message.sent_at = moment
        if status is Status.DELIVERED:
            message.delivered_at = moment
            message.sent_at = message.sent_at or moment
        rows.append(
            {
                "message_id": message.id,
                "at": moment,
                "status": status,
                "reason": reason,
                "words": words or None,
                "code": code or None,
                "user_id": user_id,
            }
        )
    if rows:
        session.flush()
        session.execute(insert(MessageEvent), rows)
