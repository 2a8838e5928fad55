"""What each day held, counted by the clock: a page about a year must not go through a million messages."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Date, Float, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from ..extensions import Model
from ..storage.types import Euros, UTCDateTime
from ._columns import enum_column
from .message import Status


class DayFigures(Model):
    """One phone, one day (on the wall clock, by the time it left or ended), one status."""

    __tablename__ = "day_figures"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"), primary_key=True)
    status: Mapped[Status] = mapped_column(enum_column(Status), primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
    parts: Mapped[int] = mapped_column(default=0)
    delay: Mapped[float | None] = mapped_column(Float)
    """Of delivered ones: the median of the seconds between leaving and arriving."""


class DayCost(Model):
    """What the requests that a provider took on one day cost, for one phone."""

    __tablename__ = "day_costs"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    phone_id: Mapped[int] = mapped_column(ForeignKey("phones.id"), primary_key=True)
    cost: Mapped[Decimal] = mapped_column(Euros)
    estimated: Mapped[Decimal] = mapped_column(Euros, default=Decimal(0))
    """The part of it that the provider did not name."""


class CountedDay(Model):
    """When a day was last counted, and what that took."""

    __tablename__ = "counted_days"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    counted_at: Mapped[datetime] = mapped_column(UTCDateTime)
    seconds: Mapped[float] = mapped_column(Float)
    is_stale: Mapped[bool] = mapped_column(default=False)
    """Something of that day has changed since."""
