"""The sweep: finds what is due in the database and rings for it, whatever happened to the queue."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from .. import queues
from ..database import checkpoint, now, transaction
from ..extensions import bell, db
from ..models import Account, Heartbeat, ParkedReport, Phone, Submission, SubmissionState
from ..models.phone import SENDING_STATUSES
from ..phones import checking
from ..receiving import journal, reports
from . import campaigns, canary, claim, expiry, holding, hours, lease, overdue, pace, timeshift

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
PARKED_FOR = timedelta(hours=72)


def sweep(more: tuple[Callable[[], float], ...] = ()) -> float:
    """Ring for everything that is due; gives back the seconds until the next look is worth it.

    `more` are steps of layers above, which give back the same.
    """
    next_due = SWEEP_SECONDS
    steps = (_follow_clock, _receive, _check_phones, _let_go, _expire, _look_after_campaigns, _send, _checkpoint)
    for step in (*steps, *more):
        try:
            next_due = min(next_due, step())
        except Exception:  # one step's trouble is neither the others' nor the clock's end
            log.exception("a step of the sweep failed and is tried again")
        finally:
            db.session.rollback()
            db.session.expire_all()
    return max(0.2, next_due)


def _receive() -> float:
    journal.import_inbox()
    if journal.has_new() and not bell.ring(queues.RECEIVING, queues.APPLY_CALLBACKS, timeout=queues.APPLY_SECONDS):
        journal.apply_new()  # the queue server is gone: reports and replies do not wait for it
    return SWEEP_SECONDS


def _check_phones() -> float:
    for phone_id in checking.due_phones():
        bell.ring(queues.UPKEEP, queues.CHECK_PHONE, phone_id, timeout=queues.CHECK_SECONDS)
    return SWEEP_SECONDS


def _look_after_campaigns() -> float:
    if hours.has_any(db.session()) or canary.has_any(db.session()):
        with transaction() as session:
            hours.mark(session)
            canary.judge(session)
    return SWEEP_SECONDS


def _follow_clock() -> float:
    if timeshift.is_behind():
        log.warning("something is under way from the future: the clock was set back, and what waits is due now")
        timeshift.release(timedelta(0))
    return SWEEP_SECONDS


def _let_go() -> float:
    return min(holding.let_go(), SWEEP_SECONDS)


def _expire() -> float:
    expiry.expire_now()
    return SWEEP_SECONDS


def _checkpoint() -> float:
    checkpoint()
    return SWEEP_SECONDS


def _send() -> float:
    active = select(Phone.account_id).where(Phone.status.in_(SENDING_STATUSES))
    accounts = db.session.scalars(select(Account).where(Account.id.in_(active)))
    return min((_ring_if_due(account) for account in accounts), default=SWEEP_SECONDS)


def _ring_if_due(account: Account) -> float:
    """Ring when the account may send now and nobody does; else the seconds until it may."""
    moment = now()
    if account.holder is not None and not lease.is_free(account):
        return SWEEP_SECONDS  # its holder looks again before it ends
    due_at = moment if claim.has_waiting(account.id) else _next_due(account.id)
    if due_at is None:
        return SWEEP_SECONDS
    due_at = max(due_at, account.not_before or due_at)
    if due_at > moment:
        return (due_at - moment).total_seconds()
    bell.ring(queues.SENDING, queues.DRAIN, account.id, timeout=queues.DRAIN_SECONDS)
    return SWEEP_SECONDS


def _next_due(account_id: int) -> datetime | None:
    """When a repetition is due, or a campaign's pace lets the next chunk go, whichever comes first."""
    return min(filter(None, (_next_attempt(account_id), pace.next_free(account_id))), default=None)


def _next_attempt(account_id: int) -> datetime | None:
    """When the first open submission of a phone that may send is to be repeated; None without any."""
    return db.session.scalar(
        select(Submission.next_attempt_at)
        .join(Phone, Submission.phone_id == Phone.id)
        .where(
            Submission.account_id == account_id,
            Submission.state == SubmissionState.OPEN,
            Phone.account_id == account_id,
            Phone.status.in_(SENDING_STATUSES),
        )
        .order_by(Submission.next_attempt_at)
        .limit(1)
    )


def tidy() -> None:
    """Once a minute: close what may not be repeated, match or forget early reports, show that the clock works."""
    timeshift.release()
    overdue.close_everywhere()
    expiry.mark_unreported()
    with transaction() as session:
        reports.match_left_over(session)
        campaigns.cancel_returned(session)
        campaigns.settle(session)
        campaigns.end_interrupted(session)
        session.execute(delete(ParkedReport).where(ParkedReport.created_at < now() - PARKED_FOR))
        session.merge(Heartbeat(name="clock", at=now()))
