"""What the clock does, one step each; when and why is in sweep.py."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .. import job_queue
from ..campaigns import drafts, launch, settlement, trial
from ..clock import now
from ..extensions import bell, db
from ..messages import hours, search
from ..models import Account, Heartbeat, Lane, ParkedReport, Phone, Submission, SubmissionState
from ..models.phone import SENDING_STATUSES
from ..notices import planning, pushing
from ..people import imports
from ..phones import checking
from ..receiving import journal
from ..sending import claim, expiry, lease, pace, recall, restoration
from ..storage.engine import checkpoint
from ..storage.transactions import transaction
from . import clock_jumps

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
# What the clock itself applies of callbacks before it looks after the rest again.
APPLY_SECONDS = 10.0
PARKED_FOR = timedelta(hours=72)


def in_transaction(step: Callable[[Session], object]) -> None:
    """Do it in a transaction of its own."""
    with transaction() as session:
        step(session)


def go_on_with_restoration() -> float:
    """What somebody decided to keep back of an older copy is kept back, step by step."""
    restoration.work()
    return SWEEP_SECONDS


def receive() -> float:
    """Stored callbacks are applied: by a job, or here when the queue server is gone."""
    journal.import_inbox()
    if journal.has_new() and not bell.ring(
        job_queue.RECEIVING, job_queue.APPLY_CALLBACKS, timeout=job_queue.APPLY_SECONDS
    ):
        journal.apply_new(APPLY_SECONDS)  # the queue server is gone: reports and replies do not wait for it
    return SWEEP_SECONDS


def check_phones() -> float:
    """Paused phones whose check is due."""
    for phone_id in checking.due_phones():
        bell.ring(job_queue.UPKEEP, job_queue.CHECK_PHONE, phone_id, timeout=job_queue.CHECK_SECONDS)
    return SWEEP_SECONDS


def look_after_campaigns() -> float:
    """Hours that begin or end, trials whose reports came, campaigns of which nothing waits any more."""
    if hours.has_any(db.session()) or trial.has_any(db.session()):
        with transaction() as session:
            hours.mark(session)
            trial.judge(session)
    if settlement.is_due(db.session()):
        in_transaction(settlement.settle)
    return SWEEP_SECONDS


def follow_clock() -> float:
    """What would wait for a time that the clock has gone back from is due now."""
    if clock_jumps.is_behind():
        log.warning("something is under way from the future: the clock was set back, and what waits is due now")
        clock_jumps.release(timedelta(0))
    return SWEEP_SECONDS


def release_held() -> float:
    """What was written a few seconds ago, and not called back, is queued."""
    return min(recall.release_due(), SWEEP_SECONDS)


def expire() -> float:
    """What is of no use any more does not leave."""
    expiry.expire_now()
    return SWEEP_SECONDS


def tidy_log() -> float:
    """SQLite's log does not grow without an end."""
    checkpoint()
    return SWEEP_SECONDS


def ring_for_sending() -> float:
    """Accounts with something to send, and nobody who sends."""
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
    bell.ring_drain(account.id)
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


def go_on_with_lists() -> float:
    """Lists that come in and are not read, applied or undone whole."""
    for import_id in imports.unfinished():
        imports.ring(import_id)
    return SWEEP_SECONDS


def prepare_campaigns() -> float:
    """Reviews and launches that were begun, and campaigns whose hour has come."""
    for campaign_id in launch.unfinished():
        drafts.ring(campaign_id)
    return launch.begin_due() or SWEEP_SECONDS


def ring_for_notices() -> float:
    """E-mails that are due."""
    if planning.is_possible() and planning.is_due():
        bell.ring(job_queue.UPKEEP, job_queue.POST_NOTICES, timeout=job_queue.NOTICE_SECONDS)
    return SWEEP_SECONDS


def ring_for_browsers() -> float:
    """What came in and nobody has read, for browsers that want to know."""
    if pushing.is_due():
        bell.ring(job_queue.UPKEEP, job_queue.PUSH, timeout=job_queue.NOTICE_SECONDS)
    return SWEEP_SECONDS


def index_texts() -> float:
    """What the search does not know yet."""
    search.catch_up()
    return SWEEP_SECONDS


def forget_early_reports(session: Session) -> None:
    """Reports whose request nobody has claimed for three days."""
    session.execute(delete(ParkedReport).where(ParkedReport.created_at < now() - PARKED_FOR))


def show_life(session: Session) -> None:
    """What `raspisms` and the pages take as a sign of the clock."""
    session.merge(Heartbeat(name="clock", at=now()))
