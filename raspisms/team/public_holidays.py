"""Public holidays of France, by region."""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterable
from datetime import date

from ..storage.transactions import INTERRUPTIONS

log = logging.getLogger(__name__)

# What the library calls the regions whose holidays differ; every key of preferences.REGIONS is tried in a test.
SUBDIVISIONS = {"": None, "Alsace-Moselle": "57", "GP": "971", "MQ": "972", "GF": "973", "RE": "974", "YT": "976"}
# This year and the next two are looked at before anybody needs them.
YEARS_AHEAD = 3


def is_holiday(day: date, region: str) -> bool:
    """Whether it is a public holiday there; `region` is a key of preferences.REGIONS.

    A region that the library does not know has the holidays of the whole country, and if it knows nothing at all no
    day is one: its data must not stop the sending. `troubled` tells.
    """
    return day in _holidays(day.year, region)


def troubled(regions: Iterable[str], first_year: int) -> list[str]:
    """The regions whose calendar fails within three years."""
    return [
        region
        for region in regions
        if any(not _calendar(year, region) for year in range(first_year, first_year + YEARS_AHEAD))
    ]


@functools.lru_cache(maxsize=128)
def _holidays(year: int, region: str) -> frozenset[date]:
    return _calendar(year, region) or _calendar(year, "")


@functools.lru_cache(maxsize=128)
def _calendar(year: int, region: str) -> frozenset[date]:
    """The holidays of a region; none where the library fails, whatever became of it."""
    try:
        import holidays

        return frozenset(holidays.country_holidays("FR", subdiv=SUBDIVISIONS.get(region, region), years=year))
    except INTERRUPTIONS:
        raise
    except Exception as error:
        log.error("no public holidays of %s for %s: %s", year, region or "France", type(error).__name__)
        return frozenset()
