"""Figures of what was sent: by day, phone and status, with what it cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median
from time import monotonic

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from ..clock import bounds, now, today, zone
from ..extensions import db
from ..models import (
    CountedDay,
    DayCost,
    DayFigures,
    Message,
    MessageEvent,
    Preference,
    Status,
    Submission,
    SubmissionState,
)
from ..storage.transactions import transaction

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
# What was given to a provider, so what is billed.
LEFT = (Status.SENT, Status.DELIVERED, Status.FAILED, Status.UNKNOWN)
# The last days are counted every minute; older ones when something of them has changed, every hour at most.
RECENT_DAYS = 2
AGAIN_AFTER = timedelta(hours=1)
# What has changed is read from the history: so many of its lines at a time.
EVENTS = 50_000
# Where the clock keeps how far it has read, and on which day it last looked for days that were never counted.
READ_UP_TO, LOOKED_ON = "figures read up to event", "figures looked for on"
# Requests from before this moment are gone, and what they cost is as it was counted.
COSTS_KEPT_SINCE = "costs kept since"
# A day that takes no longer than this is counted while somebody looks: what the page says is then of this second.
QUICK_SECONDS = 0.03
# Of a day's delivered messages, so many are looked at to say how long delivery takes.
DELAYS = 300
# What was never counted, and what has changed, is counted bit by bit: the clock has other things to do.
COUNTING_SECONDS = 2.0


@dataclass
class Figures:
    """What a period held."""

    days: dict[date, dict[Status, int]] = field(default_factory=dict)
    totals: dict[Status, int] = field(default_factory=dict)
    cost: Decimal = Decimal(0)
    """Euros: what the providers took, on the days when they took it."""
    estimated: Decimal = Decimal(0)
    """The part of it that no provider has named."""
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
    def dates(self) -> list[date]:
        """The days that have anything."""
        return sorted(self.days.keys() | self.received_days.keys())

    @property
    def left(self) -> int:
        """How many left: neither what still waits, nor what never did."""
        return sum(self.totals.get(status, 0) for status in LEFT)

    def usual(self, day: date) -> tuple[int, int]:
        """How many leave and come in on such a day of the week, itself left out: the middle of the last eight, or of
        those since the first day that has anything.
        """
        first = min([*self.days, *self.received_days], default=day)
        same = [one for back in range(1, 9) if (one := day - timedelta(days=7 * back)) >= first]
        sent = [sum(self.days.get(one, {}).get(status, 0) for status in LEFT) for one in same]
        received = [self.received_days.get(one, 0) for one in same]
        return (int(median(sent)) if sent else 0), (int(median(received)) if received else 0)

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
        self.parts += row.parts if row.status in LEFT else 0
        if row.delay is not None:
            self.delays.append(row.delay)

    def spend(self, row: DayCost) -> None:
        """Take what a day cost into account."""
        self.cost += row.cost
        self.estimated += row.estimated


def by_day(first: date, last: date, phone_id: int | None, *, fresh: bool = True) -> Figures:
    """Messages and costs by the day on which they left or ended: what the clock counted, and the last days anew if
    that is quick. What still waits is of today.

    Without `fresh`, what the clock counted will do.
    """
    figures, anew = Figures(), _quick_days(first, last) if fresh else []
    stored = select(DayFigures).where(DayFigures.day.between(first, last), DayFigures.day.not_in(anew))
    rows = [*db.session.scalars(stored), *(row for day in anew for row in _count(day))]
    if first <= today() <= last:
        rows += _waiting()
    for row in sorted(rows, key=lambda one: one.day):
        if phone_id is None or row.phone_id == phone_id:
            figures.add(row)
    kept = select(DayCost).where(DayCost.day.between(first, last), DayCost.day.not_in(anew))
    for cost in [*db.session.scalars(kept), *(row for day in anew for row in _costs(day))]:
        if phone_id is None or cost.phone_id == phone_id:
            figures.spend(cost)
    return figures


def by_month(first: date) -> dict[date, Decimal]:
    """What each month since `first` cost, by its first day."""
    found: dict[date, Decimal] = {}
    rows = db.session.execute(
        select(DayCost.day, func.sum(DayCost.cost)).where(DayCost.day >= first).group_by(DayCost.day)
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
    _mark_changed()
    counted = {
        row.day: row
        for row in db.session.scalars(
            select(CountedDay).where((CountedDay.day > today() - timedelta(days=RECENT_DAYS)) | CountedDay.is_stale)
        )
    }
    recent = [today() - timedelta(days=ago) for ago in range(RECENT_DAYS)]
    ends = monotonic() + COUNTING_SECONDS
    for day in [*recent, *sorted(counted.keys() - set(recent), reverse=True)]:
        limit = timedelta(minutes=1) if day in recent else AGAIN_AFTER
        if (day not in counted or _is_old(counted[day], limit)) and (day in recent or monotonic() < ends):
            count(day)
    if _kept(LOOKED_ON) != today().isoformat() and _count_unknown(recent[-1], ends):
        _keep(LOOKED_ON, today().isoformat())


def _is_old(counted: CountedDay, limit: timedelta) -> bool:
    """Whether it was counted that long ago, or by a clock that was ahead."""
    return not timedelta(0) <= now() - counted.counted_at < limit


def _count_unknown(before: date, ends: float) -> bool:
    """Count days that were never counted, the newest first; False when time was over before the last."""
    known = set(db.session.scalars(select(CountedDay.day)))
    day: date | None = before
    while day := _day_before(day):
        if monotonic() > ends:
            return False
        if day not in known:
            count(day)
    return True


def _day_before(day: date | None) -> date | None:
    """The last day before this one on which something was sent, received or paid."""
    start = bounds(day)[0] if day else now()
    last = [
        db.session.scalar(select(func.max(column)).where(column < start))
        for column in (Message.figures_at, Submission.closed_at)
    ]
    found = [moment for moment in last if moment is not None]
    return max(found).astimezone(zone()).date() if found else None


def _mark_changed() -> None:
    """The days of messages to which something happened since the last look are to be counted again."""
    newest = db.session.scalar(select(func.max(MessageEvent.id))) or 0
    since = int(_kept(READ_UP_TO) or newest)
    upto = min(newest, since + EVENTS)
    if upto <= since and _kept(READ_UP_TO):
        return
    happened = db.session.scalars(
        select(Message.figures_at)
        .join(MessageEvent, MessageEvent.message_id == Message.id)
        .where(MessageEvent.id > since, MessageEvent.id <= upto)
        .where(Message.figures_at < bounds(today() - timedelta(days=RECENT_DAYS - 1))[0])
        .distinct()
    )
    days = {moment.astimezone(zone()).date() for moment in happened if moment is not None}
    with transaction() as session:
        if days:
            session.execute(update(CountedDay).where(CountedDay.day.in_(days)).values(is_stale=True))
        session.merge(Preference(name=READ_UP_TO, value=str(upto)))


def moves(session: Session, which: ColumnElement[bool]) -> None:
    """Messages are about to be counted on another day: the present ones are to be counted again.

    `which` is a condition on Message. Call inside a transaction.
    """
    first, last = session.execute(select(func.min(Message.figures_at), func.max(Message.figures_at)).where(which)).one()
    if first is not None and last is not None:
        between = CountedDay.day.between(first.astimezone(zone()).date(), last.astimezone(zone()).date())
        session.execute(update(CountedDay).where(between).values(is_stale=True))


def _kept(name: str) -> str | None:
    row = db.session.get(Preference, name)
    return None if row is None else row.value


def _keep(name: str, value: str) -> None:
    with transaction() as session:
        session.merge(Preference(name=name, value=value))


def count(day: date) -> None:
    """Count a day, and keep what was counted."""
    began = monotonic()
    rows, costs = _count(day), _costs(day)
    seconds = monotonic() - began
    with transaction() as session:
        session.execute(delete(DayFigures).where(DayFigures.day == day))
        session.add_all(rows)
        if _has_costs_of(day):
            session.execute(delete(DayCost).where(DayCost.day == day))
            session.add_all(costs)
        session.merge(CountedDay(day=day, counted_at=now(), seconds=seconds, is_stale=False))


def keep_costs(first_kept: date, ends: float) -> bool:
    """Requests from before that day are about to go: count what they cost; False when time is over first."""
    day: date | None = first_kept
    known = set(db.session.scalars(select(CountedDay.day).where(CountedDay.is_stale.is_(False))))
    while day := _day_before(day):
        if not _has_costs_of(day):
            break
        if day not in known:
            count(day)
        if monotonic() > ends:
            return False
    _keep(COSTS_KEPT_SINCE, first_kept.isoformat())
    return True


def _has_costs_of(day: date) -> bool:
    """Whether the requests of that day are all still there."""
    since = _kept(COSTS_KEPT_SINCE)
    return since is None or day >= date.fromisoformat(since)


def _count(day: date) -> list[DayFigures]:
    start, end = bounds(day)
    of_day = (Message.figures_at >= start, Message.figures_at < end)
    found = db.session.execute(
        select(Message.phone_id, Message.status, func.count(), func.sum(Message.parts))
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
            delay=_delay(phone_id, start, end) if status is Status.DELIVERED else None,
        )
        for phone_id, status, number, parts in found
    ]


def _waiting() -> list[DayFigures]:
    """What has neither left nor ended."""
    found = db.session.execute(
        select(Message.phone_id, Message.status, func.count(), func.sum(Message.parts))
        .where(Message.figures_at.is_(None))
        .group_by(Message.phone_id, Message.status)
    ).all()
    return [
        DayFigures(day=today(), phone_id=phone_id, status=status, number=number, parts=int(parts or 0))
        for phone_id, status, number, parts in found
    ]


def _costs(day: date) -> list[DayCost]:
    """What the requests that were taken on a day cost, each attempt of each message."""
    start, end = bounds(day)
    found = db.session.execute(
        select(Submission.phone_id, Submission.is_estimated, func.sum(Submission.cost))
        .where(Submission.closed_at >= start, Submission.closed_at < end)
        .where(Submission.state == SubmissionState.ACCEPTED, Submission.cost.is_not(None))
        .group_by(Submission.phone_id, Submission.is_estimated)
    ).all()
    costs: dict[int, DayCost] = {}
    for phone_id, is_estimated, spent in found:
        cost = spent or Decimal(0)
        row = costs.setdefault(phone_id, DayCost(day=day, phone_id=phone_id, cost=Decimal(0), estimated=Decimal(0)))
        row.cost += cost
        row.estimated += cost if is_estimated else 0
    return list(costs.values())


def _delay(phone_id: int, start: datetime, end: datetime) -> float | None:
    """The median seconds between leaving and arriving, of the last delivered messages of a day."""
    rows = db.session.execute(
        select(Message.sent_at, Message.delivered_at)
        .where(Message.figures_at >= start, Message.figures_at < end, Message.phone_id == phone_id)
        .where(Message.status == Status.DELIVERED, Message.sent_at.is_not(None), Message.delivered_at.is_not(None))
        .order_by(Message.figures_at.desc())
        .limit(DELAYS)
    )
    delays = [max(0.0, (arrived - left).total_seconds()) for left, arrived in rows if left and arrived]
    return median(delays) if delays else None
