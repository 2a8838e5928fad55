"""What a message was part of before it is sent again: a late report may still say that it arrived after all."""

from __future__ import annotations

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from ..figures import days
from ..models import EarlierAttempt, Message, Submission


def keep(session: Session, which: ColumnElement[bool]) -> None:
    """Messages are about to be sent again: keep their present requests. Call inside a transaction.

    `which` is a condition on Message.
    """
    days.moves(session, which)
    known = select(EarlierAttempt.message_id).where(
        EarlierAttempt.message_id == Message.id, EarlierAttempt.submission_id == Message.submission_id
    )
    rows = select(Message.id, Message.submission_id).where(which, Message.submission_id.is_not(None), ~known.exists())
    session.execute(insert(EarlierAttempt).from_select(["message_id", "submission_id"], rows))


def has_any(session: Session, submission: Submission) -> bool:
    """Whether a request is for a message that was sent before."""
    if session.scalar(select(EarlierAttempt.message_id).limit(1)) is None:
        return False
    session.flush()
    mine = select(Message.id).where(Message.submission_id == submission.id)
    return (
        session.scalar(select(EarlierAttempt.message_id).where(EarlierAttempt.message_id.in_(mine)).limit(1))
        is not None
    )
