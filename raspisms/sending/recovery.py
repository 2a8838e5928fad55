"""The sweep: finds what is due in the database and rings for it, whatever happened to the queue."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .. import queues
from ..database import checkpoint, now, transaction
from ..extensions import bell, db
from ..models import Account, Heartbeat, Lane, ParkedReport, Phone, Submission, SubmissionState
from ..models.phone import SENDING_STATUSES
from ..phones import checking
from ..receiving import journal, reports
from . import campaigns, canary, claim, expiry, holding, hours, lease, overdue, pace, restoration, settlement, timeshift

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
# What the clock itself applies of callbacks before it looks after the rest again.
APPLY_SECONDS = 10.0
PARKED_FOR = timedelta(hours=72)


def sweep(more: tuple[Callable[[], float], ...] = ()) -> float:
    """Ring for everything that is due; gives back the seconds until the next look is worth it.

    `more` are steps of layers above, which give back the same.
    """
    steps = (
        _follow_clock,
        _receive,
        _check_phones,
        _let_go,
        _expire,
        _look_after_campaigns,
        _restore,
        _send,
        _checkpoint,
    )
    times = [found for found in guarded(*steps, *more) if isinstance(found, float)]
    return max(0.2, min(times, default=SWEEP_SECONDS))


def _restore() -> float:
    restoration.work()
    return SWEEP_SECONDS


def _receive() -> float:
    journal.import_inbox()
    if journal.has_new() and not bell.ring(queues.RECEIVING, queues.APPLY_CALLBACKS, timeout=queues.APPLY_SECONDS):
        journal.apply_new(APPLY_SECONDS)  # the queue server is gone: reports and replies do not wait for it
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
    if settlement.is_due(db.session()):
        _in_transaction(settlement.settle)
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
    due_at = min(filter(None, (_by_hand_due(account, moment), _any_due(account, moment))), default=None)
    if due_at is None:
        return SWEEP_SECONDS
    if due_at > moment:
        return (due_at - moment).total_seconds()
    bell.ring(queues.SENDING, queues.DRAIN, account.id, timeout=queues.DRAIN_SECONDS)
    return SWEEP_SECONDS


def _any_due(account: Account, moment: datetime) -> datetime | None:
    """When something waits, a repetition is due, or a campaign's pace lets the next chunk go; not before its peace."""
    times = (_next_attempt(account.id, Lane.BULK), pace.next_free(account.id))
    due_at = moment if claim.has_waiting(account.id) else min(filter(None, times), default=None)
    return due_at and max(due_at, account.not_before or due_at)


def _by_hand_due(account: Account, moment: datetime) -> datetime | None:
    """The same for what people wrote by hand, which may go sooner."""
    if account.by_hand_not_before is None:
        return None
    by_hand = claim.has_waiting(account.id, by_hand=True)
    due_at = moment if by_hand else _next_attempt(account.id, Lane.SINGLE)
    return due_at and max(due_at, account.by_hand_not_before)


def _next_attempt(account_id: int, lanes: Lane) -> datetime | None:
    """When the first open submission of a phone that may send is to be repeated; None without any."""
    return db.session.scalar(
        select(Submission.next_attempt_at)
        .join(Phone, Submission.phone_id == Phone.id)
        .where(
            Submission.account_id == account_id,
            Submission.lane <= lanes,
            Submission.state == SubmissionState.OPEN,
            Phone.account_id == account_id,
            Phone.status.in_(SENDING_STATUSES),
        )
        .order_by(Submission.next_attempt_at)
        .limit(1)
    )


def tidy() -> None:
    """Once a minute: close what may not be repeated, match or forget early reports, show that the clock works."""
    guarded(
        timeshift.release,
        overdue.close_everywhere,
        expiry.mark_unreported,
        campaigns.finish_verbs,
        *(functools.partial(_in_transaction, step) for step in TIDY_STEPS),
    )


def _in_transaction(step: Callable[[Session], object]) -> None:
    with transaction() as session:
        step(session)


def _forget_parked(session: Session) -> None:
    session.execute(delete(ParkedReport).where(ParkedReport.created_at < now() - PARKED_FOR))


def _show_life(session: Session) -> None:
    session.merge(Heartbeat(name="clock", at=now()))


TIDY_STEPS: tuple[Callable[[Session], object], ...] = (
    reports.match_left_over,
    settlement.settle,
    campaigns.end_interrupted,
    _forget_parked,
    _show_life,
)


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
