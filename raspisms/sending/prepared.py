"""Submissions that surely did not leave: gathered while another request was in the air, or waiting for a retry."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from ..database import now
from ..models import Message, Status, Submission, SubmissionState
from ..timeline import note_all

UNSENT = (
    Submission.state == SubmissionState.OPEN,
    Submission.in_flight.is_(False),
    Submission.maybe_sent.is_(False),
)


def put_back(session: Session, which: ColumnElement[bool], reason: str | None = None) -> None:
    """Let the messages of unsent submissions wait in the queue again. Call inside a transaction.

    `which` is a condition on Submission, `reason` a sentence (a msgid).
    """
    for submission in session.scalars(select(Submission).where(*UNSENT, which)).all():
        submission.state = SubmissionState.REFUSED
        submission.closed_at = now()
        waiting = (Message.submission_id == submission.id) & (Message.status == Status.SENDING)
        note_all(session, waiting, Status.QUEUED, reason=reason, submission_id=None)


def of_campaign(campaign_id: int) -> ColumnElement[bool]:
    """The submissions that hold messages of a campaign."""
    return Submission.id.in_(select(Message.submission_id).where(Message.campaign_id == campaign_id).distinct())
