"""Public holidays of France, by region."""

from __future__ import annotations

import functools
import logging
from datetime import date

log = logging.getLogger(__name__)

# What the library calls the regions whose holidays differ; every key of preferences.REGIONS is tried in a test.
SUBDIVISIONS = {"": None, "Alsace-Moselle": "57", "GP": "971", "MQ": "972", "GF": "973", "RE": "974", "YT": "976"}
# What a library raises for a region or a year that its data lacks.
UNKNOWN_TO_IT = (NotImplementedError, LookupError, ValueError, TypeError, AttributeError)


def is_holiday(day: date, region: str) -> bool:
    """Whether it is a public holiday there; `region` is a key of preferences.REGIONS.

    A region that the library does not know has the holidays of the whole country: its data must not stop the sending.
    """
    return day in _holidays(day.year, region)


@functools.lru_cache(maxsize=64)
def _holidays(year: int, region: str) -> frozenset[date]:
    import holidays

    for subdivision in (SUBDIVISIONS.get(region, region), None):
        try:
            return frozenset(holidays.country_holidays("FR", subdiv=subdivision, years=year))
        except UNKNOWN_TO_IT as error:
            log.error("no public holidays of %s for %s: %s", year, subdivision or "France", type(error).__name__)
    return frozenset()
