"""Changing a message's status and keeping the reason, always together."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, insert, literal, select, update
from sqlalchemy.orm import Session

from ..clock import now
from ..live import changes
from ..models import Message, MessageEvent, Status
from ..models.message import WAITING_STATUSES

# A provider's clock may be off, or speak in another zone; a date further away than this is none.
BELIEVED = timedelta(days=2)


def believed(said: datetime | None, arrived: datetime) -> tuple[datetime, datetime | None]:
    """When something happened, and what was said instead where that cannot be true.

    `said` is the provider's date, `arrived` the moment that we were told.
    """
    if said is None:
        return arrived, None
    return (said, None) if abs(said - arrived) <= BELIEVED else (arrived, said)


def add(
    session: Session,
    messages: Iterable[Message],
    status: Status,
    *,
    reason: str | None = None,
    words: str | None = None,
    code: str | None = None,
    at: datetime | None = None,
    user_id: int | None = None,
    journal_id: int | None = None,
    said_at: datetime | None = None,
) -> None:
    """Give every message this status, and one event each that says when and why.

    Call it inside a transaction. `reason` is a sentence for people (a msgid), `words` the provider's own.
    """
    moment = at or now()
    events = [mark(one, status, moment, reason, words, code, user_id, journal_id, said_at) for one in messages]
    write(session, events)


def mark(
    message: Message,
    status: Status,
    moment: datetime,
    reason: str | None = None,
    words: str | None = None,
    code: str | None = None,
    user_id: int | None = None,
    journal_id: int | None = None,
    said_at: datetime | None = None,
) -> dict[str, Any]:
    """Give one message this status; its event, which `write` must be given in the same transaction."""
    is_new = message.status is not status or message.delivered_at is None
    message.status = status
    if status not in WAITING_STATUSES and message.figures_at is None:
        message.figures_at = now()
    if status is Status.SENT and message.sent_at is None:
        message.sent_at = moment
    if status is Status.DELIVERED and is_new:
        message.delivered_at = moment
        message.sent_at = message.sent_at or moment
    return {
        "message_id": message.id,
        "at": moment,
        "status": status,
        "reason": reason,
        "words": words or None,
        "code": code or None,
        "user_id": user_id,
        "journal_id": journal_id,
        "said_at": said_at,
    }


def write(session: Session, events: list[dict[str, Any]]) -> None:
    """Keep what `mark` gave. Call it inside a transaction."""
    if events:
        session.flush()
        session.execute(insert(MessageEvent), events)
        changes.remember(session, "messages", *(event["message_id"] for event in events))


def add_all(
    session: Session,
    which: ColumnElement[bool],
    status: Status,
    *,
    reason: str | None = None,
    words: str | None = None,
    code: str | None = None,
    **values: Any,
) -> int:
    """The same for many messages at once, by the database itself: how many there were.

    `which` is a condition on Message; `values` are other columns to set. Objects that the session held are
    read again when they are next looked at. Call it inside a transaction.
    """
    moment = now()
    events = MessageEvent.__table__.c
    facts = {
        "at": literal(moment, events.at.type),
        "status": literal(status, events.status.type),
        "reason": literal(reason, events.reason.type),
        "words": literal(words or None, events.words.type),
        "code": literal(code or None, events.code.type),
    }
    session.flush()
    rows = select(Message.id, *facts.values()).where(which)
    session.execute(insert(MessageEvent).from_select(["message_id", *facts], rows, include_defaults=False))
    if status is Status.SENT:
        values.setdefault("sent_at", moment)
    if status not in WAITING_STATUSES:
        values.setdefault("figures_at", func.coalesce(Message.figures_at, literal(moment, Message.figures_at.type)))
    changed = session.execute(
        update(Message).where(which).values(status=status, **values), execution_options={"synchronize_session": False}
    )
    session.expire_all()
    changes.remember(session, "messages", *range(-changes.MANY - 1, 0))  # nobody knows which: many
    return int(changed.rowcount)  # type: ignore[attr-defined]


def last_message(session: Session) -> int:
    """The highest id there is. Call inside a transaction."""
    return session.scalar(select(func.max(Message.id))) or 0


def first_events(session: Session, last: int, campaign_id: int, user_id: int | None) -> None:
    """The first event of each message of a campaign that came after `last`. Call inside a transaction."""
    new = select(
        Message.id,
        literal(now(), MessageEvent.at.type),
        literal(Status.QUEUED.value),
        literal(user_id, Message.user_id.type),
    ).where(Message.id > last, Message.campaign_id == campaign_id)
    columns = ["message_id", "at", "status", "user_id"]
    session.execute(insert(MessageEvent).from_select(columns, new, include_defaults=False))
