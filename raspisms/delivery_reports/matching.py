"""Whose report it is: matched on (provider id, number), or learnt from the only message that can be meant."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, lazyload

from ..adapters.base import Report
from ..clock import now
from ..models import EarlierAttempt, JournalEntry, Message, Phone, Submission, SubmissionState
from ..models.message import UNCERTAIN

# A report comes within 48 hours (docs/providers/octopush.md §7.6); with this margin it may still teach a provider id.
ADOPTION_WINDOW = timedelta(hours=72)
# Which report of which entry.
Key = tuple[int, int]


def find_many(session: Session, wanted: list[tuple[Key, JournalEntry, Report]]) -> dict[Key, Message]:
    """The message of each report that `apply` would find by its provider id."""
    rows = session.execute(
        select(Message, Submission.provider_id, Submission.account_id, Submission.phone_id)
        .join(Submission, Message.submission_id == Submission.id)
        .where(
            Submission.provider_id.in_({report.provider_id for _, _, report in wanted}),
            Message.number.in_({report.number for _, _, report in wanted}),
        )
        .options(lazyload(Message.phone))
    ).all()
    found: dict[tuple[str | None, str], list[tuple[Message, int, int]]] = {}
    for message, provider_id, account_id, phone_id in rows:
        found.setdefault((provider_id, message.number), []).append((message, account_id, phone_id))
    matched = {}
    for key, entry, report in wanted:
        for message, account_id, phone_id in found.get((report.provider_id, report.number), ()):
            if account_id == entry.phone.account_id or phone_id == entry.phone_id:
                matched[key] = message
    return matched


def without_provider_id() -> tuple[ColumnElement[bool], ...]:
    """The requests that were, or may have been, taken, and whose provider id a report may still tell."""
    return (
        Submission.provider_id.is_(None),
        Submission.state.in_((SubmissionState.ACCEPTED, SubmissionState.UNKNOWN)),
        Submission.created_at > now() - ADOPTION_WINDOW,
    )


def find(session: Session, phone: Phone, provider_id: str, number: str) -> Message | None:
    """The message with this provider id, of the phone's account or of the account it had before."""
    return session.scalar(
        select(Message)
        .join(Submission, Message.submission_id == Submission.id)
        .where(
            or_(Submission.account_id == phone.account_id, Submission.phone_id == phone.id),
            Submission.provider_id == provider_id,
            Message.number == number,
        )
    )


def find_earlier(session: Session, phone: Phone, provider_id: str, number: str) -> tuple[Message, Submission] | None:
    """The message that an earlier request with this provider id was for, since sent again."""
    found = session.execute(
        select(Message, Submission)
        .join(EarlierAttempt, EarlierAttempt.message_id == Message.id)
        .join(Submission, EarlierAttempt.submission_id == Submission.id)
        .where(
            or_(Submission.account_id == phone.account_id, Submission.phone_id == phone.id),
            Submission.provider_id == provider_id,
            Message.number == number,
        )
        .limit(1)
    ).first()
    return (found[0], found[1]) if found else None


def is_known(session: Session, account_id: int, provider_id: str) -> bool:
    """Whether a request of ours has this provider id: a report under it is of that request, or of nobody's any more."""
    known = select(Submission.id).where(Submission.account_id == account_id, Submission.provider_id == provider_id)
    return session.scalar(known.limit(1)) is not None


def is_in_the_air(session: Session, account_id: int, numbers: Collection[str]) -> bool:
    """Whether a request for one of these numbers may have been taken, without an answer that names its provider id.

    An unknown provider id may be its own. One that surely did not leave, and waits for another try, has none.
    """
    return (
        session.scalar(
            select(Submission.id)
            .join(Message, Message.submission_id == Submission.id)
            .where(
                Submission.account_id == account_id,
                Submission.state == SubmissionState.OPEN,
                or_(Submission.in_flight, Submission.maybe_sent),
                Message.number.in_(numbers),
            )
            .limit(1)
        )
        is not None
    )


def adopt(session: Session, account_id: int, report: Report) -> tuple[Message, Submission] | None:
    """The message of a submission whose provider id we never learnt, and it, when only one can be meant.

    The answer that named the provider id was lost (code 182, or an unknown outcome): a report under a provider id
    that nobody knows, for a number that such a submission holds, tells it.
    """
    if is_in_the_air(session, account_id, [report.number]):
        return None
    candidates = session.execute(
        select(Message, Submission)
        .join(Submission, Message.submission_id == Submission.id)
        .where(
            Submission.account_id == account_id,
            *without_provider_id(),
            Message.number == report.number,
            Message.status.in_(UNCERTAIN),
        )
        .limit(2)
    ).all()
    if len(candidates) != 1:
        return None
    message, submission = candidates[0]
    return message, submission


def adopt_earlier(session: Session, account_id: int, report: Report) -> tuple[Message, Submission] | None:
    """The same for a request whose message was sent again since: it arrived after all, perhaps."""
    candidates = session.execute(
        select(Message, Submission)
        .join(EarlierAttempt, EarlierAttempt.message_id == Message.id)
        .join(Submission, EarlierAttempt.submission_id == Submission.id)
        .where(
            Submission.account_id == account_id,
            *without_provider_id(),
            Message.number == report.number,
        )
        .limit(2)
    ).all()
    if len(candidates) != 1 or is_in_the_air(session, account_id, [report.number]):
        return None
    message, submission = candidates[0]
    return message, submission
