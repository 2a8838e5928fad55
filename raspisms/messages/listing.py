"""Sent and received messages, by status, phone, tag, day, number, name or word."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import ColumnElement, Select, func, select

from .. import clock, pagination
from ..extensions import db
from ..models import Contact, Direction, Message, MessageEvent, Status
from ..pagination import SIZE, Order, Page
from ..sms import phone_numbers
from ..sms.folding import fold
from . import search

# Candidates that a search looks at in one go, and how often it goes on.
CANDIDATES = 500
ROUNDS = 40
NAMED = 300

ORDERS: dict[str, Order[Message]] = {
    "newest": Order(Message.id),
    "oldest": Order(Message.id, descending=False),
    "number": Order(Message.id, Message.number, descending=False),
    "-number": Order(Message.id, Message.number),
}
# With a period, the index of times leads to it; the two orders differ only in what came late.
BY_TIME: dict[str, Order[Message]] = {
    "newest": Order(Message.id, Message.created_at, read=pagination.moment),
    "oldest": Order(Message.id, Message.created_at, descending=False, read=pagination.moment),
}


@dataclass(frozen=True)
class Asked:
    """What a list of messages is to show."""

    direction: Direction
    q: str = ""
    status: str = ""
    phone: int | None = None
    tag: str = ""
    first: date | None = None
    last: date | None = None
    unread: bool = False
    campaign: int | None = None
    sort: str = "newest"

    @property
    def words(self) -> dict[str, str]:
        """What the links of the list carry."""
        facts = {
            "q": self.q,
            "status": self.status,
            "phone": str(self.phone or ""),
            "tag": self.tag,
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
            "unread": "1" if self.unread else "",
            "campaign": str(self.campaign or ""),
            "sort": self.sort if self.sort != "newest" else "",
        }
        return {name: value for name, value in facts.items() if value}

    @property
    def is_filtered(self) -> bool:
        """Whether something was asked for, beyond an order."""
        return bool(replace(self, sort="newest").words)


def page(asked: Asked, after: str | None) -> Page[Message]:
    """The messages that were asked for, or those after a place."""
    name, order = pagination.chosen(ORDERS, asked.sort)
    if (asked.first or asked.last) and name in BY_TIME:
        order = BY_TIME[name]
    query = _filtered(asked)
    if asked.q.strip():
        return _searched(query, asked.q, after)
    return pagination.page(query, order, after)


def everything(asked: Asked) -> Iterator[Message]:
    """All of them, the newest first, a chunk at a time: for files."""
    if not asked.q.strip():
        yield from pagination.everything(_filtered(asked), ORDERS["newest"])
        return
    after: str | None = None
    while True:
        found = _searched(_filtered(asked), asked.q, after)
        yield from found.rows
        if found.next is None:
            return
        after = found.next
        db.session.expunge_all()


def _filtered(asked: Asked) -> Select[Message]:
    query = select(Message).where(Message.direction == asked.direction)
    if asked.status in {one.value for one in Status}:
        query = query.where(Message.status == Status(asked.status))
    if asked.phone is not None:
        query = query.where(Message.phone_id == asked.phone)
    if asked.tag:
        query = query.where(Message.tag == asked.tag)
    if asked.first is not None:
        query = query.where(Message.created_at >= clock.bounds(asked.first)[0])
    if asked.last is not None:
        query = query.where(Message.created_at < clock.bounds(asked.last)[1])
    if asked.unread:
        query = query.where(Message.read_at.is_(None))
    if asked.campaign is not None:
        query = query.where(Message.answered_campaign_id == asked.campaign)
    return query


def _searched(query: Select[Message], words: str, after: str | None) -> Page[Message]:
    """Matches, newest first: candidates by the hundred, then whatever else was asked of them."""
    before = _place(after)
    found: list[Message] = []
    for _ in range(ROUNDS):
        candidates, before = _candidates(words, before)
        rows = query.where(Message.id.in_(candidates)).order_by(Message.id.desc()).limit(SIZE + 1 - len(found))
        found += db.session.scalars(rows)
        if len(found) > SIZE or before is None:
            break
    shown = found[:SIZE]
    if len(found) > SIZE:
        before = shown[-1].id
    return Page(shown, None if before is None else f"{pagination.HALVES}{before}", not after)


def _place(after: str | None) -> int | None:
    """The id that the next page lies below; None for the first, and for what is no place."""
    try:
        return pagination.whole((after or "").rpartition(pagination.HALVES)[2])
    except ValueError:
        return None


def _candidates(words: str, before: int | None) -> tuple[list[int], int | None]:
    """The newest messages whose number, person or text the words mean.

    And the id that the look went down to: None when it saw everything.
    """
    prefix, named = number_prefix(words), _named(words)
    halves = [search.ids(words, before, CANDIDATES)]
    if prefix is not None:
        halves.append(_ids(Message.number.between(prefix, prefix + "\uffff"), before))
    if named:
        halves.append(_ids(Message.number.in_(named), before))
    if words.strip().isdecimal():  # a short code
        halves.append(_ids(Message.number == words.strip(), before))
    floor = max((half[-1] for half in halves if len(half) >= CANDIDATES), default=None)
    return sorted({one for half in halves for one in half if floor is None or one >= floor}, reverse=True), floor


def _ids(which: ColumnElement[bool], before: int | None) -> list[int]:
    query = select(Message.id).where(which)
    if before is not None:
        query = query.where(Message.id < before)
    return list(db.session.scalars(query.order_by(Message.id.desc()).limit(CANDIDATES)))


def number_prefix(words: str) -> str | None:
    """How numbers begin that somebody means by the first digits of one; None for anything else."""
    plain = "".join(words.split()).replace(".", "").replace("-", "")
    if not plain.lstrip("+").isascii() or not plain.lstrip("+").isdecimal() or len(plain) < 3:
        return None
    if plain.startswith("+"):
        return plain
    if plain.startswith("00"):
        return "+" + plain[2:]
    if plain.startswith("0"):
        return phone_numbers.beginning(plain[1:])
    return None


def _named(words: str) -> list[str]:
    query = select(Contact.number)
    for word in fold(words.replace("\0", "")).split():
        query = query.where(Contact.search.contains(word, autoescape=True))
    return list(db.session.scalars(query.limit(NAMED)))


def reasons(message_ids: Collection[int]) -> dict[int, str]:
    """Why each of these messages (a page of them) is in its state: the last reason that was given, a msgid."""
    last = (
        select(func.max(MessageEvent.id))
        .where(MessageEvent.message_id.in_(message_ids), MessageEvent.reason.is_not(None))
        .group_by(MessageEvent.message_id)
    )
    rows = db.session.execute(select(MessageEvent.message_id, MessageEvent.reason).where(MessageEvent.id.in_(last)))
    return {message_id: reason for message_id, reason in rows if reason}
