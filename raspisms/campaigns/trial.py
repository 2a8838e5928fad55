"""Trying a campaign on a few people first: they get it, their reports come, then the others get it, or nobody."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ..clock import now
from ..i18n import N_
from ..live import changes
from ..models import Campaign, CampaignState, Message, Status, Trial

# How long reports are awaited; telephones that are switched off answer later.
PATIENCE = timedelta(minutes=10)
# Of those who answered, how many must have it; and how many must have answered.
DELIVERED_SHARE = 0.8
ANSWERED_SHARE = 0.5
STAYED = (Status.QUEUED, Status.CANCELLED, Status.EXPIRED)
ANSWERS = (Status.DELIVERED, Status.FAILED)

TOO_MANY_FAILED = N_(
    "Trop des premiers SMS ont échoué : la campagne s’est arrêtée. Regardez pourquoi, puis reprenez ou annulez."
)
NO_REPORTS = N_(
    "Trop peu d’accusés des premiers SMS sont revenus en dix minutes : la campagne s’est arrêtée. "
    "Vérifiez les adresses de callback, puis reprenez ou annulez."
)


def chunk(session: Session, campaign: Campaign, limit: int) -> int:
    """How many of a campaign may leave in its next request."""
    if campaign.trial is None or campaign.trial_state is not Trial.FIRST:
        return limit
    return max(1, min(limit, campaign.trial - left(session, campaign.id)))


def count(session: Session, campaign: Campaign) -> None:
    """Stop after the first ones. Call inside a transaction, when some of them were chosen."""
    if campaign.trial_state is Trial.FIRST and left(session, campaign.id) >= (campaign.trial or 0):
        campaign.trial_state, campaign.trial_at = Trial.WAITING, now()


def left(session: Session, campaign_id: int) -> int:
    """How many of a campaign left, or are leaving."""
    query = select(func.count()).where(Message.campaign_id == campaign_id, Message.status.not_in(STAYED))
    return session.scalar(query) or 0


def has_any(session: Session) -> bool:
    """Whether a campaign waits for the reports of its first ones."""
    query = select(Campaign.id).where(Campaign.state == CampaignState.SENDING, Campaign.trial_state == Trial.WAITING)
    return session.scalar(query.limit(1)) is not None


def judge(session: Session) -> list[int]:
    """Go on or stop, where the reports allow it: the campaigns that go on. Call inside a transaction."""
    going_on = []
    waiting = select(Campaign).where(Campaign.state == CampaignState.SENDING, Campaign.trial_state == Trial.WAITING)
    for campaign in session.scalars(waiting):
        reason = _verdict(session, campaign)
        if reason is None:
            continue
        if reason:
            campaign.trial_state, campaign.state, campaign.pause_reason = Trial.FAILED, CampaignState.PAUSED, reason
            changes.remember(session, "campaigns", campaign.id)
        else:
            campaign.trial_state = Trial.PASSED
            going_on.append(campaign.id)
    return going_on


def _verdict(session: Session, campaign: Campaign) -> str | None:
    """Why it must stop; empty to go on; None to wait on."""
    rows = session.execute(
        select(Message.status, func.count())
        .where(Message.campaign_id == campaign.id, Message.status.not_in(STAYED))
        .group_by(Message.status)
    )
    found = {status: number for status, number in rows}
    tried, answered = sum(found.values()), sum(found.get(status, 0) for status in ANSWERS)
    if tried < (campaign.trial or 0):  # the phone paused, and they went back to the queue
        campaign.trial_state = Trial.FIRST
        return None
    late = campaign.trial_at is not None and campaign.trial_at < now() - PATIENCE
    failed = found.get(Status.FAILED, 0)
    if failed > tried * (1 - DELIVERED_SHARE):
        return TOO_MANY_FAILED
    if answered < tried and not late:
        return None
    if answered < tried * ANSWERED_SHARE:
        return NO_REPORTS
    return ""
