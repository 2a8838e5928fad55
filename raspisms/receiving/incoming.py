"""A new incoming message, whatever brought it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from .. import gate
from ..clock import now
from ..conversations import counting
from ..messages import outgoing
from ..messages.history import add, believed
from ..models import Answer, Direction, Lane, Message, Phone, Status
from ..models.message import AWAY_ANSWER, STOP_ANSWER
from ..people import wrong_numbers
from ..sms import segments
from ..sms.keywords import is_no, is_stop, is_yes

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
    add(session, [message], Status.RECEIVED, at=at, journal_id=journal_id, said_at=said_at or kept_aside)
    counting.came_in(session, message)
    wrong_numbers.clear(session, [number])  # who writes from a number is reached there
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


# -- answers that nobody wrote ------------------------------------------------------------------------------

# To one number in a day, and in all in an hour. Each costs money, and who asks for it may be anybody: machines that
# answer each other write every few seconds, and a STOP is easily forged.
ONE_EVERY, MOST_AN_HOUR = timedelta(days=1), 60


def answer_by_itself(
    session: Session,
    wanted: Sequence[tuple[Message, str]],
    text: str,
    expires_at: datetime | None = None,
    *,
    answers_stop: bool = False,
) -> None:
    """Queue an answer that nobody wrote to each of these messages, as far as that may be. Call inside a transaction.

    Each comes with the key that makes its answer the only one of its kind. What has not left by `expires_at` does
    not leave any more. `answers_stop` is for the one answer to a STOP.
    """
    if not wanted:
        return
    phone, text = wanted[0][0].phone, outgoing.clean(text)
    answer = gate.may_send(
        session,
        [message.number for message, _ in wanted],
        phone=phone,
        text=text,
        expires_at=expires_at,
        answers_stop=answers_stop,
        wrote=[message.number for message, _ in wanted],
    )
    if answer.whole is not None:
        return
    allowed = _few_enough(session, [message.number for message, _ in wanted if message.number not in answer.refused])
    rows = []
    for message, key in wanted:
        if message.number in allowed:
            allowed.remove(message.number)
            common = outgoing.common(message.phone_id, Lane.REPLY, expires_at=expires_at, reply_to_id=message.id)
            rows.append(outgoing.with_text(common, text) | {"number": message.number, "dedup_key": key})
    outgoing.post(session, rows)


def _few_enough(session: Session, numbers: Collection[str]) -> set[str]:
    """Those of these numbers that were not answered lately, as long as there are not too many in all."""
    people = list(dict.fromkeys(numbers))
    if not people:
        return set()
    answered = set(session.scalars(select(Message.number).where(Message.number.in_(people), _is_own_answer(ONE_EVERY))))
    allowed = [number for number in people if number not in answered]
    left = max(0, MOST_AN_HOUR - answers_lately(session))
    if len(allowed) > left:
        log.warning("%s answers have left by themselves within an hour: no more for now", MOST_AN_HOUR)
    return set(allowed[:left])


def answers_lately(session: Session) -> int:
    """How many answers that nobody wrote were queued in the last hour."""
    recent = select(func.count()).select_from(Message)
    return session.scalar(recent.where(_is_own_answer(timedelta(hours=1)))) or 0


def _is_own_answer(since: timedelta) -> ColumnElement[bool]:
    kinds = or_(Message.dedup_key.startswith(STOP_ANSWER), Message.dedup_key.startswith(AWAY_ANSWER))
    return and_(Message.created_at > now() - since, kinds)


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
