"""Messages from people: stored once, on the phone that they wrote to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from ..adapters.base import Reply
from ..clock import now
from ..conversations import counting
from ..messages.history import believed, mark, write
from ..models import Direction, JournalEntry, Message, Phone, Status, StopMark, Submission
from ..notices import planning
from ..people import opt_outs, wrong_numbers
from ..sms.keywords import is_like_stop, is_start, is_stop
from . import away, incoming, stops

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
        if opt_outs.add(session, reply.number, "reply", message.id):  # said now, whatever its date
            stops.answer(session, message)
        return "opt-out"
    if is_start(reply.text):
        opt_outs.take_back(session, reply.number, at)
    elif is_like_stop(reply.text):
        message.stop = StopMark.SUSPECTED
    planning.received(session, message)
    away.answer(session, (message, entry.received_at))
    return "reply"


def is_plain(reply: Reply) -> bool:
    """Whether it may be stored in a group: it has a date that tells a repetition, and speaks of no STOP or START."""
    special = is_stop(reply.text) or is_start(reply.text) or is_like_stop(reply.text)
    return reply.at is not None and not special


# Which reply of which entry.
Key = tuple[int, int]
Pair = tuple[int, str]
"""A phone's id, and the number of a person."""


@dataclass(frozen=True)
class _New:
    """A reply that is not stored yet."""

    key: Key
    entry: JournalEntry
    reply: Reply
    phone: Phone
    dedup_key: str | None

    @property
    def pair(self) -> Pair:
        return self.phone.id, self.reply.number


def apply_many(session: Session, wanted: list[tuple[Key, JournalEntry, Reply]]) -> dict[Key, str]:
    """Store plain replies, in order: what became of each.

    After a campaign they come by the hundred: what `apply` asks for one, this asks once for all.
    """
    outcomes: dict[Key, str] = {}
    new = _not_stored(session, wanted, outcomes)
    if not new:
        return outcomes
    answered = _answered_many(session, new)
    messages, dates = [], {}
    for one in new:
        at, said_at = believed(one.reply.at, one.entry.received_at)
        at, kept_aside = believed(at, now())
        message = incoming.made(one.phone, one.reply.number, one.reply.text, at)
        message.dedup_key = one.dedup_key
        message.reply_to_id, message.answered_campaign_id = answered.get(one.key, (None, None))
        messages.append(message)
        dates[one.key] = at, said_at or kept_aside
        outcomes[one.key] = "reply"
    session.add_all(messages)
    session.flush()
    write(
        session,
        [
            mark(message, Status.RECEIVED, dates[one.key][0], journal_id=one.entry.id, said_at=dates[one.key][1])
            for one, message in zip(new, messages, strict=True)
        ],
    )
    counting.came_in_many(session, messages)
    wrong_numbers.clear(session, {message.number for message in messages})
    planning.received(session, *messages)
    away.answer(session, *((message, one.entry.received_at) for one, message in zip(new, messages, strict=True)))
    return outcomes


def _not_stored(
    session: Session, wanted: list[tuple[Key, JournalEntry, Reply]], outcomes: dict[Key, str]
) -> list[_New]:
    """Those that say something new; the others are noted as repeated."""
    phones: dict[tuple[int, str], Phone] = {}
    found = []
    for key, entry, reply in wanted:
        called = (entry.phone_id, reply.received_by)
        if called not in phones:
            phones[called] = receiving_phone(session, entry.phone, reply.received_by)
        found.append(_New(key, entry, reply, phones[called], _dedup_key(phones[called], reply)))
    keys = [one.dedup_key for one in found]
    known = set(session.scalars(select(Message.dedup_key).where(Message.dedup_key.in_(keys))))
    new = []
    for one in found:
        if one.dedup_key in known:
            outcomes[one.key] = "repeated"
        else:
            known.add(one.dedup_key)
            new.append(one)
    return new


def _answered_many(session: Session, new: list[_New]) -> dict[Key, tuple[int | None, int | None]]:
    """What each reply answers, and of which campaign: the same as `_answered` and `_answered_campaign`."""
    by_provider_id = _by_provider_id(session, new)
    last = _last_of_each(session, new, Message.sent_at.is_not(None))
    of_campaign = _last_of_each(
        session, new, Message.campaign_id.is_not(None), Message.sent_at > now() - CAMPAIGN_ANSWERS
    )
    answered = {}
    for one in new:
        message_id, campaign_id = (
            by_provider_id.get((one.phone.account_id, one.reply.provider_id, one.reply.number))
            or last.get(one.pair)
            or (None, None)
        )
        if campaign_id is None:
            _, campaign_id = of_campaign.get(one.pair, (None, None))
        answered[one.key] = message_id, campaign_id
    return answered


def _by_provider_id(session: Session, new: list[_New]) -> dict[tuple[int, str, str], tuple[int, int | None]]:
    provider_ids = {one.reply.provider_id for one in new if one.reply.provider_id}
    if not provider_ids:
        return {}
    rows = session.execute(
        select(Submission.account_id, Submission.provider_id, Message.number, Message.id, Message.campaign_id)
        .join(Submission, Message.submission_id == Submission.id)
        .where(Submission.provider_id.in_(provider_ids), Message.number.in_({one.reply.number for one in new}))
        .where(Message.direction == Direction.OUT)
    )
    return {
        (account_id, provider_id or "", number): (found, campaign)
        for account_id, provider_id, number, found, campaign in rows
    }


def _last_of_each(session: Session, new: list[_New], *which: ColumnElement[bool]) -> dict[Pair, tuple[int, int | None]]:
    """The last message of a kind that each of our phones sent to each person, and its campaign."""
    last = (
        select(func.max(Message.id))
        .where(
            Message.number.in_({one.reply.number for one in new}), Message.phone_id.in_({one.phone.id for one in new})
        )
        .where(Message.direction == Direction.OUT, Message.status != Status.FAILED, *which)
        .group_by(Message.phone_id, Message.number)
    )
    rows = session.execute(
        select(Message.phone_id, Message.number, Message.id, Message.campaign_id).where(Message.id.in_(last))
    )
    return {(phone_id, number): (found, campaign_id) for phone_id, number, found, campaign_id in rows}


def receiving_phone(session: Session, called: Phone, received_by: str) -> Phone:
    """The phone with this number on the same account; the one whose URL was called when none has it.

    Octopush has one address for all the numbers of an account (docs/providers/octopush.md §8).
    """
    if not received_by or received_by == called.number:
        return called
    return session.scalar(_with_number(called.account_id, received_by)) or called


def _with_number(account_id: int, number: str) -> Select[Phone]:
    """The phone of an account with this number; the living one, if another was deleted."""
    query = select(Phone).where(Phone.account_id == account_id, Phone.number == number)
    return query.order_by(Phone.deleted_at.is_not(None), Phone.id.desc()).limit(1)


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
    """The message that this reply answers: by its provider id, else the last one that left for that person."""
    sent = select(Message).where(Message.direction == Direction.OUT, Message.number == reply.number)
    if reply.provider_id:
        by_provider_id = sent.join(Submission, Message.submission_id == Submission.id).where(
            Submission.account_id == phone.account_id, Submission.provider_id == reply.provider_id
        )
        found: Message | None = session.scalar(by_provider_id.limit(1))
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
