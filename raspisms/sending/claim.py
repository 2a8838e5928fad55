"""Choosing what leaves next for one account, and committing to it before the request is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from .. import gate
from ..adapters.base import Batch
from ..campaigns import trial
from ..clock import now
from ..extensions import db
from ..i18n import N_
from ..messages import attempts, hours, submissions
from ..messages.history import add_all
from ..models import (
    Account,
    Campaign,
    CampaignState,
    Hours,
    Lane,
    Message,
    Status,
    Submission,
    SubmissionState,
    Trial,
)
from ..phones.settings import adapter_class
from ..receiving import journal
from ..sms.purposes import Purpose
from ..storage.transactions import transaction
from . import asking_again, eligible, expiry, lease, overdue, pace

NOBODY_LEFT = N_("Plus personne de cet envoi ne peut recevoir de SMS : il n’est pas parti.")


@dataclass(frozen=True)
class Claim:
    """A committed submission, and what it takes to ask the provider for it: plain values, no rows."""

    submission_id: int
    adapter: str
    sealed_settings: str
    batch: Batch
    departure: int = 0
    """The how-manieth request of its account this is."""
    hours: Hours = Hours.FREE
    """Of its campaign."""
    at: float = field(default_factory=monotonic)
    """When its people were looked at (time.monotonic)."""


# A chunk was chosen of whom nobody may get it any more.
NOBODY = Claim(0, "", "", Batch("", (), Purpose.INFORMATION, ""))


class HearFirst(Exception):
    """Something is about to be sent again while callbacks wait: one of them may say that it arrived after all."""


def next_claim(
    account_id: int, *, has_heard: bool = False, may_go_on: Callable[[], bool] = lambda: True
) -> Claim | None:
    """The next request for this account, or None when nothing is due. Raises lease.LeaseLost.

    A chunk of whom nobody may get it any more has a transaction of its own; after each, `may_go_on` says whether to
    look further now. Unless the caller `has_heard` what waits to be applied, raises HearFirst where that might stop a
    retry.
    """
    while (found := _next_claim(account_id, has_heard=has_heard)) is NOBODY:
        if not may_go_on():
            return None
    return found


def _next_claim(account_id: int, *, has_heard: bool) -> Claim | None:
    """The same, or NOBODY where there may be more to find."""
    with transaction() as session:
        account = session.get_one(Account, account_id)
        lease.renew(account)
        lanes = _lanes_open(account)
        if lanes is None:
            return None
        overdue.close(session, account_id)
        expiry.expire(session)
        is_over, submission = _choose(session, account_id, lanes)
        if submission is None:
            return None if is_over else NOBODY
        if not has_heard and attempts.has_any(session, submission) and journal.has_waiting(session):
            raise HearFirst
        account.departures += 1
        submission.in_flight = True
        submission.attempts += 1
        submission.first_attempt_at = submission.first_attempt_at or now()
        return _claim(session, submission)


def prepare(account_id: int) -> Claim | None:
    """While a request is in the air, gather the next chunk of a campaign: it leaves without a wait.

    What people write by hand is not prepared: whatever is most urgent is chosen when the air is free.
    What is given back needs `confirmation.confirm` before it may leave. Raises lease.LeaseLost.
    """
    with transaction() as session:
        lease.renew(session.get_one(Account, account_id))
        expiry.expire(session)
        if session.scalar(eligible.open_submissions(account_id, ANY_LANE).limit(1)) is not None:
            return None
        first = _next_waiting(session, account_id, ANY_LANE)
        if first is None or first.campaign_id is None:
            return None
        submission = _gather(session, first)
        if submission is not None and attempts.has_any(session, submission):
            session.rollback()  # whether it may leave is asked at the last moment, see next_claim
            return None
        return _claim(session, submission) if submission else None


# Up to which lane messages may leave: all of them, or only what people wrote by hand.
ANY_LANE, BY_HAND = Lane.BULK, Lane.SINGLE


def _claim(session: Session, submission: Submission) -> Claim:
    session.flush()
    numbers = select(Message.number).where(submissions.named(submission)).order_by(Message.id)
    batch = Batch(submission.text, tuple(session.scalars(numbers)), submission.purpose, submission.request_id)
    campaign = submissions.campaign_of(session, submission)
    return Claim(
        submission.id,
        submission.phone.adapter,
        submission.phone.sealed_settings,
        batch,
        session.get_one(Account, submission.account_id).departures,
        campaign.hours if campaign else Hours.FREE,
    )


def _lanes_open(account: Account) -> Lane | None:
    """Up to which lane something may leave now; None while the provider is left in peace.

    One that asks for an hour's patience is asked sooner for what people wait for.
    """
    moment = now()
    if account.not_before is None or account.not_before <= moment:
        return ANY_LANE
    is_sooner = account.by_hand_not_before is not None and account.by_hand_not_before <= moment
    return BY_HAND if is_sooner else None


def is_due(account_id: int) -> bool:
    """Whether `next_claim` would find something now; cheap, and without a lock."""
    db.session.rollback()
    db.session.expire_all()  # a fresh view
    account = db.session.get(Account, account_id)
    lanes = _lanes_open(account) if account is not None else None
    if lanes is None:
        return False
    found = db.session.scalar(eligible.open_submissions(account_id, lanes).limit(1)) or _next_waiting(
        db.session(), account_id, lanes
    )
    db.session.rollback()
    return found is not None


def has_waiting(account_id: int, *, by_hand: bool = False) -> bool:
    """Whether a queued message of this account (or one that was written by hand) might leave now."""
    return _next_waiting(db.session(), account_id, BY_HAND if by_hand else ANY_LANE) is not None


def _choose(session: Session, account_id: int, lanes: Lane) -> tuple[bool, Submission | None]:
    """An open submission that is due, or a new one, whichever has the more urgent lane; and whether that is all.

    One chunk is looked at person by person: if nobody of it may get it, the caller commits that first.
    """
    while True:
        due = session.scalar(eligible.open_submissions(account_id, lanes).limit(1))
        first = _next_waiting(session, account_id, lanes)
        if due is not None and (first is None or due.lane <= first.lane):
            if due.maybe_sent:
                if asking_again.may(session, due):
                    return True, due  # only asking again tells what became of it
            elif eligible.is_held_back(session, due):
                submissions.put_back(session, Submission.id == due.id)
            else:
                return False, due if _leave_out(session, due) else None
        elif first is None:
            return True, None
        else:
            return False, _gather(session, first)


def _next_waiting(session: Session, account_id: int, lanes: Lane) -> Message | None:
    """The message whose turn it is: what somebody wrote by hand, by lane, then campaigns in turn.

    A row that something else holds (on PostgreSQL) is passed over here as it is in `_like`: it will do next time.
    """
    phones = eligible.phones_of(account_id)
    by_hand = (
        select(Message)
        .where(Message.phone_id.in_(phones), eligible.waiting(), Message.campaign_id.is_(None))
        .order_by(Message.lane, Message.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Message)
    )
    found = session.scalar(by_hand)
    if found is not None and gate.opens_at(found.purpose) is not None:  # only advertising has hours of its own
        found = session.scalar(by_hand.where(Message.purpose != found.purpose))
    return found if found is not None or lanes < ANY_LANE else _next_of_campaigns(session, phones)


def _next_of_campaigns(session: Session, phones: Select[int]) -> Message | None:
    """The first message of the campaign that had the fewest turns."""
    waiting = select(Message.id).where(Message.campaign_id == Campaign.id, eligible.waiting())
    tried = or_(Campaign.trial_state.is_(None), Campaign.trial_state.in_((Trial.FIRST, Trial.PASSED)))
    campaign_id = session.scalar(
        select(Campaign.id)
        .where(
            Campaign.phone_id.in_(phones.where(pace.is_free())),
            Campaign.state == CampaignState.SENDING,
            Campaign.id.not_in(hours.closed_now(session)),
            tried,
            waiting.exists(),
        )
        .order_by(Campaign.turn, Campaign.id)
        .limit(1)
    )
    if campaign_id is None:
        return None
    return session.scalar(
        select(Message)
        .where(Message.campaign_id == campaign_id, eligible.waiting())
        .order_by(Message.batch_key, Message.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Message)
    )


def _gather(session: Session, first: Message) -> Submission | None:
    """A new submission of `first` and the messages that may leave with it; None if nobody may get it."""
    limit = adapter_class(first.phone.adapter).max_recipients
    campaign = session.get_one(Campaign, first.campaign_id) if first.campaign_id is not None else None
    waiting = session.execute(_like(first).order_by(Message.id).limit(limit)).all()
    # A provider id and a number name one SMS: the same number twice makes two requests.
    chosen = {number: message_id for message_id, number in reversed(waiting)}
    chosen = eligible.leave_out(session, chosen, first.purpose, campaign)
    if not chosen:
        return None
    if campaign is not None:  # of those who may get it, so many now
        limit = trial.chunk(session, campaign, pace.chunk(first.phone, limit))
        chosen = dict(sorted(chosen.items(), key=lambda pair: pair[1])[:limit])
    submission = submissions.begin(session, first)
    pace.count(first.phone, len(chosen))
    if campaign is not None:
        campaign.turn += 1
    session.flush()
    add_all(session, Message.id.in_(chosen.values()), Status.SENDING, submission_id=submission.id)
    if campaign is not None:
        trial.count(session, campaign)
    return submission


def _like(first: Message) -> Select[int, str]:
    """What may leave with `first`: of the same campaign, or written by hand in the same lane; the same text."""
    same = select(Message.id, Message.number).where(eligible.waiting(), Message.batch_key == first.batch_key)
    if first.campaign_id is not None:
        same = same.where(Message.campaign_id == first.campaign_id)
    else:
        same = same.where(Message.phone_id == first.phone_id, Message.lane == first.lane, Message.campaign_id.is_(None))
    # PostgreSQL: a row that something else holds is left for the next claim. SQLite has one writer anyway.
    return same.with_for_update(skip_locked=True)


def _leave_out(session: Session, submission: Submission) -> bool:
    """Take whom nothing may be sent to any more out of a submission that surely did not leave; False when nobody
    remains."""
    rows = session.execute(select(Message.number, Message.id).where(Message.submission_id == submission.id))
    people = {number: message_id for number, message_id in rows}
    if eligible.leave_out(session, people, submission.purpose, submissions.campaign_of(session, submission)):
        return True
    submission.state = SubmissionState.REFUSED
    submission.closed_at = now()
    submission.reason = NOBODY_LEFT
    session.flush()
    return False
