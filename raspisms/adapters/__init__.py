"""The providers that RaspiSMS speaks to. A new one: see README.md beside this file."""

from __future__ import annotations

from .base import Adapter
from .octopush.adapter import OctopushVirtualNumber
from .octopush.sandbox import OctopushSandbox

REGISTRY: dict[str, type[Adapter]] = {adapter.key: adapter for adapter in (OctopushVirtualNumber, OctopushSandbox)}

__all__ = ["REGISTRY", "Adapter"]
