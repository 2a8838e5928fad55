"""Delivery reports: matched on (provider id, number), and never back from a final status."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ..adapters.base import Outcome, Report
from ..clock import now
from ..conversations import counting
from ..i18n import N_
from ..messages.history import add, believed, mark, write
from ..models import (
    EarlierAttempt,
    JournalEntry,
    Message,
    MessageEvent,
    ParkedReport,
    Status,
    Submission,
    SubmissionState,
)
from ..models.message import UNCERTAIN
from ..people import opt_outs, wrong_numbers
from .matching import (
    Key,
    adopt,
    adopt_earlier,
    find,
    find_earlier,
    find_many,
    is_in_the_air,
    is_known,
    without_provider_id,
)

ARRIVED_AFTER_ALL = N_("Le premier envoi est arrivé après tout : ce SMS n’est pas renvoyé.")

log = logging.getLogger(__name__)


# What became of a report about somebody who was erased: nothing of it is kept.
ERASED = "erased"


def apply(session: Session, entry: JournalEntry, report: Report) -> str:
    """Apply a report, or keep it until its provider id is known; what became of it, in a word."""
    account_id = entry.phone.account_id
    at, said_at = believed(report.at, entry.received_at)
    message = find(session, entry.phone, report.provider_id, report.number)
    earlier = None if message else find_earlier(session, entry.phone, report.provider_id, report.number)
    if message is None and earlier is None:
        if is_known(session, account_id, report.provider_id):
            if report.opted_out:  # the person is erased, their wish is not
                opt_outs.add(session, report.number, "report", at=at)
                opt_outs.forget_number(session, report.number)
            return ERASED
        adopted = adopt(session, account_id, report)
        message = adopted[0] if adopted else None
        earlier = None if adopted else adopt_earlier(session, account_id, report)
        if learnt := adopted or earlier:
            _learn(session, learnt[1], report.provider_id)
    about = message or (earlier[0] if earlier else None)
    if report.opted_out:
        opt_outs.add(session, report.number, "report", about.id if about else None, at=at)
    if about is None:
        session.add(
            ParkedReport(
                journal_id=entry.id,
                account_id=account_id,
                provider_id=report.provider_id,
                number=report.number,
                outcome=report.outcome.value,
                words=report.words,
                reason=report.reason,
                at=at,
            )
        )
        return "early"
    if earlier is not None:
        return "report" if _arrived_after_all(session, *earlier, report, at, entry.id) else "earlier"
    changed = _change(session, about, report.outcome, report.words, report.reason, at, entry.id, said_at)
    _teach(session, [report])
    return "report" if changed else "repeated"


def apply_many(session: Session, wanted: list[tuple[Key, JournalEntry, Report]]) -> dict[Key, str]:
    """Apply, in order, the reports whose message is known: what became of each.

    Reports come by the thousand: what `apply` asks for one, this asks once for all. Those that it leaves out
    (an unknown provider id, a person who said STOP) are for `apply`.
    """
    messages = find_many(session, wanted)
    said = _said(session, {message.id for message in messages.values()})
    outcomes: dict[Key, str] = {}
    events = []
    for key, entry, report in wanted:
        message = messages.get(key)
        if message is None:
            continue
        if report.words in said[message.id]:
            outcomes[key] = "repeated"
            continue
        said[message.id].add(report.words)
        at, said_at = believed(report.at, entry.received_at)
        status = _next_status(message, report.outcome)
        _keep_words(message, status, report.outcome, report.words)
        events.append(mark(message, status, at, report.reason, report.words, journal_id=entry.id, said_at=said_at))
        outcomes[key] = "report"
    write(session, events)
    _recount(session, [message for message in messages.values() if message.status is Status.FAILED])
    _teach(session, [report for key, _, report in wanted if key in outcomes])
    return outcomes


def _recount(session: Session, failed: Collection[Message]) -> None:
    """What was written by hand and failed has answered nobody: the person waits again."""
    if failed:
        counting.recount_of(session, counting.by_hand(session, Message.id.in_([message.id for message in failed])))


def _teach(session: Session, reports: Collection[Report]) -> None:
    """What reports say of the numbers themselves."""
    for report in reports:
        if report.bad_number:
            wrong_numbers.mark(session, [report.number], report.reason)
    wrong_numbers.clear(session, {report.number for report in reports if report.outcome is Outcome.DELIVERED})


def _said(session: Session, message_ids: Collection[int]) -> dict[int, set[str]]:
    """The words that each message was told since it was last put in the queue."""
    said: dict[int, set[str]] = {message_id: set() for message_id in message_ids}
    events = session.execute(
        select(MessageEvent.message_id, MessageEvent.status, MessageEvent.words)
        .where(MessageEvent.message_id.in_(message_ids))
        .order_by(MessageEvent.id)
    )
    for message_id, status, words in events:
        if status is Status.QUEUED:
            said[message_id].clear()
        elif words:
            said[message_id].add(words)
    return said


def match_left_over(session: Session) -> None:
    """Look again at submissions whose provider id was never learnt: what was in the air before may have landed."""
    for submission in session.scalars(select(Submission).where(*without_provider_id())).all():
        match_parked(session, submission)


def match_parked(session: Session, submission: Submission) -> None:
    """Apply the reports that came before this submission's answer; call it in the answer's transaction."""
    if submission.provider_id is None:
        _adopt_parked(session, submission)
    if submission.provider_id is None:
        return
    parked = session.scalars(
        select(ParkedReport)
        .where(ParkedReport.account_id == submission.account_id, ParkedReport.provider_id == submission.provider_id)
        .order_by(ParkedReport.id)
    )
    for report in list(parked):
        message = find(session, submission.phone, report.provider_id, report.number)
        if message is not None:
            _change(
                session, message, Outcome(report.outcome), report.words, report.reason, report.at, report.journal_id
            )
        elif earlier := find_earlier(session, submission.phone, report.provider_id, report.number):
            said = Report(
                report.provider_id, report.number, Outcome(report.outcome), report.words, report.reason, report.at
            )
            _arrived_after_all(session, *earlier, said, report.at, report.journal_id)
        else:
            continue
        session.delete(report)


def _arrived_after_all(
    session: Session, message: Message, earlier: Submission, report: Report, at: datetime, journal_id: int
) -> bool:
    """A report about a request before the present one: only that it arrived says anything, and stops the retry.

    What has not left does not leave; what is in the air is not asked about again.
    """
    if report.outcome is not Outcome.DELIVERED or message.status is Status.DELIVERED:
        return False
    present = message.submission
    if message.status is Status.SENDING and present is not None and not (present.in_flight or present.maybe_sent):
        message.submission_id = earlier.id
        others = select(Message.id).where(Message.submission_id == present.id, Message.id != message.id)
        if session.scalar(others.limit(1)) is None:
            present.state, present.closed_at = SubmissionState.REFUSED, now()
    elif message.status in (Status.QUEUED, Status.HELD):
        message.submission_id = earlier.id
    add(
        session, [message], Status.DELIVERED, reason=ARRIVED_AFTER_ALL, words=report.words, at=at, journal_id=journal_id
    )
    message.report_words = report.words
    _teach(session, [report])
    return True


def _learn(session: Session, submission: Submission, provider_id: str) -> None:
    submission.provider_id = provider_id
    log.info("submission=%s learnt its provider id from a report", submission.id)
    session.flush()
    match_parked(session, submission)


def _adopt_parked(session: Session, submission: Submission) -> None:
    """Give a submission without a provider id the one that parked reports for its numbers agree on."""
    earlier = select(EarlierAttempt.message_id).where(EarlierAttempt.submission_id == submission.id)
    its_own = or_(Message.submission_id == submission.id, Message.id.in_(earlier))
    numbers = session.scalars(select(Message.number).where(its_own)).all()
    if is_in_the_air(session, submission.account_id, numbers):
        return
    known = select(Submission.provider_id).where(
        Submission.account_id == submission.account_id, Submission.provider_id.is_not(None)
    )
    provider_ids = session.scalars(
        select(ParkedReport.provider_id)
        .where(
            ParkedReport.account_id == submission.account_id,
            ParkedReport.number.in_(numbers),
            ParkedReport.created_at >= submission.created_at,
            ParkedReport.provider_id.not_in(known),
        )
        .distinct()
        .limit(2)
    ).all()
    if len(provider_ids) == 1:
        submission.provider_id = provider_ids[0]
        session.flush()


def _change(
    session: Session,
    message: Message,
    outcome: Outcome,
    words: str,
    reason: str | None,
    at: datetime,
    journal_id: int,
    said_at: datetime | None = None,
) -> bool:
    """Move a message as far as the report allows; False when it says nothing new."""
    if _said_before(session, message, words):
        return False
    status = _next_status(message, outcome)
    _keep_words(message, status, outcome, words)
    add(session, [message], status, reason=reason, words=words, at=at, journal_id=journal_id, said_at=said_at)
    if status is Status.FAILED:
        _recount(session, [message])
    return True


def _keep_words(message: Message, status: Status, outcome: Outcome, words: str) -> None:
    """Keep the provider's word, unless it comes after the last one: being under way is no news of what arrived."""
    is_late = message.status is Status.DELIVERED and outcome is not Outcome.DELIVERED
    if not is_late or status is not message.status:
        message.report_words = words


def _next_status(message: Message, outcome: Outcome) -> Status:
    """The status after a report.

    A final status stays, except that *failed* and *unknown* may become *delivered*, and *unknown*, which
    is no certainty, may become *failed*. Being under way only lifts an outcome that was unknown so far.
    """
    status = message.status
    if outcome is Outcome.DELIVERED:
        return Status.DELIVERED
    if outcome is Outcome.FAILED and status in UNCERTAIN:
        return Status.FAILED
    if outcome is Outcome.UNDECIDED and status in (Status.SENDING, Status.SENT):
        return Status.UNKNOWN
    if outcome is Outcome.UNDER_WAY and status in UNCERTAIN and message.report_words is None:
        return Status.SENT
    return status


def _said_before(session: Session, message: Message, words: str) -> bool:
    """Whether this message was told the same word before, since it was last put in the queue."""
    events = select(MessageEvent.id).where(MessageEvent.message_id == message.id)
    last_start = session.scalar(
        events.where(MessageEvent.status == Status.QUEUED).order_by(MessageEvent.id.desc()).limit(1)
    )
    said = events.where(MessageEvent.words == words, MessageEvent.id > (last_start or 0)).limit(1)
    return session.scalar(said) is not None
