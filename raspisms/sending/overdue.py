"""Submissions that may not be repeated any more: closed honestly, whatever became of their phone."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from ..adapters import Adapter
from ..clock import now
from ..delivery_reports import giving_up
from ..extensions import db
from ..i18n import N_
from ..messages import submissions
from ..models import Submission, SubmissionState
from ..phones.settings import adapter_class
from ..storage.transactions import transaction
from . import lease

LIMIT_PASSED = N_(
    "L’heure « inutile après » est passée alors que l’on ne savait pas si ce SMS était parti : RaspiSMS ne l’a pas "
    "redemandé."
)


def close_everywhere() -> None:
    """Look at every account with something open; a paused or disabled phone keeps nobody waiting for ever."""
    accounts = db.session.scalars(
        select(Submission.account_id).where(Submission.state == SubmissionState.OPEN).distinct()
    ).all()
    for account_id in accounts:
        if not _has_any(account_id) or not lease.take(account_id):
            continue
        try:
            with transaction() as session:
                close(session, account_id)
        finally:
            lease.release(account_id)


def _has_any(account_id: int) -> bool:
    return any(_may_not_be_repeated(submission, now()) for submission in db.session.scalars(_select(account_id)))


def close(session: Session, account_id: int) -> None:
    """Close what may not be repeated. Call with the account's lease: what is in the air is then our own.

    What was perhaps sent becomes unknown; what surely was not goes back to the queue, where it may expire.
    """
    for submission in session.scalars(_select(account_id).where(Submission.in_flight.is_(False))).all():
        if not _may_not_be_repeated(submission, now()):
            continue
        if submission.maybe_sent:
            giving_up.give_up(session, submission, LIMIT_PASSED if _is_late(submission) else giving_up.OUTCOME_UNKNOWN)
        else:
            submissions.close_unsent(session, submission, submission.reason, submission.words, submission.code)


def _select(account_id: int) -> Select[Submission]:
    return select(Submission).where(Submission.account_id == account_id, Submission.state == SubmissionState.OPEN)


def _may_not_be_repeated(submission: Submission, moment: datetime) -> bool:
    """Its time is over, or its phone has moved to another account, which does not know its request_id."""
    moved = submission.phone.account_id != submission.account_id
    return moved or _is_late(submission) or is_over(submission, adapter_class(submission.phone.adapter), moment)


def _is_late(submission: Submission) -> bool:
    return submission.expires_at is not None and submission.expires_at <= now()


def is_over(submission: Submission, adapter: type[Adapter], moment: datetime) -> bool:
    """Whether the provider may have forgotten this request_id."""
    window = adapter.repeat_window or timedelta(0)
    return submission.first_attempt_at is not None and submission.first_attempt_at + window < moment
