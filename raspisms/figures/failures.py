"""Why SMS failed: for the dashboard, and for the e-mail that sums up a day."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, func, select

from ..extensions import db
from ..models import MessageEvent, Status


@dataclass(frozen=True)
class Cause:
    """Why SMS failed, and how many did for that."""

    reason: str | None
    """A sentence (a msgid); None where nobody said."""
    number: int


def causes(failed: Select[int], most: int) -> list[Cause]:
    """The most frequent causes of these failures (ids of messages), so many at most.

    A message that was sent again has failed for its last reason.
    """
    last = (
        select(func.max(MessageEvent.id))
        .where(MessageEvent.message_id.in_(failed), MessageEvent.status == Status.FAILED)
        .group_by(MessageEvent.message_id)
    )
    count = func.count(MessageEvent.message_id.distinct())
    rows = db.session.execute(
        select(MessageEvent.reason, count)
        .where(MessageEvent.id.in_(last))
        .group_by(MessageEvent.reason)
        .order_by(count.desc())
        .limit(most)
    )
    return [Cause(reason, number) for reason, number in rows]
