"""The numbers that nothing arrives at."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..extensions import db
from ..models import Direction, Message, MessageEvent, Status

# This many failures, and never an arrival, make a number invalid.
FAILURES = 2


@dataclass(frozen=True)
class InvalidNumber:
    """A number that failed again and again and never got anything."""

    number: str
    failures: int
    last_at: datetime
    reason: str | None


def among(session: Session, numbers: Collection[str]) -> set[str]:
    """Those of these numbers that failed again and again, and never got anything."""
    failed = (
        select(Message.number)
        .where(Message.number.in_(numbers), Message.direction == Direction.OUT, Message.status == Status.FAILED)
        .group_by(Message.number)
        .having(func.count() >= FAILURES)
    )
    found = set(session.scalars(failed))
    arrived = select(Message.number).where(Message.number.in_(found), Message.status == Status.DELIVERED)
    return found - set(session.scalars(arrived))


def invalid_numbers(most: int | None) -> list[InvalidNumber]:
    """The numbers with the most failures and no arrival, with the last reason."""
    failed = func.count().label("failures")
    arrived = select(Message.id).where(Message.status == Status.DELIVERED).correlate(None)
    rows = db.session.execute(
        select(Message.number, failed, func.max(Message.id))
        .where(Message.direction == Direction.OUT, Message.status == Status.FAILED)
        .group_by(Message.number)
        .having(failed >= FAILURES)
        .order_by(failed.desc())
        .limit(most)
    ).all()
    found = []
    for number, failures, last_id in rows:
        if db.session.scalar(arrived.where(Message.number == number).limit(1)) is not None:
            continue
        event = db.session.scalar(
            select(MessageEvent)
            .where(MessageEvent.message_id == last_id, MessageEvent.status == Status.FAILED)
            .order_by(MessageEvent.id.desc())
            .limit(1)
        )
        if event is not None:
            found.append(InvalidNumber(number, failures, event.at, event.reason))
    return found
