"""Deleting received messages. What was sent stays: it was billed, and is counted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, delete, or_, select, update
from sqlalchemy.orm import Session

from ..finding import search
from ..models import Direction, JournalEntry, JournalState, Message, MessageEvent, OptOut
from ..people import traces
from . import threads

# A provider repeats what it was not answered for, for so long; its date may be off by a day.
REPEATED_FOR = timedelta(days=15)
BEFORE = timedelta(days=3)
# The URL that brings what people write.
RECEPTION = "reception"


def remove_received(session: Session, message_ids: Collection[int]) -> int:
    """Delete these received messages, with what points to them: how many there were. Call inside a transaction.

    A STOP stays on the list that it led to.
    """
    found = list(session.scalars(select(Message).where(Message.id.in_(message_ids), Message.direction == Direction.IN)))
    ids = [message.id for message in found]
    pairs = {(message.phone_id, message.number) for message in found}
    search.forget(session, found)
    session.execute(update(Message).where(Message.reply_to_id.in_(ids)).values(reply_to_id=None))
    session.execute(update(OptOut).where(OptOut.message_id.in_(ids)).values(message_id=None))
    for message in found:
        traces.wipe_journal(session, _brought(message))
    session.execute(delete(MessageEvent).where(MessageEvent.message_id.in_(ids)))
    session.execute(delete(Message).where(Message.id.in_(ids)))
    session.expire_all()
    threads.recount_of(session, pairs)
    return len(found)


def _brought(message: Message) -> ColumnElement[bool]:
    """The callbacks that brought a message, repetitions included: what they said is deleted with it."""
    told = select(MessageEvent.journal_id).where(MessageEvent.message_id == message.id)
    around = JournalEntry.received_at.between(message.created_at - BEFORE, message.created_at + REPEATED_FOR)
    is_applied = and_(JournalEntry.kind == RECEPTION, JournalEntry.state == JournalState.APPLIED)
    again = and_(around, is_applied, traces.mentions(message.number))
    return or_(JournalEntry.id.in_(told), again)
