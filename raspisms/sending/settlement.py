"""When a campaign is over: nothing of it waits any more."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ..database import now
from ..models import Campaign, CampaignState, Message, Status

PENDING = (Status.QUEUED, Status.SENDING)


def settle(session: Session) -> None:
    """Mark as done the campaigns of which nothing waits. Call inside a transaction."""
    session.flush()
    pending = select(Message.id).where(Message.campaign_id == Campaign.id, Message.status.in_(PENDING))
    session.execute(
        update(Campaign)
        .where(Campaign.state == CampaignState.SENDING, Campaign.retry_position.is_(None), ~pending.exists())
        .values(state=CampaignState.DONE, finished_at=now())
        .execution_options(synchronize_session=False)
    )
