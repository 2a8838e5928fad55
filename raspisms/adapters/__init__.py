"""The providers that RaspiSMS speaks to. A new one: see README.md beside this file."""

from __future__ import annotations

from ..sms.purposes import Purpose
from .base import Adapter
from .octopush.adapter import OctopushVirtualNumber
from .octopush.sandbox import OctopushSandbox

REGISTRY: dict[str, type[Adapter]] = {adapter.key: adapter for adapter in (OctopushVirtualNumber, OctopushSandbox)}


TRAINING = frozenset(key for key, adapter in REGISTRY.items() if adapter.is_training)


def purpose_called(word: str | None) -> Purpose | None:
    """The purpose of this name, ours or a provider's: pages that were opened before an upgrade say the latter."""
    if word in set(Purpose):
        return Purpose(word)
    called = {name: purpose for adapter in REGISTRY.values() for purpose, name in adapter.purposes.items()}
    return called.get(word or "")


__all__ = ["REGISTRY", "TRAINING", "Adapter", "purpose_called"]
