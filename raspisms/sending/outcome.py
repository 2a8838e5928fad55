"""What a provider's answer makes of a submission and its messages: the rows of octopush-api.md §4.4."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from ..adapters.base import (
    Accepted,
    AccountError,
    AdapterError,
    AmbiguousError,
    RefusedError,
    UnreadableAnswer,
)
from ..conversations import threads
from ..database import now, transaction
from ..models import Account, Message, Status, Submission, SubmissionState
from ..people import faults
from ..phones import checking
from ..phones.settings import adapter_class
from ..receiving import reports
from ..timeline import note_all
from ..words import N_
from . import campaigns, prepared
from .backoff import LONGEST_ACCOUNT_WAIT, backoff

log = logging.getLogger(__name__)

# A 2xx without a ticket was probably a success: asking again is safe only as far as request_id is kept.
UNREADABLE_LIMIT = 3

OUTCOME_UNKNOWN = N_(
    "Impossible de savoir si ce SMS est parti. RaspiSMS ne le renvoie pas, pour ne pas risquer un doublon."
)
TAKEN_BEFORE = N_("Le fournisseur avait déjà pris ce SMS : il n’a pas été envoyé deux fois.")


def record(submission_id: int, result: Accepted | AdapterError) -> None:
    """Keep the answer to a submission, in one transaction with all that follows from it."""
    with transaction() as session:
        submission = session.get_one(Submission, submission_id)
        if submission.state is not SubmissionState.OPEN:
            log.warning("submission=%s answered twice: second answer ignored", submission_id)
            return
        submission.in_flight = False
        submission.words = result.words or None
        submission.code = result.code or None
        account = session.get_one(Account, submission.account_id)
        if isinstance(result, Accepted):
            _accepted(session, submission, result)
        elif isinstance(result, AccountError):
            _account_refused(session, submission, result)
        elif isinstance(result, RefusedError):
            _refused(session, submission, result)
        else:
            _try_again(session, submission, account, result)
            return
        campaigns.settle(session)
        account.failures = 0
        account.not_before = None
        account.reason = None


def _accepted(session: Session, submission: Submission, answer: Accepted) -> None:
    submission.state = SubmissionState.ACCEPTED
    submission.closed_at = now()
    submission.ticket = answer.ticket
    submission.cost = answer.cost
    submission.parts = answer.parts
    submission.credit = answer.credit
    submission.reason = None
    submission.phone.checks = 0
    if answer.credit is not None:
        submission.phone.balance = answer.credit
    sending = _sending(submission)
    share = None
    if answer.cost is not None:
        recipients = session.scalar(select(func.count()).select_from(Message).where(sending))
        share = answer.cost / recipients if recipients else None
    sent = note_all(
        session,
        sending,
        Status.SENT,
        reason=None if answer.ticket else TAKEN_BEFORE,
        words=answer.words,
        code=answer.code,
        cost=share,
    )
    log.info("submission=%s accepted, messages=%s", submission.id, sent)
    reports.match_parked(session, submission)


def _account_refused(session: Session, submission: Submission, error: AccountError) -> None:
    """The phone pauses; what surely did not leave waits in the queue, the rest keeps its request_id."""
    checking.pause(submission.phone, error)
    submission.reason = error.reason
    prepared.put_back(session, Submission.phone_id == submission.phone_id)
    if submission.maybe_sent:
        submission.next_attempt_at = now()
        return
    put_back(session, submission, error.reason)


def _refused(session: Session, submission: Submission, error: RefusedError) -> None:
    if submission.maybe_sent:
        # An earlier attempt may have been taken: neither "failed" nor a new request_id would be honest.
        give_up(session, submission)
        return
    submission.state = SubmissionState.REFUSED
    submission.closed_at = now()
    submission.reason = error.reason
    log.warning("submission=%s refused, code=%s", submission.id, error.code)
    if error.one_number and _split(session, submission):
        return
    if error.bad_number:
        to_correct = session.scalars(select(Message.number).where(_sending(submission)))
        faults.mark(session, list(to_correct), error.reason)
    unanswered = threads.by_hand(session, _sending(submission))
    note_all(session, _sending(submission), Status.FAILED, reason=error.reason, words=error.words, code=error.code)
    threads.recount_of(session, unanswered)


def _split(session: Session, refused: Submission) -> bool:
    """Two halves with a request each, and so on, until only the guilty number fails; False for one number."""
    messages = list(session.scalars(select(Message).where(_sending(refused)).order_by(Message.id)))
    if len(messages) < 2:
        return False
    middle = len(messages) // 2
    for half in (messages[:middle], messages[middle:]):
        submission = Submission(
            account_id=refused.account_id,
            phone_id=refused.phone_id,
            text=refused.text,
            purpose=refused.purpose,
            lane=refused.lane,
            expires_at=refused.expires_at,
        )
        session.add(submission)
        session.flush()
        for message in half:
            message.submission_id = submission.id
    return True


def _try_again(session: Session, submission: Submission, account: Account, error: AdapterError) -> None:
    """Not answered for good: the same request_id again, later, as long as the provider remembers it."""
    if isinstance(error, AmbiguousError):
        submission.maybe_sent = True
    if isinstance(error, UnreadableAnswer):
        submission.unreadable += 1
    if submission.reason != error.reason:  # said once, not at every attempt
        note_all(session, _sending(submission), Status.SENDING, reason=error.reason, words=error.words, code=error.code)
    submission.reason = error.reason
    account.failures += 1
    account.reason = error.reason
    asked = timedelta(seconds=error.retry_after or 0)
    submission.next_attempt_at = now() + max(backoff(submission.attempts), asked)
    account.not_before = now() + max(backoff(account.failures, LONGEST_ACCOUNT_WAIT), asked)
    log.warning(
        "submission=%s attempt=%s http=%s code=%s: %s",
        submission.id,
        submission.attempts,
        error.http_status,
        error.code,
        type(error).__name__,
    )
    no_key = submission.maybe_sent and adapter_class(submission.phone.adapter).repeat_window is None
    if no_key or submission.unreadable >= UNREADABLE_LIMIT:
        give_up(session, submission)


def give_up(session: Session, submission: Submission) -> None:
    """Nobody can tell whether it was sent: say so, and leave it to a person."""
    submission.state = SubmissionState.UNKNOWN
    submission.closed_at = now()
    unknown = note_all(
        session,
        _sending(submission),
        Status.UNKNOWN,
        reason=OUTCOME_UNKNOWN,
        words=submission.words,
        code=submission.code,
    )
    log.error("submission=%s outcome unknown, messages=%s", submission.id, unknown)
    reports.match_parked(session, submission)


def put_back(session: Session, submission: Submission, reason: str | None) -> None:
    """Surely not sent: close the submission, and let its messages wait for a new one."""
    submission.state = SubmissionState.REFUSED
    submission.closed_at = now()
    note_all(
        session,
        _sending(submission),
        Status.QUEUED,
        reason=reason,
        words=submission.words,
        code=submission.code,
        submission_id=None,
    )


def _sending(submission: Submission) -> ColumnElement[bool]:
    """The messages of a submission that still wait for its answer."""
    return and_(Message.submission_id == submission.id, Message.status == Status.SENDING)
