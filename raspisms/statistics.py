"""Figures of what was sent: by day and status, with a chart; the numbers that nothing arrives at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from statistics import median
from time import monotonic
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import delete, func, select

from .database import now, transaction
from .extensions import db
from .models import CountedDay, DayFigures, Direction, Message, MessageEvent, Status

# In the order of stacking.
SHOWN = (
    Status.DELIVERED,
    Status.SENT,
    Status.SENDING,
    Status.QUEUED,
    Status.HELD,
    Status.UNKNOWN,
    Status.FAILED,
    Status.EXPIRED,
    Status.CANCELLED,
)
# This many failures, and never an arrival, make a number invalid.
FAILURES = 2
# Reports still come for so many days; these are counted again, the first two every minute, the others every hour.
UNSETTLED_DAYS = 8
RECENT_DAYS = 2
# A day that takes no longer than this is counted while somebody looks: what the page says is then of this second.
QUICK_SECONDS = 0.03
# Of a day's delivered messages, so many are looked at to say how long delivery takes.
DELAYS = 300
# What was never counted is counted bit by bit: the clock has other things to do.
COUNTING_SECONDS = 2.0


@dataclass
class Figures:
    """What a period held."""

    days: dict[date, dict[Status, int]] = field(default_factory=dict)
    totals: dict[Status, int] = field(default_factory=dict)
    cost: Decimal = Decimal(0)
    parts: int = 0
    received: int = 0
    received_days: dict[date, int] = field(default_factory=dict)
    delays: list[float] = field(default_factory=list)
    """The median seconds to delivery, of each phone and day."""

    @property
    def delivery_rate(self) -> float | None:
        """Delivered, of those that an answer came for."""
        answered = self.totals.get(Status.DELIVERED, 0) + self.totals.get(Status.FAILED, 0)
        return self.totals.get(Status.DELIVERED, 0) / answered if answered else None

    @property
    def delay(self) -> timedelta | None:
        """How long delivery takes: the middle one of the days' medians."""
        return timedelta(seconds=median(self.delays)) if self.delays else None

    def add(self, row: DayFigures) -> None:
        """Take one more line into account."""
        if row.status is Status.RECEIVED:
            self.received += row.number
            self.received_days[row.day] = self.received_days.get(row.day, 0) + row.number
            return
        of_day = self.days.setdefault(row.day, {})
        of_day[row.status] = of_day.get(row.status, 0) + row.number
        self.totals[row.status] = self.totals.get(row.status, 0) + row.number
        self.cost += row.cost or 0
        self.parts += row.parts
        if row.delay is not None:
            self.delays.append(row.delay)


def today() -> date:
    """The day that it is, on the wall clock of the installation."""
    return now().astimezone(_zone()).date()


def bounds(day: date) -> tuple[datetime, datetime]:
    """When a day begins and ends: days are not all 24 hours long, and the database need not know zones."""
    start = datetime.combine(day, time(), _zone())
    return start.astimezone(UTC), datetime.combine(day + timedelta(days=1), time(), _zone()).astimezone(UTC)


def _zone() -> ZoneInfo:
    return ZoneInfo(current_app.config["TIMEZONE"])


def by_day(first: date, last: date, phone_id: int | None, *, fresh: bool = True) -> Figures:
    """Messages by day of writing and status: what the clock counted, and the last days anew if that is quick.

    Without `fresh`, what the clock counted will do.
    """
    figures, anew = Figures(), _quick_days(first, last) if fresh else []
    stored = select(DayFigures).where(DayFigures.day.between(first, last), DayFigures.day.not_in(anew))
    rows = [*db.session.scalars(stored), *(row for day in anew for row in _count(day))]
    for row in sorted(rows, key=lambda one: one.day):
        if phone_id is None or row.phone_id == phone_id:
            figures.add(row)
    return figures


def by_month(first: date) -> dict[date, Decimal]:
    """What each month since `first` cost, by its first day."""
    found: dict[date, Decimal] = {}
    rows = db.session.execute(
        select(DayFigures.day, func.sum(DayFigures.cost)).where(DayFigures.day >= first).group_by(DayFigures.day)
    )
    for day, cost in rows:
        month = day.replace(day=1)
        found[month] = found.get(month, Decimal(0)) + (cost or 0)
    return dict(sorted(found.items()))


def counted_at() -> datetime | None:
    """When the figures of today were last brought up to date; None when that is now."""
    counted = db.session.get(CountedDay, today())
    return counted.counted_at if counted is not None and counted.seconds > QUICK_SECONDS else None


def _quick_days(first: date, last: date) -> list[date]:
    wanted = [day for day in (today(), today() - timedelta(days=1)) if first <= day <= last]
    slow = set(
        db.session.scalars(select(CountedDay.day).where(CountedDay.day.in_(wanted), CountedDay.seconds > QUICK_SECONDS))
    )
    return [day for day in wanted if day not in slow]


# -- counting -------------------------------------------------------------------------------------------


def count_due() -> None:
    """Count the days whose figures may have changed, and a few that were never counted."""
    present = now()
    counted = {row.day: row for row in db.session.scalars(select(CountedDay))}
    for ago in range(UNSETTLED_DAYS):
        day = today() - timedelta(days=ago)
        limit = timedelta(minutes=1 if ago < RECENT_DAYS else 60)
        if day not in counted or present - counted[day].counted_at >= limit:
            count(day)
    oldest = db.session.scalar(select(func.min(Message.created_at)))
    if oldest is None:
        return
    day, ends = today() - timedelta(days=UNSETTLED_DAYS), monotonic() + COUNTING_SECONDS
    while monotonic() < ends and day >= oldest.astimezone(_zone()).date():
        # A day that was counted while reports could still come is counted once more.
        if day not in counted or counted[day].counted_at < bounds(day)[1] + timedelta(days=UNSETTLED_DAYS - 1):
            count(day)
        day -= timedelta(days=1)


def count(day: date) -> None:
    """Count a day, and keep what was counted."""
    began = monotonic()
    rows = _count(day)
    seconds = monotonic() - began
    with transaction() as session:
        session.execute(delete(DayFigures).where(DayFigures.day == day))
        session.add_all(rows)
        session.merge(CountedDay(day=day, counted_at=now(), seconds=seconds))


def _count(day: date) -> list[DayFigures]:
    start, end = bounds(day)
    of_day = (Message.created_at >= start, Message.created_at < end)
    found = db.session.execute(
        select(Message.phone_id, Message.status, func.count(), func.sum(Message.parts), func.sum(Message.cost))
        .where(*of_day)
        .group_by(Message.phone_id, Message.status)
    ).all()
    return [
        DayFigures(
            day=day,
            phone_id=phone_id,
            status=status,
            number=number,
            parts=int(parts or 0),
            cost=cost,
            delay=_delay(phone_id, start, end) if status is Status.DELIVERED else None,
        )
        for phone_id, status, number, parts, cost in found
    ]


def _delay(phone_id: int, start: datetime, end: datetime) -> float | None:
    """The median seconds between leaving and arriving, of the last delivered messages of a day."""
    rows = db.session.execute(
        select(Message.sent_at, Message.delivered_at)
        .where(Message.created_at >= start, Message.created_at < end, Message.phone_id == phone_id)
        .where(Message.status == Status.DELIVERED, Message.sent_at.is_not(None), Message.delivered_at.is_not(None))
        .order_by(Message.created_at.desc())
        .limit(DELAYS)
    )
    delays = [max(0.0, (arrived - left).total_seconds()) for left, arrived in rows if left and arrived]
    return median(delays) if delays else None


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
