"""What time it is: in UTC for machines, in the installation's own zone for people."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import current_app


def now() -> datetime:
    """The present time, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """The day that it is, on the wall clock of the installation."""
    return now().astimezone(zone()).date()


def bounds(day: date) -> tuple[datetime, datetime]:
    """When a day begins and ends: days are not all 24 hours long, and the database need not know zones."""
    start = datetime.combine(day, time(), zone())
    return start.astimezone(UTC), datetime.combine(day + timedelta(days=1), time(), zone()).astimezone(UTC)


def zone() -> ZoneInfo:
    """The zone in which the people here live."""
    return ZoneInfo(current_app.config["TIMEZONE"])
