"""A new incoming message, whatever brought it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from .. import preferences
from ..conversations import threads
from ..database import now
from ..models import Answer, Direction, Lane, Message, Phone, Status
from ..models.message import batch_key
from ..texts import numbers as telephone_numbers
from ..texts import segments
from ..texts.answers import is_no, is_yes
from ..texts.optouts import is_stop
from ..timeline import believed, note

log = logging.getLogger(__name__)

# A STOP may come twice, in any order: as a reply, and as the provider's notice of it.
SAME_STOP = timedelta(minutes=10)
# Begins the key of a message that only a notice told us of.
NOTICE = "n:"


def store(
    session: Session,
    phone: Phone,
    number: str,
    text: str,
    at: datetime,
    answered: Message | None = None,
    campaign_id: int | None = None,
    journal_id: int | None = None,
    said_at: datetime | None = None,
) -> Message:
    """Store a message from `number`, and bring its conversation on top. Call inside a transaction.

    A date that cannot be true is replaced by the present one, and kept aside (`said_at`).
    `answered` and `campaign_id` are what it replies to, if that is known; `journal_id`, the callback that brought it.
    """
    at, kept_aside = believed(at, now())
    message = made(phone, number, text, at)
    message.reply_to_id, message.answered_campaign_id = answered.id if answered else None, campaign_id
    session.add(message)
    session.flush()
    note(session, [message], Status.RECEIVED, at=at, journal_id=journal_id, said_at=said_at or kept_aside)
    threads.heard(session, message)
    return message


def made(phone: Phone, number: str, text: str, at: datetime) -> Message:
    """The row of a received message, not stored yet; `at` is when it was written."""
    return Message(
        direction=Direction.IN,
        phone_id=phone.id,
        number=number[:32],
        text=text,
        status=Status.RECEIVED,
        lane=Lane.REPLY,
        parts=max(1, segments.count(text).parts),
        created_at=at,
        figures_at=now(),
        answer=Answer.YES if is_yes(text) else Answer.NO if is_no(text) else None,
    )


def answer_by_itself(
    session: Session, message: Message, text: str, key: str, expires_at: datetime | None = None
) -> None:
    """Queue an answer that nobody wrote; `key` makes it the only one of its kind. Call inside a transaction.

    What has not left by `expires_at` does not leave any more. Each costs money, and who asks for it may be anybody:
    see `_may_answer`.
    """
    if not _may_answer(session, message.number):
        return
    answer = Message(
        direction=Direction.OUT,
        phone_id=message.phone_id,
        number=message.number,
        text=text,
        status=Status.QUEUED,
        lane=Lane.REPLY,
        batch_key=batch_key(text, "alert", expires_at),
        parts=segments.count(text).parts,
        reply_to_id=message.id,
        dedup_key=key,
        expires_at=expires_at,
    )
    session.add(answer)
    session.flush()
    note(session, [answer], Status.QUEUED)


# Answers that nobody wrote: to one number in a day, and in all in an hour. Machines that answer each other write every
# few seconds, and a STOP is easily forged.
OWN_ANSWERS = ("stop-answer:", "away:")
ONE_EVERY, MOST_AN_HOUR = timedelta(days=1), 60


def _may_answer(session: Session, number: str) -> bool:
    """Whether an answer that nobody wrote may go to this number: a person's, in a country that we write to."""
    if telephone_numbers.read(number)[0] is None or telephone_numbers.is_special(number):
        return False
    countries = preferences.current().countries
    if countries and telephone_numbers.country(number) not in countries:
        return False
    theirs = select(Message.id).where(Message.number == number, _is_own_answer(ONE_EVERY)).limit(1)
    if session.scalar(theirs) is not None:
        return False
    if (lately := answers_lately(session)) >= MOST_AN_HOUR:
        log.warning("%s answers left by themselves within an hour: no more for now", lately)
        return False
    return True


def answers_lately(session: Session) -> int:
    """How many answers that nobody wrote were queued in the last hour."""
    recent = select(func.count()).select_from(Message)
    return session.scalar(recent.where(_is_own_answer(timedelta(hours=1)))) or 0


def _is_own_answer(since: timedelta) -> ColumnElement[bool]:
    kinds = (Message.dedup_key.startswith(kind) for kind in OWN_ANSWERS)
    return and_(Message.created_at > now() - since, or_(*kinds))


def recent_stop(session: Session, number: str, at: datetime) -> Message | None:
    """The STOP that this number sent around this time, if it is stored already."""
    around = session.scalars(
        select(Message).where(
            Message.direction == Direction.IN,
            Message.number == number,
            Message.created_at.between(at - SAME_STOP, at + SAME_STOP),
        )
    )
    return next((message for message in around if is_stop(message.text)), None)
