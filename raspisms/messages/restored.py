"""What an older copy of the database holds back until somebody decides."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from ..models import Restoration
from ..storage.transactions import asked_once

# What several ask in each transaction of sending.
HELD = "held up to"


def current(session: Session) -> Restoration | None:
    """The restore that somebody has to decide about."""
    return session.scalar(select(Restoration).where(Restoration.decided_at.is_(None)).limit(1))


def held_up_to(session: Session) -> int | None:
    """The last message that is held after a restore; None when nothing is."""
    undecided = select(Restoration.last_message_id).where(Restoration.decided_at.is_(None)).limit(1)
    return asked_once(session, HELD, lambda: session.scalar(undecided))


def campaigns_held_up_to(session: Session) -> int | None:
    """The same for campaigns."""
    return session.scalar(select(Restoration.last_campaign_id).where(Restoration.decided_at.is_(None)).limit(1))
