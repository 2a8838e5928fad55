"""Public holidays, in every region."""

from __future__ import annotations

from datetime import UTC, date, datetime

import holidays
import pytest

from raspisms.messages import hours
from raspisms.models import Hours
from raspisms.team import preferences, public_holidays


@pytest.mark.parametrize("region", preferences.REGIONS)
@pytest.mark.parametrize("year", [2026, 2027, 2028])
def test_every_region_has_its_public_holidays(region, year, caplog):
    assert public_holidays.is_holiday(date(year, 7, 14), region)
    assert not public_holidays.is_holiday(date(year, 7, 15), region)
    assert caplog.records == []


def test_guyane_remembers_and_a_region_that_nobody_knows_stops_nothing():
    assert public_holidays.is_holiday(date(2026, 6, 10), "GF")
    assert not public_holidays.is_holiday(date(2026, 6, 10), "")
    assert public_holidays.is_holiday(date(2026, 7, 14), "Atlantis")


@pytest.fixture
def broken(monkeypatch):
    """A library that fails in a way that nobody foresaw."""

    def fail(*_, **__):
        raise RuntimeError("a calendar of the moon")

    def forget():
        for cached in (public_holidays._holidays, public_holidays._calendar):
            cached.cache_clear()

    monkeypatch.setattr(holidays, "country_holidays", fail)
    forget()
    yield
    forget()


def test_a_calendar_that_fails_stops_nothing_and_is_said(broken, app, get):
    assert not public_holidays.is_holiday(date(2026, 7, 14), "GF")
    with app.app_context():
        assert hours.opening(Hours.STRICT, datetime(2026, 7, 14, 12, tzinfo=UTC)) is None
        assert hours.opening(Hours.STRICT, datetime(2026, 7, 12, 12, tzinfo=UTC)) is not None  # a Sunday
    assert "Le calendrier des jours fériés est illisible" in get("/").text


def test_a_calendar_that_works_is_no_trouble(app, get):
    assert public_holidays.troubled(preferences.REGIONS, 2026) == []
    assert "jours fériés est illisible" not in get("/").text
