"""When people answer: by hour of the day, on the clock of the wall."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from .. import clock
from ..extensions import db
from ..models import Direction, Message

# The newest tell enough, however many there are.
LOOKED_AT = 5_000


def by_hour(first: date, last: date, phone_id: int | None) -> list[int]:
    """How many SMS came in each of the 24 hours, of the newest of a period."""
    query = select(Message.created_at).where(
        Message.direction == Direction.IN,
        Message.created_at >= clock.bounds(first)[0],
        Message.created_at < clock.bounds(last)[1],
    )
    if phone_id is not None:
        query = query.where(Message.phone_id == phone_id)
    found, zone = [0] * 24, clock.zone()
    for at in db.session.scalars(query.order_by(Message.created_at.desc()).limit(LOOKED_AT)):
        found[at.astimezone(zone).hour] += 1
    return found
