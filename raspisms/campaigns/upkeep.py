"""The clock's look at everything: what sending needs, then the lists and the campaigns that are being prepared."""

from __future__ import annotations

from ..database import transaction
from ..people import imports
from ..sending import recovery
from . import drafts, launch


def sweep() -> float:
    """Ring for everything that is due; gives back the seconds until the next look is worth it."""
    return recovery.sweep((_lists, _campaigns))


def _lists() -> float:
    for import_id in imports.unfinished():
        imports.ring(import_id)
    return recovery.SWEEP_SECONDS


def _campaigns() -> float:
    for campaign_id in launch.unfinished():
        drafts.ring(campaign_id)
    return launch.begin_due() or recovery.SWEEP_SECONDS


def tidy() -> None:
    """Once a minute."""
    recovery.tidy()
    with transaction() as session:
        imports.tidy(session)
