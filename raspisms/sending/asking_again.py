"""May a request that was perhaps sent be repeated? Where people say no meanwhile, they win over the count.

Repeating a `request_id` tells what became of it, and makes it leave if it never had: so it is not asked about any more
once nobody wants it to leave. What cannot be known then is said to be unknown, with the reason.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import Session

from ..database import now
from ..models import Campaign, CampaignState, Message, Status, Submission, SubmissionState
from ..phones.settings import adapter_class
from ..timeline import note_all
from ..words import N_
from . import hours, outcome
from .silence import silent_among

STOPPED = N_(
    "Cette personne a envoyé STOP alors que l’on ne savait pas si ce SMS était parti : RaspiSMS ne l’a pas redemandé."
)
CANCELLED = N_(
    "La campagne a été annulée alors que l’on ne savait pas si ce SMS était parti : RaspiSMS ne l’a pas redemandé."
)
CLOSED = N_(
    "Les heures d’envoi sont passées alors que l’on ne savait pas si ce SMS était parti : "
    "RaspiSMS ne l’a pas redemandé."
)
# A paused campaign is looked at again after so long, or when it goes on.
PAUSE = timedelta(minutes=1)


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


def may(session: Session, submission: Submission) -> bool:
    """Whether it may be repeated now; where it may never be, it is closed. Call inside a transaction."""
    campaign = campaign_of(session, submission)
    if campaign is not None and not _is_wanted(session, submission, campaign):
        return False
    rows = session.execute(
        select(Message.number, Message.id).where(
            Message.submission_id == submission.id, Message.status == Status.SENDING
        )
    )
    waiting = {number: message_id for number, message_id in rows}
    silent = silent_among(session, waiting)
    if len(silent) == len(waiting):
        outcome.give_up(session, submission, STOPPED)
        return False
    if silent:  # the others are asked about; the answer tells of these too, see outcome.py
        ids = [waiting[number] for number in silent]
        note_all(session, Message.id.in_(ids), Status.UNKNOWN, reason=STOPPED)
    if session.scalar(select(Message.id).where(named(submission)).limit(1)) is None:
        submission.asked_up_to = None  # of the part that was to be named, nobody is left
        session.flush()
    return True


def end(session: Session, which: ColumnElement[bool]) -> None:
    """Nobody wants these any more (a condition on Submission): what is in doubt stays so. Call inside a transaction."""
    doubtful = (Submission.state == SubmissionState.OPEN, Submission.maybe_sent, Submission.in_flight.is_(False))
    for submission in session.scalars(select(Submission).where(*doubtful, which)).all():
        outcome.give_up(session, submission, CANCELLED)


def _is_wanted(session: Session, submission: Submission, campaign: Campaign) -> bool:
    if campaign.state is CampaignState.CANCELLED:
        outcome.give_up(session, submission, CANCELLED)
        return False
    if campaign.state is CampaignState.PAUSED:
        submission.next_attempt_at = now() + PAUSE
        session.flush()
        return False
    opens = hours.opening(campaign.hours, now())
    if opens is None:
        return True
    window = adapter_class(submission.phone.adapter).repeat_window or timedelta(0)
    if submission.first_attempt_at is not None and opens < submission.first_attempt_at + window:
        submission.next_attempt_at = opens  # the provider still knows it then: asking tells, and wakes nobody
        session.flush()
    else:
        outcome.give_up(session, submission, CLOSED)
    return False
