"""The 14th of July, whatever the day and the zone of the machine."""

from datetime import datetime

import pytest

from raspisms.language import dates


@pytest.fixture(autouse=True)
def national_day(monkeypatch):
    monkeypatch.setattr(dates, "present", lambda: datetime(2026, 7, 14, 12))
