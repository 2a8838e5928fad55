"""Conversations: they follow the messages, and hold what the team makes of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.orm import Session

from .. import live
from ..database import now, transaction
from ..extensions import db
from ..models import Conversation, Direction, Message, Note, Phone, Status, User
from ..texts.optouts import is_stop

# An outgoing message in one of these states has answered nobody.
NO_ANSWER = (Status.CANCELLED, Status.EXPIRED, Status.FAILED)
PAGE = 40
# A page that stays open for long begins anew beyond so many messages.
MOST_SHOWN = 400
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


def heard(session: Session, message: Message) -> None:
    """A message came in: unread, on top, and open again unless it is a mere STOP. Call inside a transaction."""
    conversation = of(session, message.phone_id, message.number, message.created_at)
    if not is_stop(message.text):
        conversation.closed_at = None
    recount(session, conversation)
    live.changed(session, "received", conversation.id)


def heard_many(session: Session, messages: Collection[Message]) -> None:
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
            _hear(session, conversation, told[pair], unread.get(pair, 0))


def _hear(session: Session, conversation: Conversation, news: list[Message], unread: int) -> None:
    live.changed(session, "received", conversation.id)
    conversation.last_at = max(conversation.last_at, *(one.created_at for one in news))
    if conversation.is_closed:
        conversation.closed_at = None
        recount(session, conversation)
        return
    conversation.unread = unread
    conversation.last_message_id = news[-1].id
    if conversation.waiting_since is None:  # nobody waited: whoever waits now is among the news
        conversation.waiting_since = next((one.created_at for one in news if _wants_answer(one)), None)
    live.changed(session, "conversations", conversation.id)


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


def said(session: Session, messages: Collection[Message]) -> None:
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
        live.changed(session, "conversations", conversation.id)


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
    live.changed(session, "conversations", conversation.id)


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


# -- reading --------------------------------------------------------------------------------------------


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
    live.changed(session, "messages", *(message.id for message in found))
    return len(found)


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


def phones() -> list[Phone]:
    """Every phone, by name."""
    return list(db.session.scalars(select(Phone).order_by(Phone.name)))


def colleagues() -> list[User]:
    """Everybody of the team, by address."""
    return list(db.session.scalars(select(User).order_by(User.email)))
