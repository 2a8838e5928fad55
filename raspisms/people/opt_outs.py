"""People who said STOP, by a reply or through the provider."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from itertools import islice

from sqlalchemy import ColumnElement, Select, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from .. import pagination
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..models import Action, Message, OptOut, StopMark
from ..pagination import Order, Page
from ..sms import phone_numbers as telephone_numbers
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction
from ..team import audit
from ..vault import vault

SAID_STOP = N_("Cette personne a envoyé STOP : le SMS n’est pas parti.")


def silent(session: Session, numbers: Collection[str]) -> set[str]:
    """Those of these numbers (a few thousand at most) that nothing may be sent to."""
    written = {known for number in numbers for known in telephone_numbers.spellings(number)}
    by_number = select(OptOut.number).where(OptOut.number.in_(written), OptOut.lifted_at.is_(None))
    found = set(session.scalars(by_number))
    if has_digests(session):
        digests = {digest(known): known for known in written}
        by_digest = select(OptOut.digest).where(OptOut.digest.in_(digests), OptOut.lifted_at.is_(None))
        found |= {digests[known] for known in session.scalars(by_digest) if known}
    return {number for number in numbers if not found.isdisjoint(telephone_numbers.spellings(number))}


def of_number(number: str) -> OptOut | None:
    """Why nothing is sent to a number: the latest that we know of it; None when it may be written to."""
    known = telephone_numbers.spellings(number)
    said = or_(OptOut.number.in_(known), OptOut.digest.in_([digest(one) for one in known]))
    query = select(OptOut).where(said, OptOut.lifted_at.is_(None))
    return db.session.scalar(query.order_by(OptOut.created_at.desc()).limit(1))


def has_digests(session: Session) -> bool:
    """Whether somebody was erased who had said STOP: only a digest knows of it."""
    return session.scalar(select(OptOut.id).where(OptOut.digest.is_not(None)).limit(1)) is not None


def digest(number: str) -> str:
    """What stands for the number of a person who was erased."""
    return vault().digest(number, "opt-out")


def add(
    session: Session,
    number: str,
    origin: str,
    message_id: int | None = None,
    user_id: int | None = None,
    at: datetime | None = None,
) -> bool:
    """Send nothing more to this number; False when it was on the list. Call inside a transaction.

    `at` is when that was said: what was said before the person wrote START counts no more, however often a provider
    repeats it.
    """
    said = min(at or _written_at(session, message_id) or now(), now())
    known = session.scalar(select(OptOut).where(_is(number)).limit(1))
    if known is None:
        session.add(OptOut(number=number, origin=origin, message_id=message_id, user_id=user_id, created_at=said))
    elif known.lifted_at is None:
        known.created_at = max(known.created_at, said)  # said once more: a START from between takes nothing back
        return False
    elif at is not None and at <= known.lifted_at:
        return False
    else:
        known.lifted_at, known.created_at = None, said
        known.origin, known.message_id, known.user_id = origin, message_id, user_id
    session.flush()
    return True


def take_back(session: Session, number: str, at: datetime | None = None) -> None:
    """The person writes START: they may be written to again. Call inside a transaction.

    It is kept even of somebody who had not said STOP as far as we know: what is told later may be older. A START that
    was said before a STOP and comes late takes nothing back.
    """
    moment = at or now()
    known = session.scalars(select(OptOut).where(_is(number))).all()
    for one in known:
        if one.created_at <= moment:
            one.lifted_at = one.lifted_at or moment
    if not known:
        session.add(OptOut(number=number, origin="reply", lifted_at=moment))
    _dismiss(session, number, moment)
    session.flush()


def _written_at(session: Session, message_id: int | None) -> datetime | None:
    message = session.get(Message, message_id) if message_id is not None else None
    return message.created_at if message is not None else None


def _dismiss(session: Session, number: str, up_to: datetime) -> None:
    """Whether they had meant STOP before that moment is no question any more."""
    session.execute(
        update(Message)
        .where(Message.number == number, is_suspected(), Message.created_at <= up_to)
        .values(stop=StopMark.DISMISSED),
        execution_options={"synchronize_session": False},
    )


def _is(number: str) -> ColumnElement[bool]:
    """The opt-outs of a number, known or erased."""
    known = telephone_numbers.spellings(number)
    return or_(OptOut.number.in_(known), OptOut.digest.in_([digest(one) for one in known]))


def forget_number(session: Session, number: str) -> None:
    """Keep a person's STOP, but no longer their number, however it is written. Call inside a transaction."""
    for known in telephone_numbers.spellings(number):
        _forget(session, known)


def _forget(session: Session, number: str) -> None:
    session.execute(
        delete(OptOut).where(OptOut.number == number, OptOut.lifted_at.is_not(None)),
        execution_options={"synchronize_session": False},
    )
    if session.scalar(select(OptOut.id).where(OptOut.number == number)) is not None:  # this one replaces an older one
        session.execute(
            delete(OptOut).where(OptOut.digest == digest(number)),
            execution_options={"synchronize_session": False},
        )
    session.execute(
        update(OptOut)
        .where(OptOut.number == number)
        .values(number=None, digest=digest(number), message_id=None, user_id=None)
        .execution_options(synchronize_session=False)
    )


# -- the team's own list --------------------------------------------------------------------------------


ORDERS: dict[str, Order[OptOut]] = {
    "newest": Order(OptOut.id),
    "oldest": Order(OptOut.id, descending=False),
}


def matching(words: str, origin: str = "") -> Select[OptOut]:
    """The opt-outs whose number holds these digits, known in one way or another."""
    query = select(OptOut).where(OptOut.lifted_at.is_(None))
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
    wanted, stride = iter(dict.fromkeys(found)), Stride()
    while some := list(islice(wanted, stride.rows)):
        with bulk_step(stride) as (session, _):
            added += _add_some(session, some, user_id)
    with transaction() as session:
        audit.record(session, user_id, Action.OPT_OUTS_ADDED, str(added))
    return added, wrong


def _add_some(session: Session, numbers: list[str], user_id: int | None) -> int:
    """The same as `add` for many: how many are new."""
    there = silent(session, numbers)
    lifted = update(OptOut).where(OptOut.number.in_(numbers), OptOut.lifted_at.is_not(None))
    back = session.execute(
        lifted.values(lifted_at=None, origin="person", user_id=user_id, message_id=None, created_at=now()),
        execution_options={"synchronize_session": False},
    )
    known = set(session.scalars(select(OptOut.number).where(OptOut.number.in_(numbers))))
    new = [number for number in numbers if number not in there and number not in known]
    if new:
        rows = [{"number": number, "origin": "person", "user_id": user_id, "created_at": now()} for number in new]
        session.execute(insert(OptOut), rows)
    return len(new) + int(back.rowcount)  # type: ignore[attr-defined]


def remove(opt_out_id: int, user_id: int | None) -> None:
    """Somebody of the team takes responsibility for writing to that person again."""
    with transaction() as session:
        opt_out = session.get_one(OptOut, opt_out_id)
        opt_out.lifted_at = now()
        if opt_out.number is not None:
            _dismiss(session, opt_out.number, opt_out.created_at)  # what came since, nobody has looked at
        audit.record(session, user_id, Action.OPT_OUT_REMOVED, str(opt_out_id))


SUSPECTED_ORDER: Order[Message] = Order(Message.id, descending=False)


def suspected(after: str | None = None) -> Page[Message]:
    """Messages that may ask for no more SMS, the oldest first."""
    return pagination.page(select(Message).where(is_suspected()), SUSPECTED_ORDER, after)


def suspected_of(number: str) -> list[Message]:
    """What one person wrote that may ask for no more SMS, the oldest first."""
    query = select(Message).where(is_suspected(), Message.number.in_(telephone_numbers.spellings(number)))
    return list(db.session.scalars(query.order_by(Message.id)))


def count_suspected() -> int:
    """How many of them wait for somebody's decision."""
    return db.session.scalar(select(func.count()).select_from(Message).where(is_suspected())) or 0


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
        audit.record(
            session, user_id, Action.STOP_CONFIRMED if stops else Action.STOP_DISMISSED, f"message {message_id}"
        )
