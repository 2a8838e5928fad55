"""When the team is there: its opening hours, and since when it is away."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from .. import clock
from .preferences import Choices
from .public_holidays import is_holiday

# No calendar closes longer than this.
LOOK_BACK_DAYS = 30


def closed_since(choices: Choices, moment: datetime) -> datetime | None:
    """When the team went away; None while it is there, and for a team without opening hours."""
    if not choices.open_days:
        return None
    zone = clock.zone()
    local = moment.astimezone(zone)
    for behind in range(LOOK_BACK_DAYS):
        day = local.date() - timedelta(days=behind)
        if day.weekday() not in choices.open_days or is_holiday(day, choices.region):
            continue
        opens = datetime.combine(day, time.fromisoformat(choices.opens), zone)
        closes = datetime.combine(day, time.fromisoformat(choices.closes), zone)
        if opens <= moment < closes:
            return None
        if closes <= moment:
            return closes
    return moment - timedelta(days=LOOK_BACK_DAYS)


def is_open(choices: Choices, moment: datetime) -> bool:
    """Whether the team is there."""
    return closed_since(choices, moment) is None
