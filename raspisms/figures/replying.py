"""When people answer: by hour of the day, on the clock of the wall."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from .. import clock
from ..extensions import db
from ..models import Direction, Message

# The newest tell enough, however many there are.
LOOKED_AT = 5_000
# Ids are given in the order of time, but for what happens in the same moments.
EDGE = 1_000


def by_hour(first: date, last: date, phone_id: int | None) -> list[int]:
    """How many SMS came in each of the 24 hours, of the newest of a period."""
    since, until = clock.bounds(first)[0], clock.bounds(last)[1]
    within = Message.created_at >= since, Message.created_at < until
    # What came in has an index by id, and few are among many that went out: the period is looked for by its first and
    # last ids. A clock that was put back in it may cost some of the edge.
    oldest = db.session.scalar(select(Message.id).where(*within).order_by(Message.created_at).limit(1))
    newest = db.session.scalar(select(Message.id).where(*within).order_by(Message.created_at.desc()).limit(1))
    if oldest is None or newest is None:
        return [0] * 24
    between = Message.id.between(min(oldest, newest) - EDGE, max(oldest, newest) + EDGE)
    query = select(Message.created_at).where(Message.direction == Direction.IN, between, *within)
    if phone_id is not None:
        query = query.where(Message.phone_id == phone_id)
    found, zone = [0] * 24, clock.zone()
    for at in db.session.scalars(query.order_by(Message.id.desc()).limit(LOOKED_AT)):
        found[at.astimezone(zone).hour] += 1
    return found
