"""Time limits: what is of no use any more does not leave, and a report that never came is said to be missing."""

from __future__ import annotations

from datetime import timedelta
from time import monotonic

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from ..campaigns import settlement
from ..clock import now
from ..conversations import counting
from ..extensions import db
from ..i18n import N_
from ..messages import restored
from ..messages.history import add_all
from ..models import Message, Status
from ..storage.stride import Stride
from ..storage.transactions import bulk_step, transaction

# Octopush's reports come within 48 hours (docs/providers/octopush.md §7.6).
REPORT_DUE = timedelta(hours=72)
# Messages marked in one short transaction, and for how long before others have their turn.
BATCH = 500
SECONDS = 1.0

TOO_LATE = N_("L’heure « inutile après » est passée : le SMS n’est pas parti.")
NO_REPORT = N_(
    "Aucun accusé de réception n’est arrivé en 72 heures : le SMS est parti, sans que l’on sache s’il est arrivé."
)


def expire(session: Session, most: int = BATCH) -> int:
    """Mark some of what waits in the queue past its limit: how many. None of it leaves, marked or not: see claim.

    Call inside a transaction.
    """
    ids = session.scalars(_expired().limit(most)).all()
    if ids:
        past = Message.id.in_(ids)
        unanswered = counting.by_hand(session, past)
        add_all(session, past, Status.EXPIRED, reason=TOO_LATE)
        counting.recount_of(session, unanswered)
        settlement.settle(session)
    return len(ids)


def expire_now() -> None:
    """The same in short transactions, begun only while there is something to mark."""
    ends, stride = monotonic() + SECONDS, Stride(BATCH // 5, most=BATCH)
    while monotonic() < ends and db.session.scalar(_expired().limit(1)) is not None:
        with bulk_step(stride) as (session, rows):
            expire(session, rows)


def _expired() -> Select[int]:
    past = select(Message.id).where(Message.status == Status.QUEUED, Message.expires_at <= now())
    held = restored.held_up_to(db.session())  # whether it left is what nobody knows yet
    return past if held is None else past.where(Message.id > held)


def mark_unreported() -> None:
    """Say of sent messages that their report is long overdue; they stay sent, and a late one still counts."""
    overdue = select(Message.id).where(
        Message.status == Status.SENT, Message.sent_at < now() - REPORT_DUE, Message.unreported_at.is_(None)
    )
    while ids := db.session.scalars(overdue.limit(BATCH)).all():
        with transaction(bulk=True) as session:
            still = and_(Message.id.in_(ids), Message.status == Status.SENT)
            add_all(session, still, Status.SENT, reason=NO_REPORT, sent_at=Message.sent_at, unreported_at=now())
