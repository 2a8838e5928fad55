"""Lists of conversations: whose, in which state, found by name, number or word."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.orm import selectinload

from .. import pagination
from ..extensions import db
from ..messages import search
from ..models import Contact, Conversation, ConversationTag, Message, Note
from ..pagination import Order
from ..people import contact_list

PAGE = 40
RECENT: Order[Conversation] = Order(Conversation.id, Conversation.last_at, read=pagination.moment)
MOST_FOUND = 60
# Notes are few and have no index: the newest are looked through.
NOTES_LOOKED_AT = 5_000
VIEWS = ("open", "unread", "mine", "free", "closed", "all")


@dataclass(frozen=True)
class Asked:
    """What a list of conversations is to show."""

    view: str = "open"
    q: str = ""
    tag: str = ""
    phone: int | None = None

    @property
    def words(self) -> dict[str, str]:
        """What its links carry."""
        facts = {
            "view": self.view if self.view != usual_view(self.q) else "",
            "q": self.q,
            "tag": self.tag,
            "phone": str(self.phone or ""),
        }
        return {name: value for name, value in facts.items() if value}


def usual_view(q: str) -> str:
    """What is shown when nothing else is asked for: a search looks into what is closed, too."""
    return "all" if q.strip() else "open"


@dataclass(frozen=True)
class Hit:
    """A conversation in a list; found by a word, with the message or the note that holds it."""

    conversation: Conversation
    message: Message | None
    note: Note | None = None


@dataclass(frozen=True)
class Shown:
    """A stretch of a list, the most recent first."""

    hits: list[Hit]
    names: dict[str, str]
    next: str | None
    """Where the next page begins; None on the last."""
    is_first: bool


def page(asked: Asked, user_id: int, after: str | None = None) -> Shown:
    """The most recent conversations, or those after a place that an earlier page named."""
    if asked.q.strip():
        hits = _found(asked, user_id)
        return Shown(hits, _names(hits), None, is_first=True)
    query = select(Conversation).where(_which(asked, user_id)).options(selectinload(Conversation.last_message))
    found = pagination.page(query, RECENT, after, PAGE)
    hits = [Hit(row, row.last_message) for row in found.rows]
    return Shown(hits, _names(hits), found.next, found.is_first)


def counts(user_id: int) -> dict[str, int]:
    """How many conversations want somebody, by view."""
    views = {"unread": Asked("unread"), "mine": Asked("mine")}
    return {
        name: db.session.scalar(select(func.count()).select_from(Conversation).where(_which(asked, user_id))) or 0
        for name, asked in views.items()
    }


def _names(hits: list[Hit]) -> dict[str, str]:
    return contact_list.names_of([hit.conversation.number for hit in hits])


def _which(asked: Asked, user_id: int) -> ColumnElement[bool]:
    views: dict[str, ColumnElement[bool]] = {
        "open": Conversation.closed_at.is_(None),
        "unread": Conversation.unread > 0,
        "mine": and_(Conversation.closed_at.is_(None), Conversation.assigned_id == user_id),
        "free": and_(Conversation.closed_at.is_(None), Conversation.assigned_id.is_(None)),
        "closed": Conversation.closed_at.is_not(None),
    }
    which = [views.get(asked.view, true())]
    if asked.tag:
        which.append(
            exists().where(ConversationTag.conversation_id == Conversation.id, ConversationTag.name == asked.tag)
        )
    if asked.phone is not None:
        which.append(Conversation.phone_id == asked.phone)
    return and_(*which)


def _found(asked: Asked, user_id: int) -> list[Hit]:
    """Conversations whose person or number is meant, then those in which something was said."""
    which = _which(asked, user_id)
    numbers = select(Contact.number).where(contact_list.matching(contact_list.spaceless(asked.q))).limit(500)
    named: list[ColumnElement[bool]] = [Conversation.number.in_(numbers)]
    digits = "".join(c for c in asked.q if c.isdigit())
    if len(digits) >= 3:
        named.append(Conversation.number.contains(digits.removeprefix("0")))
    rows = db.session.scalars(
        select(Conversation)
        .where(which, or_(*named))
        .options(selectinload(Conversation.last_message))
        .order_by(Conversation.last_at.desc())
        .limit(MOST_FOUND)
    )
    hits = {row.id: Hit(row, row.last_message) for row in rows}
    for row, note in _noted(which, asked.q):
        hits.setdefault(row.id, Hit(row, None, note))
    said = search.ids(asked.q, limit=500)
    messages = db.session.scalars(select(Message).where(Message.id.in_(said)).order_by(Message.id.desc()))
    by_pair: dict[tuple[int, str], Message] = {}
    for message in messages:
        by_pair.setdefault((message.phone_id, message.number), message)
    there = select(Conversation).where(which, Conversation.number.in_({number for _, number in by_pair}))
    for row in db.session.scalars(there.order_by(Conversation.last_at.desc())):
        message_found = by_pair.get((row.phone_id, row.number))
        if message_found is not None and len(hits) < MOST_FOUND:
            hits[row.id] = Hit(row, message_found)
    return list(hits.values())


def noted(q: str) -> list[Hit]:
    """Conversations in which colleagues noted these words, the newest notes first."""
    return [Hit(conversation, None, note) for conversation, note in _noted(true(), q)]


def _noted(which: ColumnElement[bool], q: str) -> list[tuple[Conversation, Note]]:
    """Conversations in which colleagues noted these words, the newest notes first."""
    wanted = search.words_of(q)
    if not wanted:
        return []
    rows = db.session.execute(select(Note.id, Note.text).order_by(Note.id.desc()).limit(NOTES_LOOKED_AT))
    ids = [row.id for row in rows if search.has(wanted, row.text)][:MOST_FOUND]
    found = select(Conversation, Note).join(Note, Note.conversation_id == Conversation.id)
    pairs = db.session.execute(found.where(which, Note.id.in_(ids)).order_by(Note.id.desc()))
    return [(conversation, note) for conversation, note in pairs]
