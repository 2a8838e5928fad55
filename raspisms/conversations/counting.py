"""What a conversation says of its messages: counted from them, never added up."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, insert, select
from sqlalchemy.orm import Session

from ..clock import now
from ..extensions import db
from ..live import changes
from ..models import Conversation, Direction, Message, Status
from ..sms.keywords import is_stop

# An outgoing message in one of these states has answered nobody.
NO_ANSWER = (Status.CANCELLED, Status.EXPIRED, Status.FAILED)
# Of what was received since our last answer, this much is looked at to say who waits.
LOOKED_AT = 50


def of(session: Session, phone_id: int, number: str, at: datetime | None = None) -> Conversation:
    """The conversation of a phone with a number, made if there is none. Call inside a transaction.

    A new one stands in the list where what was said at that time belongs.
    """
    which = (Conversation.phone_id == phone_id, Conversation.number == number)
    found = session.scalar(select(Conversation).where(*which))
    if found is None:
        found = Conversation(phone_id=phone_id, number=number[:32], last_at=at or now())
        session.add(found)
        session.flush()
    return found


def came_in(session: Session, message: Message) -> None:
    """A message came in: unread, on top, and open again unless it is a mere STOP. Call inside a transaction."""
    conversation = of(session, message.phone_id, message.number, message.created_at)
    if not is_stop(message.text):
        conversation.closed_at = None
    recount(session, conversation)
    changes.remember(session, "received", conversation.id)


def came_in_many(session: Session, messages: Collection[Message]) -> None:
    """The same for many messages that are no STOP, all of them new: the newest of their conversations.

    Call inside a transaction.
    """
    told: dict[tuple[int, str], list[Message]] = {}
    for message in messages:
        told.setdefault((message.phone_id, message.number), []).append(message)
    numbers, phone_ids = {number for _, number in told}, {phone_id for phone_id, _ in told}
    theirs = and_(Conversation.number.in_(numbers), Conversation.phone_id.in_(phone_ids))
    there = {
        (phone_id, number)
        for phone_id, number in session.execute(select(Conversation.phone_id, Conversation.number).where(theirs))
    }
    fresh = [
        {"phone_id": pair[0], "number": pair[1], "last_at": news[0].created_at, "unread": 0}
        for pair, news in told.items()
        if pair not in there
    ]
    if fresh:
        session.execute(insert(Conversation), fresh)
    unread = _unread_of(session, numbers, phone_ids)
    for conversation in session.scalars(select(Conversation).where(theirs)):
        pair = (conversation.phone_id, conversation.number)
        if pair in told:
            _came_in(session, conversation, told[pair], unread.get(pair, 0))


def _came_in(session: Session, conversation: Conversation, news: list[Message], unread: int) -> None:
    changes.remember(session, "received", conversation.id)
    conversation.last_at = max(conversation.last_at, *(one.created_at for one in news))
    if conversation.is_closed:
        conversation.closed_at = None
        recount(session, conversation)
        return
    conversation.unread = unread
    conversation.last_message_id = news[-1].id
    if conversation.waiting_since is None:  # nobody waited: whoever waits now is among the news
        conversation.waiting_since = next((one.created_at for one in news if _wants_answer(one)), None)
    changes.remember(session, "conversations", conversation.id)


def _unread_of(session: Session, numbers: Collection[str], phone_ids: Collection[int]) -> dict[tuple[int, str], int]:
    rows = session.execute(
        select(Message.phone_id, Message.number, func.count())
        .where(Message.number.in_(numbers), Message.phone_id.in_(phone_ids))
        .where(Message.direction == Direction.IN, Message.read_at.is_(None))
        .group_by(Message.phone_id, Message.number)
    )
    return {(phone_id, number): count for phone_id, number, count in rows}


def _wants_answer(message: Message) -> bool:
    """Neither a STOP nor a yes or no to a campaign."""
    return not is_stop(message.text) and not (message.answer and message.answered_campaign_id)


def went_out(session: Session, messages: Collection[Message]) -> None:
    """Messages that somebody wrote by hand were accepted, all of one phone. Call inside a transaction."""
    if not messages:
        return
    last = {message.number: message for message in messages}
    phone_id = next(iter(messages)).phone_id
    mine = and_(Conversation.phone_id == phone_id, Conversation.number.in_(last))
    there = set(session.scalars(select(Conversation.number).where(mine)))
    moment = now()
    fresh = [
        {"phone_id": phone_id, "number": number, "last_at": moment, "unread": 0}
        for number in last
        if number not in there
    ]
    if fresh:
        session.execute(insert(Conversation), fresh)
    for conversation in session.scalars(select(Conversation).where(mine)):
        conversation.last_at = moment
        conversation.last_message_id = last[conversation.number].id
        if last[conversation.number].user_id is not None:
            conversation.waiting_since = None
        changes.remember(session, "conversations", conversation.id)


def recount(session: Session, conversation: Conversation) -> None:
    """Bring what a conversation says of its messages in line with them. Call inside a transaction."""
    session.flush()
    mine = between(conversation)
    received = and_(mine, Message.direction == Direction.IN)
    conversation.unread = (
        session.scalar(select(func.count()).select_from(Message).where(received, Message.read_at.is_(None))) or 0
    )
    last = session.execute(
        select(Message.id, Message.created_at)
        .where(mine, Message.status != Status.CANCELLED)
        .order_by(Message.id.desc())
        .limit(1)
    ).first()
    if last is not None:
        conversation.last_message_id = last.id
        conversation.last_at = max(conversation.last_at, last.created_at) if conversation.last_at else last.created_at
    conversation.waiting_since = None if conversation.is_closed else _waiting_since(session, mine)
    changes.remember(session, "conversations", conversation.id)


def _waiting_since(session: Session, mine: ColumnElement[bool]) -> datetime | None:
    """When the person wrote what nobody has answered; a STOP, and a yes or no to a campaign, want no answer."""
    answered = session.scalar(
        select(func.max(Message.id)).where(
            mine,
            Message.direction == Direction.OUT,
            Message.campaign_id.is_(None),
            Message.user_id.is_not(None),  # an answer that left by itself answers nothing
            Message.status.not_in(NO_ANSWER),
        )
    )
    since = session.scalars(
        select(Message)
        .where(mine, Message.direction == Direction.IN, Message.id > (answered or 0))
        .order_by(Message.id)
        .limit(LOOKED_AT)
    )
    return next((message.created_at for message in since if _wants_answer(message)), None)


def between(conversation: Conversation) -> ColumnElement[bool]:
    """The condition that names a conversation's messages."""
    return and_(Message.number == conversation.number, Message.phone_id == conversation.phone_id)


def by_hand(session: Session, which: ColumnElement[bool]) -> set[tuple[int, str]]:
    """Phones and numbers of the messages of a kind that somebody wrote by hand.

    To recount their conversations once these messages turn out to answer nobody. Call inside a transaction.
    """
    rows = session.execute(
        select(Message.phone_id, Message.number).where(
            which, Message.campaign_id.is_(None), Message.user_id.is_not(None), Message.direction == Direction.OUT
        )
    )
    return {(phone_id, number) for phone_id, number in rows}


def recount_of(session: Session, pairs: Iterable[tuple[int, str]]) -> None:
    """Recount the conversations of these phones and numbers. Call inside a transaction."""
    for phone_id, number in pairs:
        conversation = session.scalar(
            select(Conversation).where(Conversation.phone_id == phone_id, Conversation.number == number)
        )
        if conversation is not None:
            recount(session, conversation)


def unread_count() -> int:
    """Received messages that nobody has read."""
    return db.session.scalar(select(func.sum(Conversation.unread)).where(Conversation.unread > 0)) or 0
