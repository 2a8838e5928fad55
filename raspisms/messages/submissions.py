"""Requests to a provider (submissions): their one maker, what they still name, and taking back what did not leave."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import Session

from ..clock import now
from ..models import Campaign, Message, Status, Submission, SubmissionState
from .history import add_all

UNSENT = (
    Submission.state == SubmissionState.OPEN,
    Submission.in_flight.is_(False),
    Submission.maybe_sent.is_(False),
)


def begin(session: Session, like: Message | Submission) -> Submission:
    """A new submission for what is like this message, or like this earlier submission. Call inside a transaction."""
    account_id = like.account_id if isinstance(like, Submission) else like.phone.account_id
    submission = Submission(
        account_id=account_id,
        phone_id=like.phone_id,
        text=like.text,
        purpose=like.purpose,
        lane=like.lane,
        expires_at=like.expires_at,
    )
    session.add(submission)
    return submission


def put_back(session: Session, which: ColumnElement[bool], reason: str | None = None) -> None:
    """Let the messages of unsent submissions wait in the queue again. Call inside a transaction.

    `which` is a condition on Submission, `reason` a sentence (a msgid).
    """
    for submission in session.scalars(select(Submission).where(*UNSENT, which)).all():
        close_unsent(session, submission, reason)


def close_unsent(
    session: Session, submission: Submission, reason: str | None, words: str | None = None, code: str | None = None
) -> None:
    """Surely not sent: close the submission, and let its messages wait for a new one. Call inside a transaction.

    `reason` is a sentence (a msgid), `words` and `code` the provider's own.
    """
    submission.state = SubmissionState.REFUSED
    submission.closed_at = now()
    add_all(
        session,
        waiting_of(submission),
        Status.QUEUED,
        reason=reason,
        words=words,
        code=code,
        submission_id=None,
    )


def of_campaign(campaign_id: int) -> ColumnElement[bool]:
    """The submissions that hold messages of a campaign."""
    return Submission.id.in_(select(Message.submission_id).where(Message.campaign_id == campaign_id).distinct())


def named(submission: Submission) -> ColumnElement[bool]:
    """The messages that the next attempt names, a condition on Message."""
    upto = true() if submission.asked_up_to is None else Message.id <= submission.asked_up_to
    return and_(Message.submission_id == submission.id, Message.status == Status.SENDING, upto)


def perhaps_sent(session: Session, submission: Submission) -> None:
    """Its last attempt may have reached the provider: from now on only the same request_id is used.

    Call inside a transaction.
    """
    submission.maybe_sent = True
    left_out = select(Message.id).where(Message.submission_id == submission.id, Message.status == Status.UNKNOWN)
    if submission.asked_up_to is not None or session.scalar(left_out.limit(1)) is not None:
        submission.leaves_doubt = True


def campaign_of(session: Session, submission: Submission) -> Campaign | None:
    """The campaign that a request is of; None for what was written by hand."""
    return session.scalar(
        select(Campaign)
        .join(Message, Message.campaign_id == Campaign.id)
        .where(Message.submission_id == submission.id)
        .limit(1)
    )


def waiting_of(submission: Submission) -> ColumnElement[bool]:
    """The messages of a submission that still wait for its answer."""
    return and_(Message.submission_id == submission.id, Message.status == Status.SENDING)
