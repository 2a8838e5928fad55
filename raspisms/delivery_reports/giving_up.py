"""Requests of which nobody can tell whether they were sent: said to be unknown, and left to a person."""

from __future__ import annotations

import logging

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ..clock import now
from ..i18n import N_
from ..messages.history import add_all
from ..messages.submissions import waiting_of
from ..models import Status, Submission, SubmissionState
from . import reports

log = logging.getLogger(__name__)

CANCELLED = N_(
    "La campagne a été annulée alors que l’on ne savait pas si ce SMS était parti : RaspiSMS ne l’a pas redemandé."
)
OUTCOME_UNKNOWN = N_(
    "Impossible de savoir si ce SMS est parti. RaspiSMS ne le renvoie pas, pour ne pas risquer un doublon."
)


def give_up_all(session: Session, which: ColumnElement[bool]) -> None:
    """Nobody wants these any more (a condition on Submission): what is in doubt stays so. Call inside a transaction."""
    doubtful = (Submission.state == SubmissionState.OPEN, Submission.maybe_sent, Submission.in_flight.is_(False))
    for submission in session.scalars(select(Submission).where(*doubtful, which)).all():
        give_up(session, submission, CANCELLED)


def give_up(session: Session, submission: Submission, reason: str = OUTCOME_UNKNOWN) -> None:
    """Nobody can tell whether it was sent: say so, and leave it to a person."""
    submission.state = SubmissionState.UNKNOWN
    submission.closed_at = now()
    unknown = add_all(
        session,
        waiting_of(submission),
        Status.UNKNOWN,
        reason=reason,
        words=submission.words,
        code=submission.code,
    )
    log.error("submission=%s outcome unknown, messages=%s", submission.id, unknown)
    reports.match_parked(session, submission)
