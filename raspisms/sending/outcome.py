"""What a provider's answer makes of a submission and its messages: the rows of docs/providers/octopush.md §4.4."""

from __future__ import annotations

import logging
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, case, exists, false, func, select
from sqlalchemy.orm import Session

from ..adapters.base import (
    Accepted,
    AccountError,
    AdapterError,
    AmbiguousError,
    RefusedError,
    UnreadableAnswer,
)
from ..campaigns import settlement
from ..clock import now
from ..conversations import counting
from ..delivery_reports import reports
from ..delivery_reports.giving_up import OUTCOME_UNKNOWN, give_up
from ..figures import prices
from ..i18n import N_
from ..messages import submissions
from ..messages.history import add_all
from ..messages.submissions import waiting_of
from ..models import Account, Lane, Message, MessageEvent, Status, Submission, SubmissionState
from ..people import wrong_numbers
from ..people.opt_outs import SAID_STOP
from ..phones import checking
from ..phones.settings import adapter_class
from ..storage.transactions import transaction
from . import asking_again, restoration
from .backoff import LONGEST_ACCOUNT_WAIT, LONGEST_WAIT_BY_HAND, backoff

log = logging.getLogger(__name__)

# A 2xx without a provider id was probably a success: asking again is safe only as far as request_id is kept.
UNREADABLE_LIMIT = 3

NOBODY = N_("Le fournisseur a pris la demande, mais n’a retenu aucun destinataire.")
NOT_ALL = N_("Le fournisseur n’a pas retenu tous les destinataires de cet envoi : les accusés diront lesquels.")
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
        settlement.settle(session)
        account.failures = 0
        if account.not_before is not None and account.not_before > now():
            # Only what people wrote by hand was asked for so soon: the rest is as patient as the provider wants.
            account.by_hand_not_before = now()
            return
        account.not_before = account.by_hand_not_before = None
        account.reason = None


def _accepted(session: Session, submission: Submission, answer: Accepted) -> None:
    if answer.was_taken_before and not submission.maybe_sent:
        restoration.notice(session, restoration.PROVIDER_KNOWS)
    submission.state = SubmissionState.ACCEPTED
    submission.closed_at = now()
    submission.provider_id = answer.provider_id
    submission.parts = answer.parts
    submission.credit = answer.credit
    submission.reason = None
    submission.phone.checks = 0
    if answer.credit is not None:
        submission.phone.balance = answer.credit
    session.flush()
    if answer.taken == 0:
        _took_nobody(session, submission, answer)
        return
    _settle_left_out(session, submission, answer)
    sending = waiting_of(submission)
    left, asked, parts = _counted(session, submission)
    reason = TAKEN_BEFORE if answer.was_taken_before else None
    _bill(session, submission, answer.cost, left, parts)
    if answer.taken is not None and answer.taken < asked:
        reason = NOT_ALL
    sent = add_all(session, sending, Status.SENT, reason=reason, words=answer.words, code=answer.code)
    log.info("submission=%s accepted, messages=%s", submission.id, sent)
    reports.match_parked(session, submission)


def _took_nobody(session: Session, submission: Submission, answer: Accepted) -> None:
    """A provider id, and nobody behind it: whatever reports may say of it, it is no success."""
    submission.state = SubmissionState.UNKNOWN
    submission.reason = NOBODY
    add_all(session, waiting_of(submission), Status.UNKNOWN, reason=NOBODY, words=answer.words, code=answer.code)
    reports.match_parked(session, submission)


def _counted(session: Session, submission: Submission) -> tuple[int, int, int]:
    """How many messages the request is paid for, how many of them still wait for its answer, and their parts."""
    waits = case((Message.status == Status.SENDING, 1))
    counts = select(func.count(), func.count(waits), func.coalesce(func.sum(Message.parts), 0))
    left, asked, parts = session.execute(counts.where(_left_with(submission))).one()
    return left, asked, parts


def _bill(session: Session, submission: Submission, cost: Decimal | None, left: int, parts: int) -> None:
    """Keep what the request cost; where the provider named nothing, what the last one makes likely."""
    submission.cost, submission.is_estimated = cost, cost is None
    if cost is None and (price := prices.price_of(submission.phone)) is not None:
        submission.cost = (price * parts).quantize(prices.MILLIONTH)
    session.flush()
    if submission.cost is not None:
        prices.share(session, _left_with(submission), left, submission.cost)


def _left_with(submission: Submission) -> ColumnElement[bool]:
    """The messages that a request is paid for: also those of which more is known already."""
    left = (Status.SENDING, Status.SENT, Status.DELIVERED)
    return and_(Message.submission_id == submission.id, Message.status.in_(left))


def _settle_left_out(session: Session, submission: Submission, answer: Accepted) -> None:
    """What the answer tells of messages that the last attempt did not name, see asking_again.py.

    Taken before: all of them left then, or nobody can tell, where an attempt without them was perhaps sent as well.
    Taken now: none of them did.
    """
    if not submission.maybe_sent:
        return  # every attempt named everybody: the most frequent answer costs no statement here
    left_out = and_(Message.submission_id == submission.id, Message.status == Status.UNKNOWN)
    upto = submission.asked_up_to
    others = and_(waiting_of(submission), false() if upto is None else Message.id > upto)
    if answer.was_taken_before and submission.leaves_doubt:
        submission.state, submission.reason = SubmissionState.UNKNOWN, OUTCOME_UNKNOWN
        add_all(session, others, Status.UNKNOWN, reason=OUTCOME_UNKNOWN, words=answer.words, code=answer.code)
        return
    if answer.was_taken_before:
        add_all(session, left_out, Status.SENT, reason=TAKEN_BEFORE, words=answer.words, code=answer.code)
        return
    # Said while this request was in doubt, not one of before.
    stopped = exists().where(
        MessageEvent.message_id == Message.id,
        MessageEvent.reason == asking_again.STOPPED,
        MessageEvent.at >= submission.created_at,
    )
    for which, reason in ((stopped, SAID_STOP), (~stopped, asking_again.NOT_SENT)):
        add_all(session, and_(left_out, which), Status.CANCELLED, reason=reason, submission_id=None, figures_at=now())
    add_all(session, others, Status.QUEUED, reason=None, submission_id=None)


def _account_refused(session: Session, submission: Submission, error: AccountError) -> None:
    """The phone pauses; what surely did not leave waits in the queue, the rest keeps its request_id."""
    checking.pause(submission.phone, error)
    submission.reason = error.reason
    of_phone = and_(Submission.phone_id == submission.phone_id, Submission.id != submission.id)
    submissions.put_back(session, of_phone, error.reason)
    if submission.maybe_sent:
        submission.next_attempt_at = now()
        return
    submissions.close_unsent(session, submission, error.reason, submission.words, submission.code)


def _refused(session: Session, submission: Submission, error: RefusedError) -> None:
    if submission.maybe_sent:
        if error.one_number and _ask_fewer(session, submission, error):
            return
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
        to_correct = session.scalars(select(Message.number).where(waiting_of(submission)))
        wrong_numbers.mark(session, list(to_correct), error.reason)
    unanswered = counting.by_hand(session, waiting_of(submission))
    add_all(session, waiting_of(submission), Status.FAILED, reason=error.reason, words=error.words, code=error.code)
    counting.recount_of(session, unanswered)


def _ask_fewer(session: Session, submission: Submission, error: RefusedError) -> bool:
    """One number of many is refused after an attempt that was perhaps sent: the first half of them is asked about.

    Under the same request_id: if it was taken before, the provider says so, and all of them left; if the half is
    taken now, nothing was taken before, and the others may leave in a request of their own. False for one number
    that was alone from the beginning.
    """
    ids = session.scalars(select(Message.id).where(waiting_of(submission)).order_by(Message.id)).all()
    upto = submission.asked_up_to
    asked = [message_id for message_id in ids if upto is None or message_id <= upto]
    if len(asked) > 1:
        submission.asked_up_to = asked[len(asked) // 2 - 1]
    elif not asked and ids:  # of the part that was named, a report has told meanwhile what became
        submission.asked_up_to = None
    elif len(ids) > 1:  # the guilty one: no request that names it was ever taken
        guilty = Message.id == asked[0]
        if error.bad_number:
            wrong_numbers.mark(session, list(session.scalars(select(Message.number).where(guilty))), error.reason)
        add_all(session, guilty, Status.FAILED, reason=error.reason, words=error.words, code=error.code)
        submission.asked_up_to, submission.leaves_doubt = None, False
    else:
        return False
    submission.reason = error.reason
    submission.next_attempt_at = now()
    session.flush()
    return True


def _split(session: Session, refused: Submission) -> bool:
    """Two halves with a request each, and so on, until only the guilty number fails; False for one number."""
    messages = list(session.scalars(select(Message).where(waiting_of(refused)).order_by(Message.id)))
    if len(messages) < 2:
        return False
    middle = len(messages) // 2
    for half in (messages[:middle], messages[middle:]):
        submission = submissions.begin(session, refused)
        session.flush()
        for message in half:
            message.submission_id = submission.id
    return True


def _try_again(session: Session, submission: Submission, account: Account, error: AdapterError) -> None:
    """Not answered for good: the same request_id again, later, as long as the provider remembers it."""
    if isinstance(error, AmbiguousError):
        submissions.perhaps_sent(session, submission)
    if isinstance(error, UnreadableAnswer):
        submission.unreadable += 1
    if submission.reason != error.reason:  # said once, not at every attempt
        add_all(
            session, waiting_of(submission), Status.SENDING, reason=error.reason, words=error.words, code=error.code
        )
    submission.reason = error.reason
    account.failures += 1
    account.reason = error.reason
    asked = timedelta(seconds=error.retry_after or 0)
    sooner = min(asked, LONGEST_WAIT_BY_HAND)
    patience = sooner if submission.lane < Lane.BULK else asked
    submission.next_attempt_at = now() + max(backoff(submission.attempts), patience)
    own = backoff(account.failures, LONGEST_ACCOUNT_WAIT)
    account.not_before, account.by_hand_not_before = now() + max(own, asked), now() + max(own, sooner)
    log.warning(
        "submission=%s attempt=%s http=%s code=%s: %s %s",
        submission.id,
        submission.attempts,
        error.http_status,
        error.code,
        type(error).__name__,
        type(error.__cause__).__name__ if error.__cause__ else "",  # by name: what it says may hold an address
    )
    no_key = submission.maybe_sent and adapter_class(submission.phone.adapter).repeat_window is None
    if no_key or submission.unreadable >= UNREADABLE_LIMIT:
        give_up(session, submission)
    if not submission.maybe_sent:  # what waited for this answer, which might have been its own, is another's
        reports.match_left_over(session)
