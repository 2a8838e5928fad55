"""People who said STOP, by a reply or through the provider."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, delete, select, update
from sqlalchemy.orm import Session

from .. import audit, preferences
from ..adapters.base import OptOutNotice
from ..database import transaction
from ..extensions import db
from ..finding.listing import Order
from ..models import JournalEntry, Message, OptOut, StopMark
from ..texts import numbers as telephone_numbers
from ..vault import vault
from . import incoming

# Begins the key of the one SMS that may still go to somebody who said STOP: the answer to it.
ANSWER = "stop-answer:"


def silent(session: Session, numbers: Collection[str]) -> set[str]:
    """Those of these numbers (a few thousand at most) that nothing may be sent to."""
    found = {number for number in session.scalars(select(OptOut.number).where(OptOut.number.in_(numbers))) if number}
    erased = session.scalar(select(OptOut.id).where(OptOut.digest.is_not(None)).limit(1))
    if erased is not None:
        digests = {digest(number): number for number in numbers}
        stored = session.scalars(select(OptOut.digest).where(OptOut.digest.in_(digests)))
        found |= {digests[known] for known in stored if known}
    return found


def digest(number: str) -> str:
    """What stands for the number of a person who was erased."""
    return vault().digest(number, "opt-out")


def add(session: Session, number: str, origin: str, message_id: int | None = None, user_id: int | None = None) -> bool:
    """Send nothing more to this number; False when it was on the list. Call inside a transaction."""
    if silent(session, [number]):
        return False
    session.add(OptOut(number=number, origin=origin, message_id=message_id, user_id=user_id))
    session.flush()
    return True


def take_back(session: Session, number: str) -> None:
    """The person writes START: they may be written to again. Call inside a transaction."""
    session.execute(delete(OptOut).where(OptOut.number == number))
    session.execute(delete(OptOut).where(OptOut.digest == digest(number)))


def answer(session: Session, stop: Message) -> None:
    """Confirm a STOP, once in a life, if the team wants it so. Call inside a transaction."""
    text = preferences.current().stop_answer
    key = ANSWER + digest(stop.number)[:40]
    if not text or session.scalar(select(Message.id).where(Message.dedup_key == key)) is not None:
        return
    incoming.answer_by_itself(session, stop, text, key)


def forget_number(session: Session, number: str) -> None:
    """Keep a person's STOP, but no longer their number. Call inside a transaction."""
    session.execute(
        update(OptOut)
        .where(OptOut.number == number)
        .values(number=None, digest=digest(number), message_id=None)
        .execution_options(synchronize_session=False)
    )


# -- the team's own list --------------------------------------------------------------------------------


ORDERS: dict[str, Order[OptOut]] = {
    "newest": Order(OptOut.id),
    "oldest": Order(OptOut.id, descending=False),
}


def matching(words: str, origin: str = "") -> Select[OptOut]:
    """The opt-outs whose number holds these digits, known in one way or another."""
    query = select(OptOut)
    if words:
        digits = words.replace(" ", "").replace("\0", "").removeprefix("0")
        query = query.where(OptOut.number.contains(digits, autoescape=True))
    if origin:
        query = query.where(OptOut.origin == origin)
    return query


def add_many(text: str, user_id: int | None) -> tuple[int, list[str]]:
    """Add the numbers of a text, as people write them: how many are new, and what is no number."""
    found, wrong = [], []
    for piece in telephone_numbers.split(text):
        number, _ = telephone_numbers.read(piece)
        if number is None:
            wrong.append(piece)
        else:
            found.append(number)
    added = 0
    wanted = list(dict.fromkeys(found))
    for start in range(0, len(wanted), 500):
        with transaction() as session:
            there = silent(session, wanted[start : start + 500])
            new = [number for number in wanted[start : start + 500] if number not in there]
            session.add_all([OptOut(number=number, origin="person", user_id=user_id) for number in new])
            added += len(new)
            audit.record(session, user_id, "opt-outs added", str(len(new)))
    return added, wrong


def remove(opt_out_id: int, user_id: int | None) -> None:
    """Somebody of the team takes responsibility for writing to that person again."""
    with transaction() as session:
        session.delete(session.get_one(OptOut, opt_out_id))
        audit.record(session, user_id, "opt-out removed", str(opt_out_id))


def suspected() -> list[Message]:
    """Messages that may ask for no more SMS, the oldest first."""
    query = select(Message).where(is_suspected()).order_by(Message.id).limit(100)
    return list(db.session.scalars(query))


def is_suspected() -> ColumnElement[bool]:
    """The condition on messages that a person must look at."""
    return Message.stop == StopMark.SUSPECTED


def decide(message_id: int, user_id: int | None, *, stops: bool) -> None:
    """A person says whether a message meant STOP."""
    with transaction() as session:
        message = session.get_one(Message, message_id)
        if message.stop is not StopMark.SUSPECTED:
            return
        message.stop = StopMark.CONFIRMED if stops else StopMark.DISMISSED
        if stops:
            add(session, message.number, "person", message.id, user_id)
        audit.record(session, user_id, "stop confirmed" if stops else "stop dismissed", f"message {message_id}")


def apply_notice(session: Session, entry: JournalEntry, notice: OptOutNotice) -> str:
    """The provider's notice: on the list, and shown among the received messages unless it is there."""
    at = notice.at or entry.received_at
    key = _dedup_key(entry, notice)
    message = session.scalar(select(Message).where(Message.dedup_key == key)) or incoming.recent_stop(
        session, notice.number, at
    )
    if message is None:
        message = incoming.store(session, entry.phone, notice.number, notice.text, at, journal_id=entry.id)
        message.dedup_key = key
    add(session, notice.number, "callback", message.id)
    return "opt-out"


def _dedup_key(entry: JournalEntry, notice: OptOutNotice) -> str:
    """What makes the same notice, delivered twice, one message."""
    date = notice.at.isoformat() if notice.at else ""
    facts = "\0".join((str(entry.phone.account_id), notice.number, date, notice.text))
    return incoming.NOTICE + hashlib.sha256(facts.encode()).hexdigest()[:62]
