"""The clock's look at everything: what sending needs, then lists, campaigns being prepared, e-mails, the index."""

from __future__ import annotations

from .. import queues, statistics
from ..extensions import bell
from ..finding import search
from ..notices import planning
from ..people import imports
from ..sending import recovery
from . import drafts, launch


def sweep() -> float:
    """Ring for everything that is due; gives back the seconds until the next look is worth it."""
    return recovery.sweep((_lists, _campaigns, _notices, _index))


def _lists() -> float:
    for import_id in imports.unfinished():
        imports.ring(import_id)
    return recovery.SWEEP_SECONDS


def _campaigns() -> float:
    for campaign_id in launch.unfinished():
        drafts.ring(campaign_id)
    return launch.begin_due() or recovery.SWEEP_SECONDS


def _notices() -> float:
    if planning.is_possible() and planning.is_due():
        bell.ring(queues.UPKEEP, queues.POST_NOTICES, timeout=queues.NOTICE_SECONDS)
    return recovery.SWEEP_SECONDS


def _index() -> float:
    search.catch_up()
    return recovery.SWEEP_SECONDS


def tidy() -> None:
    """Once a minute."""
    recovery.tidy()
    recovery.guarded(planning.plan_digests, imports.tidy, planning.tidy, statistics.count_due)
