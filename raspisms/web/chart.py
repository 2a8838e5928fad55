"""Figures as a drawing: for each day a bar of what was sent, and one of what was received; no script is needed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from ..figures.days import LEFT, SHOWN, Figures
from ..models import Status

# A day is so wide; what was sent stands at its left, what was received at its right.
DAY = 10.0
SENT, RECEIVED = (0.8, 5.2), (6.4, 2.6)
# So many dates stand below, at most.
DATES = 6
# A longer period has a bar for each week: a day of a year would be thinner than a telephone can draw.
MOST_DAYS, WEEK = 92, 7


@dataclass(frozen=True)
class Piece:
    """A rectangle, in the chart's own units: 100 high."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    """A status, or "received"."""
    number: int


@dataclass(frozen=True)
class Day:
    """What one day held, or the week that it begins, for who points at it."""

    day: date
    x: float
    pieces: list[Piece]
    sent: int
    """How many left: neither what waits, nor what never did."""
    received: int


@dataclass(frozen=True)
class Chart:
    """All days of a period, or all weeks of a long one."""

    days: list[Day]
    by_week: bool
    width: float
    highest: int
    """What the top of the axis stands for."""
    kinds: list[str]
    dates: list[Day]
    """The days whose dates stand below."""

    @property
    def is_empty(self) -> bool:
        return not any(one.pieces for one in self.days)


def chart(figures: Figures, first: date, last: date) -> Chart:
    """Where each piece of the chart is."""
    by_week = (last - first).days >= MOST_DAYS
    starts = range(0, (last - first).days + 1, WEEK if by_week else 1)
    days = [first + timedelta(days=ahead) for ahead in starts]
    held = [_held(figures, day, WEEK if by_week else 1) for day in days]
    top = _round_up(max((max(one.sent.total(), one.received) for one in held), default=0))
    drawn = [_day(one, day, place * DAY, top) for place, (day, one) in enumerate(zip(days, held, strict=True))]
    kinds = [*(status.value for status in SHOWN), "received"]
    seen = {piece.kind for one in drawn for piece in one.pieces}
    step = max(1, -(-len(drawn) // DATES))
    return Chart(drawn, by_week, len(days) * DAY, top, [kind for kind in kinds if kind in seen], drawn[::step])


class _Held(NamedTuple):
    sent: Counter[Status]
    received: int


def _held(figures: Figures, first: date, length: int) -> _Held:
    days = [first + timedelta(days=ahead) for ahead in range(length)]
    sent: Counter[Status] = Counter()
    for day in days:
        sent.update(figures.days.get(day, {}))
    return _Held(sent, sum(figures.received_days.get(day, 0) for day in days))


def _day(held: _Held, day: date, x: float, top: int) -> Day:
    pieces, y = [], 100.0
    for status in SHOWN:
        number = held.sent[status]
        if number:
            height = number * 100 / top
            y -= height
            pieces.append(Piece(x + SENT[0], y, SENT[1], height, status.value, number))
    if held.received:
        height = held.received * 100 / top
        pieces.append(Piece(x + RECEIVED[0], 100 - height, RECEIVED[1], height, "received", held.received))
    return Day(day, x, pieces, sum(held.sent[status] for status in LEFT), held.received)


def _round_up(number: int) -> int:
    """A round number that is not below this one: what an axis ends with; half of it is whole, too."""
    if number <= 4:
        return 4
    size: int = 10 ** (len(str(number)) - 1)
    steps = (10, 12, 14, 16, 20, 24, 30, 40, 50, 60, 80, 100)  # tenths
    return next((step * size // 10 for step in steps if step * size >= number * 10), number)
