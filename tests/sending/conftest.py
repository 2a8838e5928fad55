"""Fixtures for what goes out."""

import pytest


@pytest.fixture
def two_at_a_time(monkeypatch):
    from raspisms.adapters.octopush.adapter import OctopushVirtualNumber

    monkeypatch.setattr(OctopushVirtualNumber, "max_recipients", 2)
