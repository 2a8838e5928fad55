"""Public holidays, in every region."""

from __future__ import annotations

from datetime import date

import pytest

from raspisms.team import preferences, public_holidays


@pytest.mark.parametrize("region", preferences.REGIONS)
def test_every_region_has_its_public_holidays(region, caplog):
    assert public_holidays.is_holiday(date(2026, 7, 14), region)
    assert not public_holidays.is_holiday(date(2026, 7, 15), region)
    assert caplog.records == []


def test_guyane_remembers_and_a_region_that_nobody_knows_stops_nothing():
    assert public_holidays.is_holiday(date(2026, 6, 10), "GF")
    assert not public_holidays.is_holiday(date(2026, 6, 10), "")
    assert public_holidays.is_holiday(date(2026, 7, 14), "Atlantis")
