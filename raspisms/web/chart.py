"""Figures as a drawing: bars of days or months, without a script."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from ..figures.days import SHOWN, Figures
from ..models import Status


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
