"""When a campaign is over: nothing of it waits any more."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from ..clock import now
from ..models import Campaign, CampaignState, Message, Status

PENDING = (Status.QUEUED, Status.SENDING)


def is_due(session: Session) -> bool:
    """Whether a campaign under way has nothing left: a report may have ended its last retry. Cheap."""
    return session.scalar(select(Campaign.id).where(_over()).limit(1)) is not None


def _over() -> ColumnElement[bool]:
    pending = select(Message.id).where(Message.campaign_id == Campaign.id, Message.status.in_(PENDING))
    return and_(Campaign.state == CampaignState.SENDING, Campaign.retry_position.is_(None), ~pending.exists())


def settle(session: Session) -> None:
    """Mark as done the campaigns of which nothing waits. Call inside a transaction."""
    session.flush()
    session.execute(
        update(Campaign)
        .where(_over())
        .values(state=CampaignState.DONE, finished_at=now())
        .execution_options(synchronize_session=False)
    )
