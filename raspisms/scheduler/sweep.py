"""The timetable: what runs at which second, and why. Each step finds in the database what is due, whatever became of
the queue, and does it or rings for it."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable

from sqlalchemy.orm import Session

from ..campaigns import drafts, lifecycle, settlement
from ..delivery_reports import reports
from ..extensions import db
from ..figures import days
from ..notices import planning
from ..people import imports
from ..sending import expiry, overdue
from . import clock_jumps, removals, retention, steps
from .steps import SWEEP_SECONDS

log = logging.getLogger(__name__)

LEAST_SECONDS = 0.2

# Every five seconds, or sooner when a step knows of something that is due sooner; in this order.
EVERY_LOOK: tuple[Callable[[], float], ...] = (
    steps.follow_clock,  # a clock that was set back must hold nothing up
    steps.receive,  # what was said comes before what is sent: a STOP, a late report
    steps.check_phones,
    steps.release_held,  # an SMS can be called back for so long, and no longer
    steps.expire,
    removals.work,  # what people deleted ten seconds ago
    steps.look_after_campaigns,  # hours, trials, the end
    steps.go_on_with_restoration,
    steps.ring_for_sending,
    steps.tidy_log,
    steps.go_on_with_lists,
    steps.prepare_campaigns,
    steps.ring_for_notices,
    steps.ring_for_browsers,
    steps.index_texts,
)

# Once a minute.
EVERY_MINUTE: tuple[Callable[[], object], ...] = (
    clock_jumps.release,
    overdue.close_everywhere,  # what may not be repeated any more
    expiry.mark_unreported,
    lifecycle.finish_verbs,
    planning.plan_digests,
    imports.tidy,
    removals.tidy,
    drafts.tidy,
    planning.tidy,
    days.count_due,
)
# The same, each in a transaction of its own.
EVERY_MINUTE_BY_ROW: tuple[Callable[[Session], object], ...] = (
    reports.match_left_over,
    settlement.settle,
    lifecycle.end_interrupted,
    steps.forget_early_reports,
    steps.show_life,
)
# Then, so that none of these waits for it; at night only.
LAST_OF_A_MINUTE: tuple[Callable[[], object], ...] = (retention.work,)


def sweep() -> float:
    """Look at everything; gives back the seconds until the next look is worth it."""
    times = [found for found in guarded(*EVERY_LOOK) if isinstance(found, float)]
    return max(LEAST_SECONDS, min(times, default=SWEEP_SECONDS))


def tidy() -> None:
    """What is done once a minute."""
    by_row = (functools.partial(steps.in_transaction, step) for step in EVERY_MINUTE_BY_ROW)
    guarded(*EVERY_MINUTE, *by_row, *LAST_OF_A_MINUTE)


def guarded(*steps: Callable[[], object]) -> list[object]:
    """Do each step, whatever became of the others: what they gave back, None for one that failed.

    For the clock, which no job's limit ends: one step's trouble is neither the others' nor its own end.
    """
    found: list[object] = []
    for step in steps:
        try:
            found.append(step())
        except Exception:
            log.exception("a step of the clock failed and is tried again")
            found.append(None)
        finally:
            db.session.rollback()
            db.session.expire_all()
    return found
