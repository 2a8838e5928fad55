"""Figures of what was sent: by day and status, with a chart; the numbers that nothing arrives at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from .extensions import db
from .models import Direction, Message, MessageEvent, Status

# In the order of stacking.
SHOWN = (
    Status.DELIVERED,
    Status.SENT,
    Status.SENDING,
    Status.QUEUED,
    Status.UNKNOWN,
    Status.FAILED,
    Status.EXPIRED,
    Status.CANCELLED,
)
# This many failures, and never an arrival, make a number invalid.
FAILURES = 2


@dataclass
class Figures:
    """What a period held."""

    days: dict[date, dict[Status, int]] = field(default_factory=dict)
    totals: dict[Status, int] = field(default_factory=dict)
    cost: Decimal = Decimal(0)
    parts: int = 0

    @property
    def delivery_rate(self) -> float | None:
        """Delivered, of those that an answer came for."""
        answered = self.totals.get(Status.DELIVERED, 0) + self.totals.get(Status.FAILED, 0)
        return self.totals.get(Status.DELIVERED, 0) / answered if answered else None


def by_day(start: datetime, end: datetime, phone_id: int | None, timezone: str) -> Figures:
    """Sent messages by day of writing (on the wall clock) and status."""
    which = [Message.direction == Direction.OUT, Message.created_at >= start, Message.created_at < end]
    if phone_id is not None:
        which.append(Message.phone_id == phone_id)
    figures, zone = Figures(), ZoneInfo(timezone)
    moment = start
    while moment < end:
        day = moment.astimezone(zone).date()
        following = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone).astimezone(moment.tzinfo)
        # A range of each day's own: days are not all 24 hours long, and the database need not know zones.
        rows = db.session.execute(
            select(Message.status, func.count(), func.sum(Message.cost), func.sum(Message.parts))
            .where(*which, Message.created_at >= moment, Message.created_at < following)
            .group_by(Message.status)
        )
        for status, number, cost, parts in rows:
            figures.days.setdefault(day, {})[status] = number
            figures.totals[status] = figures.totals.get(status, 0) + number
            figures.cost += cost or 0
            figures.parts += parts or 0
        moment = following
    return figures


@dataclass(frozen=True)
class Bar:
    """One piece of the chart, in its own units: 100 high, a day 10 wide."""

    x: float
    y: float
    height: float
    status: Status
    day: date
    number: int


@dataclass(frozen=True)
class Chart:
    """A stacked bar for each day."""

    bars: list[Bar]
    width: int
    highest: int


def chart(figures: Figures, first: date, last: date) -> Chart:
    """Where each piece of the chart is."""
    days = [first + timedelta(days=ahead) for ahead in range((last - first).days + 1)]
    highest = max((sum(figures.days.get(day, {}).values()) for day in days), default=0)
    bars = []
    for position, day in enumerate(days):
        top = 100.0
        for status in SHOWN:
            number = figures.days.get(day, {}).get(status, 0)
            if number:
                height = number * 100 / highest
                top -= height
                bars.append(Bar(position * 10 + 1, top, height, status, day, number))
    return Chart(bars, len(days) * 10, highest)


@dataclass(frozen=True)
class InvalidNumber:
    """A number that failed again and again and never got anything."""

    number: str
    failures: int
    last_at: datetime
    reason: str | None


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
