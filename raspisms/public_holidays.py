"""Public holidays of France, by region."""

from __future__ import annotations

import functools
from datetime import date


def is_holiday(day: date, region: str) -> bool:
    """Whether it is a public holiday there; `region` is a key of preferences.REGIONS."""
    return day in _holidays(day.year, region)


@functools.lru_cache(maxsize=64)
def _holidays(year: int, region: str) -> frozenset[date]:
    import holidays

    calendar = holidays.country_holidays("FR", subdiv=_subdivision(region), years=year)
    return frozenset(calendar)


def _subdivision(region: str) -> str | None:
    return {"": None, "Alsace-Moselle": "57"}.get(region, region)
