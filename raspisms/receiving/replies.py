"""Messages from people: stored once, on the phone that they wrote to."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..adapters.base import Reply
from ..database import now
from ..models import Direction, JournalEntry, Message, Phone, Status, StopMark, Submission
from ..notices import planning
from ..texts.optouts import is_like_stop, is_start, is_stop
from ..timeline import believed
from . import away, incoming, optouts

# Without a date from the provider, the same text from the same person within this time is a repetition.
UNDATED_REPEAT = timedelta(minutes=10)
# A campaign is answered for so long, whatever else is said meanwhile.
CAMPAIGN_ANSWERS = timedelta(days=7)


def apply(session: Session, entry: JournalEntry, reply: Reply) -> str:
    """Store a reply; what became of it, in a word."""
    phone = receiving_phone(session, entry.phone, reply.received_by)
    if _stored_before(session, phone, reply, entry.received_at):
        return "repeated"
    at, said_at = believed(reply.at, entry.received_at)
    if is_stop(reply.text) and _notice_came_first(session, reply.number, at):
        return "repeated"
    answered = _answered(session, phone, reply)
    campaign_id = _answered_campaign(session, phone, reply.number, answered)
    message = incoming.store(session, phone, reply.number, reply.text, at, answered, campaign_id, entry.id, said_at)
    message.dedup_key = _dedup_key(phone, reply)
    if is_stop(reply.text):
        if optouts.add(session, reply.number, "reply", message.id):  # said now, whatever its date
            optouts.answer(session, message)
        return "opt-out"
    if is_start(reply.text):
        optouts.take_back(session, reply.number, at)
    elif is_like_stop(reply.text):
        message.stop = StopMark.SUSPECTED
    planning.received(session, message)
    away.answer(session, message, entry.received_at)
    return "reply"


def receiving_phone(session: Session, called: Phone, received_by: str) -> Phone:
    """The phone with this number on the same account; the one whose URL was called when none has it.

    Octopush has one address for all the numbers of an account (octopush-api.md §8).
    """
    if not received_by or received_by == called.number:
        return called
    return (
        session.scalar(select(Phone).where(Phone.account_id == called.account_id, Phone.number == received_by).limit(1))
        or called
    )


def _notice_came_first(session: Session, number: str, at: datetime) -> bool:
    """Whether the provider's notice of this STOP is stored already."""
    stored = incoming.recent_stop(session, number, at)
    return stored is not None and (stored.dedup_key or "").startswith(incoming.NOTICE)


def _dedup_key(phone: Phone, reply: Reply) -> str | None:
    """Octopush gives incoming messages no id: the four facts that a repetition shares stand for it."""
    if reply.at is None:
        return None
    facts = "\0".join((str(phone.account_id), phone.number, reply.number, reply.at.isoformat(), reply.text))
    return hashlib.sha256(facts.encode()).hexdigest()


def _stored_before(session: Session, phone: Phone, reply: Reply, received_at: datetime) -> bool:
    key = _dedup_key(phone, reply)
    query = select(Message.id)
    if key:
        query = query.where(Message.dedup_key == key)
    else:
        query = query.where(
            Message.direction == Direction.IN,
            Message.phone_id == phone.id,
            Message.number == reply.number,
            Message.text == reply.text,
            Message.created_at > received_at - UNDATED_REPEAT,
        )
    return session.scalar(query.limit(1)) is not None


def _answered(session: Session, phone: Phone, reply: Reply) -> Message | None:
    """The message that this reply answers: by its ticket, else the last one that left for that person."""
    sent = select(Message).where(Message.direction == Direction.OUT, Message.number == reply.number)
    if reply.ticket:
        by_ticket = sent.join(Submission, Message.submission_id == Submission.id).where(
            Submission.account_id == phone.account_id, Submission.ticket == reply.ticket
        )
        found: Message | None = session.scalar(by_ticket.limit(1))
        if found is not None:
            return found
    left = sent.where(Message.phone_id == phone.id, Message.sent_at.is_not(None), Message.status != Status.FAILED)
    return session.scalar(left.order_by(Message.id.desc()).limit(1))


def _answered_campaign(session: Session, phone: Phone, number: str, answered: Message | None) -> int | None:
    """The campaign that a reply answers: the one of the message itself, else the last that reached that person.

    A word between colleagues and them, or an answer that left by itself, does not change what "oui" is said to.
    """
    if answered is not None and answered.campaign_id is not None:
        return answered.campaign_id
    return session.scalar(
        select(Message.campaign_id)
        .where(Message.direction == Direction.OUT, Message.number == number, Message.phone_id == phone.id)
        .where(Message.campaign_id.is_not(None), Message.status != Status.FAILED)
        .where(Message.sent_at > now() - CAMPAIGN_ANSWERS)
        .order_by(Message.id.desc())
        .limit(1)
    )
