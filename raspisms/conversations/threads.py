"""Threads: what was said, a page at a time, and up to where it was read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ..clock import now
from ..extensions import db
from ..live import changes
from ..models import Conversation, Direction, Message, Note, Status
from ..storage.transactions import transaction
from .counting import NO_ANSWER, between, of, recount, recount_of

PAGE = 40
# So many are marked as read in one transaction.
READ_TOGETHER = 100
# A page that stays open for long begins anew beyond so many messages.
MOST_SHOWN = 400


@dataclass(frozen=True)
class Thread:
    """A stretch of a conversation, the oldest first."""

    items: list[Message | Note]
    before: int | None
    """The id of the message that earlier ones come before; None at the beginning."""
    newest_id: int
    """The newest message of all, 0 without any."""


def thread(conversation: Conversation, before: int | None = None, since: int | None = None) -> Thread:
    """The newest messages of a conversation, or those before one of them, with the notes between them.

    With `since`, from that message on: a page that shows them asks for them again, and for what is new.
    """
    query, size = select(Message).where(between(conversation)), PAGE
    if before:
        query = query.where(Message.id < before)
    elif since:
        size = max(PAGE, min(MOST_SHOWN, _count_since(conversation, since)))
    found = list(db.session.scalars(query.order_by(Message.id.desc()).limit(size + 1)))
    shown = found[:size][::-1]
    following = db.session.get(Message, before) if before else None
    notes = _notes(conversation, shown, following, is_oldest=len(found) <= size)
    items = _interleaved(shown, notes)
    newest = db.session.scalar(select(func.max(Message.id)).where(between(conversation)))
    return Thread(items, shown[0].id if len(found) > size else None, newest or 0)


def _count_since(conversation: Conversation, since: int) -> int:
    query = select(func.count()).select_from(Message)
    return db.session.scalar(query.where(between(conversation), Message.id >= since)) or 0


def _interleaved(shown: list[Message], notes: list[Note]) -> list[Message | Note]:
    """Messages in the order in which they came to us, whatever a provider's clock says, and each note in its place."""
    items: list[Message | Note] = []
    waiting = sorted(notes, key=lambda one: (one.at, one.id))
    for message in shown:
        while waiting and waiting[0].at < message.created_at:
            items.append(waiting.pop(0))
        items.append(message)
    return [*items, *waiting]


def _notes(
    conversation: Conversation, shown: list[Message], following: Message | None, *, is_oldest: bool
) -> list[Note]:
    """The notes from the first message that is shown up to the one that follows the last."""
    query = select(Note).where(Note.conversation_id == conversation.id)
    if shown and not is_oldest:
        query = query.where(Note.at >= shown[0].created_at)
    if following is not None:
        query = query.where(Note.at < following.created_at)
    return list(db.session.scalars(query.order_by(Note.id.desc()).limit(PAGE)))


def mark_read(conversation_id: int, up_to: int) -> None:
    """Everything up to the message that somebody saw is read."""
    with transaction() as session:
        conversation = session.get(Conversation, conversation_id)
        if conversation is not None and conversation.unread:
            read_up_to(session, conversation, up_to)


def read_up_to(session: Session, conversation: Conversation, seen: int) -> None:
    """The same, inside a transaction."""
    session.execute(
        update(Message)
        .where(between(conversation), Message.direction == Direction.IN)
        .where(Message.read_at.is_(None), Message.id <= seen)
        .values(read_at=now())
    )
    recount(session, conversation)


def has_received_since(session: Session, conversation: Conversation, seen: int) -> bool:
    """Whether the person wrote after the message `seen`. Call inside a transaction."""
    later = select(Message.id).where(between(conversation), Message.direction == Direction.IN, Message.id > seen)
    return session.scalar(later.limit(1)) is not None


def mark(session: Session, message_ids: Iterable[int], *, read: bool) -> int:
    """These received messages are read, or not: how many were changed. Call inside a transaction."""
    found = list(
        session.scalars(
            select(Message).where(
                Message.id.in_(list(message_ids)),
                Message.direction == Direction.IN,
                Message.read_at.is_(None) if read else Message.read_at.is_not(None),
            )
        )
    )
    for message in found:
        message.read_at = now() if read else None
    recount_of(session, {(message.phone_id, message.number) for message in found})
    changes.remember(session, "messages", *(message.id for message in found))
    return len(found)


def mark_all(message_ids: Iterable[int], *, read: bool) -> None:
    """The same, as a transaction of its own."""
    with transaction() as session:
        mark(session, message_ids, read=read)


def mark_read_up_to(seen: int) -> None:
    """Everything up to the newest message that a person saw is read; a few at a time, since others write meanwhile."""
    unread = select(Message.id).where(Message.direction == Direction.IN, Message.read_at.is_(None), Message.id <= seen)
    while ids := list(db.session.scalars(unread.order_by(Message.id).limit(READ_TOGETHER))):
        mark_all(ids, read=True)


def begin(phone_id: int, number: str, at: datetime) -> int:
    """The conversation of a phone with a number whose messages are older than conversations are: its id."""
    with transaction() as session:
        conversation = of(session, phone_id, number, at)
        recount(session, conversation)
        return conversation.id


def answer_since(session: Session, conversation: Conversation, seen: int, user_id: int) -> Message | None:
    """A colleague's answer that came after the message `seen` and after whatever the person wrote last.

    What somebody must know before they send a second one. Call inside the transaction that would send it.
    """
    mine = between(conversation)
    last_in = session.scalar(select(func.max(Message.id)).where(mine, Message.direction == Direction.IN)) or 0
    return session.scalar(
        select(Message)
        .where(mine, Message.direction == Direction.OUT, Message.campaign_id.is_(None))
        .where(Message.id > max(seen, last_in), Message.user_id.is_not(None), Message.user_id != user_id)
        .where(Message.status.not_in(NO_ANSWER))
        .order_by(Message.id.desc())
        .limit(1)
    )


def last_received(conversation: Conversation) -> Message | None:
    """What the person wrote last."""
    return db.session.scalar(
        select(Message)
        .where(between(conversation), Message.direction == Direction.IN)
        .order_by(Message.id.desc())
        .limit(1)
    )


def with_number(number: str) -> list[Conversation]:
    """Every conversation with a number, the most recent first: one for each of our phones."""
    query = select(Conversation).where(Conversation.number == number)
    return list(db.session.scalars(query.order_by(Conversation.last_at.desc())))


def last_failure(conversation: Conversation) -> Message | None:
    """Our last message to the person, if it failed."""
    last = db.session.scalar(
        select(Message)
        .where(between(conversation), Message.direction == Direction.OUT, Message.status != Status.CANCELLED)
        .order_by(Message.id.desc())
        .limit(1)
    )
    return last if last is not None and last.status is Status.FAILED else None
